/** Where tokens went: calls by server and tool, runs by language, front, end and tag. Each row with a way leads into it. */

import * as l10n from '@vscode/l10n';
import type { JSX } from 'preact';
import type { CallGroup, RunGroup, SavingsReport } from '../lsp_ext';
import { callBars, runBars, type CallBar, type RunBar, type RunKey } from './bars';
import { outcomeWord } from './figures';
import { Bar, Foreign, Section, Table, Way, type Look } from './parts';

/** All of them; those that would say nothing new are left out. */
export function Breakdowns({ report, look }: { readonly report: SavingsReport; readonly look: Look }): JSX.Element {
  const runs = (title: string, key: RunKey, groups: readonly RunGroup[]): JSX.Element | null =>
    groups.length === 0 ? null : <RunsBy key={key} by={key} title={title} groups={groups} look={look} />;
  return (
    <>
      <CallsBy title={l10n.t('By server')} groups={report.servers} look={look} />
      <CallsBy title={l10n.t('By tool')} groups={report.tools} look={look} />
      {runs(l10n.t('By language'), 'language', report.languages)}
      {runs(l10n.t('By front'), 'front', report.fronts)}
      {runs(l10n.t('By end'), 'status', report.statuses)}
      {runs(l10n.t('By tag'), 'tag', report.tags)}
    </>
  );
}

function CallsBy(props: {
  readonly title: string;
  readonly groups: readonly CallGroup[];
  readonly look: Look;
}): JSX.Element | null {
  const { store, state, numbers } = props.look;
  if (props.groups.length === 0) {
    return null;
  }
  const name = ({ name, only }: CallBar): JSX.Element =>
    store.home.asks ? (
      <Way
        text={name}
        hint={l10n.t('Show its runs')}
        go={() => {
          store.go({ only, run: undefined }, 'step');
        }}
      />
    ) : (
      <Foreign text={name} />
    );
  return (
    <Section title={props.title} note={l10n.t('Tokens of answers, kept out of the context')}>
      <Table
        caption={props.title}
        rows={callBars(props.groups, state.view.only)}
        keyOf={(bar) => bar.name}
        columns={[
          { name: l10n.t('Name'), cell: name },
          { name: '', kind: 'bar', cell: ({ length }) => <Bar length={length} look="kept" /> },
          { name: l10n.t('Tokens'), kind: 'number', cell: ({ group }) => numbers.whole(group.result_tokens) },
          { name: l10n.t('Calls'), kind: 'number', cell: ({ group }) => numbers.whole(group.calls) },
          {
            name: l10n.t('Failed'),
            kind: 'number',
            room: 'minor',
            cell: ({ group }) => (group.failed > 0 ? <span class="bad">{numbers.whole(group.failed)}</span> : '0'),
          },
          { name: l10n.t('Cached'), kind: 'number', room: 'extra', cell: ({ group }) => numbers.whole(group.cached) },
          {
            name: l10n.t('Median'),
            kind: 'number',
            room: 'minor',
            cell: ({ group }) => numbers.duration(group.ms.p50),
          },
        ]}
      />
    </Section>
  );
}

function RunsBy(props: {
  readonly by: RunKey;
  readonly title: string;
  readonly groups: readonly RunGroup[];
  readonly look: Look;
}): JSX.Element {
  const { store, state, numbers } = props.look;
  const name = ({ name, only }: RunBar): JSX.Element =>
    store.home.asks ? (
      <Way
        text={name}
        hint={l10n.t('Show its runs')}
        go={() => {
          store.go({ only, run: undefined }, 'step');
        }}
      />
    ) : (
      <Foreign text={name} />
    );
  const saved = ({ tokens }: RunBar): JSX.Element => (
    <span class={tokens.outcome} title={outcomeWord(tokens.outcome)}>
      {numbers.whole(tokens.saved)}
    </span>
  );
  return (
    <Section title={props.title} note={<Legend />}>
      <Table
        caption={props.title}
        rows={runBars(props.groups, props.by, state.view)}
        keyOf={({ group }) => group.key}
        columns={[
          { name: l10n.t('Name'), cell: name },
          {
            name: '',
            kind: 'bar',
            cell: ({ direct, program }) => <Bar length={direct} over={program} look="direct" />,
          },
          { name: l10n.t('Saved'), kind: 'number', cell: saved },
          { name: l10n.t('Runs'), kind: 'number', cell: ({ group }) => numbers.whole(group.runs) },
          {
            name: l10n.t('Failed'),
            kind: 'number',
            room: 'minor',
            cell: ({ group }) => (group.failed > 0 ? <span class="bad">{numbers.whole(group.failed)}</span> : '0'),
          },
        ]}
      />
    </Section>
  );
}

/** Which bar is which. */
export function Legend(): JSX.Element {
  return (
    <span class="legend">
      <span class="swatch direct" aria-hidden="true" /> {l10n.t('direct calls')}{' '}
      <span class="swatch program" aria-hidden="true" /> {l10n.t('programs')}
    </span>
  );
}
