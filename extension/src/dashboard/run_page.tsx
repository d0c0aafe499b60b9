/** One run: what it saved or lost, how it ended, and its calls, wave by wave. */

import * as l10n from '@vscode/l10n';
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { CallRow, Explanation, RunId, RunSummary } from '../lsp_ext';
import { oneLine } from '../views/untrusted';
import { cacheName, groupName } from './bars';
import { certainty } from './figures';
import { Hero } from './headline';
import { Ended } from './lists';
import { Bar, Foreign, Section, Table, Unfold, type Look } from './parts';

/** Calls that are listed before one asks for more. */
const LISTED = 200;

/** The whole page of a run; `run` is absent where the report does not list it. */
export function RunPage(props: {
  readonly id: RunId;
  readonly run: RunSummary | undefined;
  readonly look: Look;
}): JSX.Element {
  const { id, run, look } = props;
  const { calls, callsFailure, explained } = look.state;
  return (
    <>
      {run?.tokens ? (
        <Hero
          tokens={run.tokens}
          known={certainty(run.tokens.labels, 'saved', 'code_mode.output')}
          dollars={explained?.dollars}
          look={look}
        />
      ) : null}
      <Section title={l10n.t('The run')} wide>
        {explained === undefined ? null : <p class="why">{oneLine(explained.why, 1_000)}</p>}
        <Facts id={id} run={run} calls={calls} look={look} />
        <Actions id={id} look={look} />
        {explained === undefined ? null : <Turns explained={explained} look={look} />}
      </Section>
      {callsFailure === undefined ? null : (
        <p class="card wide" role="alert">
          {callsFailure.message}
        </p>
      )}
      {calls === undefined ? null : <Calls calls={calls} look={look} />}
    </>
  );
}

function Facts(props: {
  readonly id: RunId;
  readonly run: RunSummary | undefined;
  readonly calls: readonly CallRow[] | undefined;
  readonly look: Look;
}): JSX.Element {
  const { id, run, calls = [] } = props;
  const { numbers } = props.look;
  const waves = calls.reduce((most, { wave }) => Math.max(most, wave + 1), 0);
  const facts: [string, JSX.Element | string][] = [
    ...(run === undefined
      ? []
      : ([
          [l10n.t('Ended'), <Ended status={run.status} />],
          [l10n.t('Language'), groupName('language', run.language)],
          [l10n.t('Front'), groupName('front', run.front)],
          [l10n.t('Submitted'), numbers.moment(run.at_ms)],
          [l10n.t('Time'), numbers.duration(run.wall_ms)],
        ] satisfies [string, JSX.Element | string][])),
    [l10n.t('Calls'), numbers.whole(run?.calls ?? calls.length)],
    [l10n.t('Waves'), numbers.whole(waves)],
    [l10n.t('Run'), id],
  ];
  return (
    <dl class="facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Actions({ id, look: { store } }: { readonly id: RunId; readonly look: Look }): JSX.Element {
  const { home } = store;
  return (
    <>
      <p class="actions">
        {home.openReceipt === undefined ? null : (
          <button type="button" onClick={() => home.openReceipt?.(id)}>
            {l10n.t('Open its receipt')}
          </button>
        )}
      </p>
    </>
  );
}

/** Each turn of both sides, with its numbers. */
function Turns({ explained, look }: { readonly explained: Explanation; readonly look: Look }): JSX.Element {
  const { numbers, state } = look;
  const sides = [
    { name: l10n.t('Programs'), side: explained.code_mode },
    { name: l10n.t('Direct calls'), side: explained[state.view.baseline] },
  ];
  return (
    <Unfold title={l10n.t('Turn by turn')} open={state.view.why === true}>
      {sides.map(({ name, side }) => (
        <div key={name}>
          <h3>{`${name}: ${numbers.whole(side.tokens.total)}`}</h3>
          {side.turns.length === 0 ? null : (
            <Table
              caption={name}
              rows={side.turns}
              keyOf={({ turn }) => String(turn)}
              columns={[
                {
                  name: l10n.t('What the model does'),
                  cell: ({ turn, what }) => `${numbers.whole(turn)}. ${oneLine(what)}`,
                },
                { name: l10n.t('Prompt'), kind: 'number', cell: ({ prompt }) => numbers.whole(prompt) },
                {
                  name: l10n.t('Sent before'),
                  kind: 'number',
                  room: 'minor',
                  cell: (row) => numbers.whole(row.cached),
                },
                { name: l10n.t('Written'), kind: 'number', cell: ({ output }) => numbers.whole(output) },
                { name: l10n.t('Into the context'), kind: 'number', cell: ({ results }) => numbers.whole(results) },
              ]}
            />
          )}
        </div>
      ))}
      {explained.notes.map((note) => (
        <p key={note} class="note">
          {oneLine(note, 500)}
        </p>
      ))}
    </Unfold>
  );
}

function Calls({ calls, look }: { readonly calls: readonly CallRow[]; readonly look: Look }): JSX.Element {
  const { numbers } = look;
  const [most, setMost] = useState(LISTED);
  if (calls.length === 0) {
    return (
      <Section title={l10n.t('Calls')} wide>
        <p>{l10n.t('This run called no tool.')}</p>
      </Section>
    );
  }
  const longest = Math.max(1, ...calls.map(({ ms }) => ms));
  const rows = calls.slice(0, most).map((call, index) => ({ ...call, index }));
  return (
    <Section
      title={l10n.t('Calls')}
      note={l10n.t('Calls of one wave were in flight together: by direct calls each wave would be a turn.')}
      wide
    >
      <Table
        caption={l10n.t('Calls')}
        rows={rows}
        keyOf={({ index }) => String(index)}
        rowClass={({ index, wave }) => (index > 0 && calls[index - 1]?.wave !== wave ? 'wave' : '')}
        columns={[
          { name: l10n.t('Call'), cell: ({ server, tool }) => <Foreign text={`${server}.${tool}`} /> },
          { name: l10n.t('Wave'), kind: 'number', cell: ({ wave }) => numbers.whole(wave + 1) },
          { name: l10n.t('Ended'), cell: ({ status }) => <Ended status={status} /> },
          { name: l10n.t('Cache'), room: 'extra', cell: ({ cache }) => cacheName(cache) },
          { name: '', kind: 'bar', cell: ({ ms }) => <Bar length={ms / longest} look="time" /> },
          { name: l10n.t('Time'), kind: 'number', cell: ({ ms }) => numbers.duration(ms) },
          { name: l10n.t('Written'), kind: 'number', room: 'extra', cell: (row) => numbers.whole(row.output_tokens) },
          { name: l10n.t('Answer tokens'), kind: 'number', cell: (row) => numbers.whole(row.result_tokens) },
          { name: l10n.t('Size'), kind: 'number', room: 'minor', cell: (row) => numbers.bytes(row.result_bytes) },
        ]}
      />
      {calls.length > most ? (
        <p class="actions">
          <button
            type="button"
            onClick={() => {
              setMost(most + 5 * LISTED);
            }}
          >
            {l10n.t('Show more of {0} calls', numbers.whole(calls.length))}
          </button>
        </p>
      ) : null}
    </Section>
  );
}
