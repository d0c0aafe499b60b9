/** What is looked at, as controls: the period, the baseline, the model whose prices count; and the way back up. */

import * as l10n from '@vscode/l10n';
import type { JSX } from 'preact';
import { groupName, narrowingName, type RunKey } from './bars';
import { baselineMeaning, baselineName, rangeName } from './figures';
import { Foreign, type Look } from './parts';
import { BASELINES, narrowings, RANGES, type Range, type View } from './view';

/** Everything that can be chosen. */
export function Controls({ look }: { readonly look: Look }): JSX.Element {
  const { store, state } = look;
  const { view } = state;
  return (
    <form
      class="controls"
      aria-label={l10n.t('What is shown')}
      onSubmit={(event) => {
        event.preventDefault();
      }}
    >
      {store.home.asks ? <Period look={look} /> : null}
      <Switch
        name="baseline"
        title={l10n.t('Compared with')}
        choices={BASELINES.map((value) => ({ value, text: baselineName(value), hint: baselineMeaning(value) }))}
        chosen={view.baseline}
        choose={(baseline) => {
          store.go({ baseline }, 'replace');
        }}
      />
      {store.home.asks ? <Model look={look} /> : null}
    </form>
  );
}

interface Choice<T> {
  readonly value: T;
  readonly text: string;
  readonly hint?: string;
}

/** Radio buttons side by side. */
function Switch<T extends string>(props: {
  readonly name: string;
  readonly title: string;
  readonly choices: readonly Choice<T>[];
  readonly chosen: T;
  readonly choose: (value: T) => void;
}): JSX.Element {
  return (
    <fieldset class="switch">
      <legend>{props.title}</legend>
      {props.choices.map(({ value, text, hint }) => (
        <label key={value} title={hint}>
          <input
            type="radio"
            name={props.name}
            value={value}
            checked={value === props.chosen}
            onChange={() => {
              props.choose(value);
            }}
          />
          <span>{text}</span>
        </label>
      ))}
    </fieldset>
  );
}

function Period({ look: { store, state } }: { readonly look: Look }): JSX.Element {
  const { view, report } = state;
  const choose = (range: Range): void => {
    // A period of one's own begins as the one that was looked at.
    const own = { sinceMs: report?.total.since_ms, untilMs: report?.total.until_ms };
    store.go(range === 'custom' ? { range, ...own } : { range }, 'replace');
  };
  const moment = (title: string, key: 'sinceMs' | 'untilMs'): JSX.Element => (
    <label class="moment">
      {title}
      <input
        type="datetime-local"
        value={localText(view[key])}
        onChange={({ currentTarget }) => {
          const ms = new Date(currentTarget.value).getTime();
          store.go({ [key]: Number.isNaN(ms) ? undefined : ms }, 'replace');
        }}
      />
    </label>
  );
  return (
    <>
      <Switch
        name="range"
        title={l10n.t('Period')}
        choices={(Object.keys(RANGES) as Range[]).map((value) => ({ value, text: rangeName(value) }))}
        chosen={view.range}
        choose={choose}
      />
      {view.range === 'custom' ? (
        <div class="moments">
          {moment(l10n.t('From'), 'sinceMs')}
          {moment(l10n.t('To'), 'untilMs')}
        </div>
      ) : null}
    </>
  );
}

function Model({ look: { store, state } }: { readonly look: Look }): JSX.Element {
  const known = state.report?.total.dollars?.price.model;
  return (
    <label class="model">
      <span>{l10n.t('Prices of')}</span>
      <input
        type="text"
        list="models"
        spellcheck={false}
        autocomplete="off"
        value={state.view.model ?? ''}
        placeholder={known ?? l10n.t('a model')}
        onChange={({ currentTarget }) => {
          store.go({ model: currentTarget.value.trim() || undefined }, 'replace');
        }}
      />
      <datalist id="models">
        {state.report?.models.map((model) => (
          <option key={model} value={model} />
        ))}
      </datalist>
    </label>
  );
}

/** Where one is, and the way back: everything, what it was narrowed by, the run. */
export function Crumbs({
  look: { store, state },
  run,
}: {
  readonly look: Look;
  readonly run: string | undefined;
}): JSX.Element | null {
  const { only } = state.view;
  const parts = narrowings(only);
  if (parts.length === 0 && run === undefined) {
    return null;
  }
  const steps: { readonly text: string; readonly view: Partial<View> }[] = [
    { text: l10n.t('Everything'), view: { only: {}, run: undefined } },
    ...parts.map(([key, value], index) => ({
      text: `${narrowingName(key)} ${groupName(key as RunKey, value)}`,
      view: { only: Object.fromEntries(parts.slice(0, index + 1)), run: undefined },
    })),
    ...(run === undefined ? [] : [{ text: run, view: {} }]),
  ];
  return (
    <nav class="crumbs" aria-label={l10n.t('Breadcrumb')}>
      {store.home.address.canGoBack() ? (
        <button
          type="button"
          onClick={() => {
            store.home.address.back();
          }}
        >
          <span aria-hidden="true">← </span>
          {l10n.t('Back')}
        </button>
      ) : null}
      <ol>
        {steps.map(({ text, view }, index) => (
          <li key={index}>
            {index === steps.length - 1 ? (
              <span aria-current="page">
                <Foreign text={text} />
              </span>
            ) : (
              <button
                type="button"
                class="way"
                onClick={() => {
                  store.go(view, 'step');
                }}
              >
                <Foreign text={text} />
              </button>
            )}
          </li>
        ))}
      </ol>
    </nav>
  );
}

/** A moment as an input for local times has it. */
function localText(ms: number | undefined): string {
  if (ms === undefined) {
    return '';
  }
  const at = new Date(ms);
  return new Date(ms - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
