/** What can be looked at one by one: runs, failures, the dearest definitions and results. */

import * as l10n from '@vscode/l10n';
import type { JSX } from 'preact';
import type { CallRow, DefinitionCost, RunSummary, SavingsReport } from '../lsp_ext';
import { groupName, statusName } from './bars';
import { tokensOf } from './figures';
import { Bar, Foreign, Section, Table, Way, type Look } from './parts';

/** Definitions and results that are listed; a report may hold more. */
const DEAREST = 10;

/** Runs, each a way to its calls. */
export function Runs(props: {
  readonly title: string;
  readonly runs: readonly RunSummary[];
  readonly look: Look;
}): JSX.Element | null {
  const { numbers, state, store } = props.look;
  if (props.runs.length === 0) {
    return null;
  }
  const saved = ({ run_id: run, tokens }: RunSummary): JSX.Element | string => {
    const sum = tokens && tokensOf(tokens, state.view.baseline);
    return sum ? (
      <span class={sum.outcome}>
        <Way
          text={numbers.whole(sum.saved)}
          hint={l10n.t('Explain this figure')}
          go={() => {
            store.go({ run, why: true }, 'step');
          }}
        />
      </span>
    ) : (
      l10n.t('not counted yet')
    );
  };
  return (
    <Section title={props.title} wide>
      <Table
        caption={props.title}
        rows={props.runs}
        keyOf={({ run_id }) => run_id}
        columns={[
          { name: l10n.t('Program'), cell: (run) => <RunWay run={run} look={props.look} /> },
          { name: l10n.t('Ended'), cell: ({ status }) => <Ended status={status} /> },
          { name: l10n.t('Submitted'), kind: 'short', room: 'extra', cell: ({ at_ms }) => numbers.moment(at_ms) },
          { name: l10n.t('Front'), kind: 'short', room: 'extra', cell: ({ front }) => groupName('front', front) },
          { name: l10n.t('Calls'), kind: 'number', cell: ({ calls }) => numbers.whole(calls) },
          { name: l10n.t('Time'), kind: 'number', room: 'minor', cell: ({ wall_ms }) => numbers.duration(wall_ms) },
          { name: l10n.t('Saved'), kind: 'number', cell: saved },
        ]}
      />
    </Section>
  );
}

function RunWay({ run, look }: { readonly run: RunSummary; readonly look: Look }): JSX.Element {
  return (
    <Way
      text={run.label}
      hint={l10n.t('Show its calls')}
      go={() => {
        look.store.go({ run: run.run_id, why: undefined }, 'step');
      }}
    />
  );
}

/** How a run or a call ended, never by colour alone. */
export function Ended({ status }: { readonly status: string }): JSX.Element {
  return (
    <span class={status === 'ok' ? '' : 'bad'}>
      {status === 'ok' ? null : <span aria-hidden="true">▲ </span>}
      {statusName(status)}
    </span>
  );
}

/** The definitions that cost a prompt most. */
export function Definitions({
  rows,
  look,
}: {
  readonly rows: readonly DefinitionCost[];
  readonly look: Look;
}): JSX.Element | null {
  const { numbers } = look;
  if (rows.length === 0) {
    return null;
  }
  const longest = Math.max(1, ...rows.map(({ tokens }) => tokens));
  return (
    <Section title={l10n.t('Most expensive definitions')} note={l10n.t('Tokens in each prompt that holds them')}>
      <Table
        caption={l10n.t('Most expensive definitions')}
        rows={rows.slice(0, DEAREST)}
        keyOf={({ server, tool }) => `${server}\n${tool}`}
        columns={[
          { name: l10n.t('Tool'), cell: ({ server, tool }) => <Foreign text={`${server}.${tool}`} /> },
          { name: '', kind: 'bar', cell: ({ tokens }) => <Bar length={tokens / longest} look="definition" /> },
          { name: l10n.t('Tokens'), kind: 'number', cell: ({ tokens }) => numbers.whole(tokens) },
          { name: l10n.t('Calls'), kind: 'number', cell: ({ calls }) => numbers.whole(calls) },
        ]}
      />
    </Section>
  );
}

/** The largest answers. */
export function Results({
  rows,
  look,
}: {
  readonly rows: readonly CallRow[];
  readonly look: Look;
}): JSX.Element | null {
  const { numbers, store } = look;
  if (rows.length === 0) {
    return null;
  }
  const longest = Math.max(1, ...rows.map(({ result_tokens }) => result_tokens));
  const name = ({ run_id: run, server, tool }: CallRow): JSX.Element =>
    run === undefined ? (
      <Foreign text={`${server}.${tool}`} />
    ) : (
      <Way
        text={`${server}.${tool}`}
        hint={l10n.t('Show its run')}
        go={() => {
          store.go({ run, why: undefined }, 'step');
        }}
      />
    );
  return (
    <Section title={l10n.t('Largest results')} note={l10n.t('Tokens of answers, kept out of the context')}>
      <Table
        caption={l10n.t('Largest results')}
        rows={rows.slice(0, DEAREST)}
        keyOf={(row, index) => `${row.run_id ?? ''} ${index}`}
        columns={[
          { name: l10n.t('Call'), cell: name },
          { name: '', kind: 'bar', cell: (row) => <Bar length={row.result_tokens / longest} look="kept" /> },
          { name: l10n.t('Tokens'), kind: 'number', cell: (row) => numbers.whole(row.result_tokens) },
          { name: l10n.t('Size'), kind: 'number', room: 'minor', cell: (row) => numbers.bytes(row.result_bytes) },
        ]}
      />
    </Section>
  );
}

/** The run of an id among those that a report lists. */
export function listed({ runs, failed }: SavingsReport, id: string): RunSummary | undefined {
  return [...runs, ...failed].find(({ run_id }) => run_id === id);
}
