/** The whole page, for every state: loading, empty, failed, stale, and the figures. */

import * as l10n from '@vscode/l10n';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { ledgerText } from '../ledger_text';
import type { RunSummary, SavingsReport } from '../lsp_ext';
import { AdviceList } from './advice';
import { Breakdowns } from './breakdowns';
import { Controls, Crumbs } from './controls';
import { headlineCertainty, savedWords, tokensOf } from './figures';
import { Hero, Tiles, WithoutProgram } from './headline';
import { Definitions, listed, Results, Runs } from './lists';
import { OverTime } from './over_time';
import { Foreign, Later, type Look } from './parts';
import { RunPage } from './run_page';
import { narrowings } from './view';

/** Everything. */
export function App({ look }: { readonly look: Look }): JSX.Element {
  const { state } = look;
  const { report, view } = state;
  const run = openRun(look);
  const crumb = view.run === undefined ? undefined : (run?.label ?? view.run);
  return (
    <div class="page">
      <header>
        <h1>{l10n.t('What programs saved')}</h1>
        {report === undefined || report.workspace === '' ? null : (
          <p class="workspace">
            <Foreign text={report.workspace} />
          </p>
        )}
        {report === undefined ? null : <Span report={report} look={look} />}
        <Fresh look={look} />
      </header>
      <Controls look={look} />
      <Crumbs look={look} run={crumb} />
      <main aria-busy={state.busy}>
        <Place look={look} crumb={crumb} />
        <Notices look={look} />
        <Content look={look} />
      </main>
      {report === undefined || report.total.runs === 0 ? null : <Foot report={report} look={look} />}
    </div>
  );
}

function Content({ look }: { readonly look: Look }): JSX.Element {
  const { report, failure, view } = look.state;
  if (report === undefined) {
    return failure === undefined ? <p class="plain">{l10n.t('Reading the ledger …')}</p> : <></>;
  }
  if (view.run !== undefined) {
    return (
      <div class="grid">
        <RunPage id={view.run} run={openRun(look)} look={look} />
      </div>
    );
  }
  if (report.total.runs === 0) {
    return <Empty report={report} look={look} />;
  }
  const narrowed = narrowings(view.only).length > 0;
  const runs = (
    <>
      <Runs title={l10n.t('Last runs')} runs={report.runs} look={look} />
      <Runs title={l10n.t('Runs that did not end well')} runs={report.failed} look={look} />
    </>
  );
  return (
    <div class="grid">
      <Hero
        tokens={report.total.tokens}
        known={headlineCertainty(report.total)}
        before={report.before}
        dollars={report.total.dollars}
        look={look}
      />
      <Tiles total={report.total} look={look} />
      <OverTime report={report} look={look} />
      {narrowed ? runs : null}
      <Later>
        <AdviceList rows={report.advice} look={look} />
        <div class="cards">
          <Breakdowns report={report} look={look} />
          <Definitions rows={report.definitions} look={look} />
          <Results rows={report.results} look={look} />
        </div>
        {narrowed ? null : runs}
      </Later>
    </div>
  );
}

/** The name of the place, which takes the focus when one went further down or up; and what is said aloud then. */
function Place({ look, crumb }: { readonly look: Look; readonly crumb: string | undefined }): JSX.Element {
  const { view, report, busy } = look.state;
  const heading = useRef<HTMLHeadingElement>(null);
  const key = JSON.stringify([view.only, view.run]);
  const shown = useRef(key);
  useEffect(() => {
    if (shown.current !== key) {
      shown.current = key;
      heading.current?.focus();
    }
  }, [key]);
  const name = crumb ?? narrowings(view.only).at(-1)?.[1];
  const sum = report && tokensOf(report.total.tokens, view.baseline);
  const said = busy || sum === undefined ? '' : `${look.numbers.whole(Math.abs(sum.saved))} ${savedWords(sum.outcome)}`;
  return (
    <>
      <h2 class={name === undefined ? 'unseen' : 'place'} tabIndex={-1} ref={heading}>
        {name === undefined ? l10n.t('All runs') : <Foreign text={name} />}
      </h2>
      <p class="unseen" role="status">
        {view.run === undefined ? said : ''}
      </p>
    </>
  );
}

/** The run that is open: a report lists only the last ones, an explanation knows the others. */
function openRun({ state: { view, report, explained } }: Look): RunSummary | undefined {
  if (view.run === undefined || report === undefined) {
    return undefined;
  }
  return listed(report, view.run) ?? (explained?.run.run_id === view.run ? explained.run : undefined);
}

/** Whether what is seen is what is. */
function Fresh({ look: { state, store, numbers } }: { readonly look: Look }): JSX.Element | null {
  const { report, connected, freshMs } = state;
  if (report === undefined) {
    return null;
  }
  if (!store.home.asks) {
    return <p class="fresh">{l10n.t('As of {0}', numbers.moment(report.at_ms))}</p>;
  }
  return (
    <p class={connected ? 'fresh live' : 'fresh stale'}>
      <span class="dot" aria-hidden="true" />
      {connected ? l10n.t('Live') : l10n.t('As of {0}', numbers.clock(freshMs))}
    </p>
  );
}

function Notices({ look: { state, store, numbers } }: { readonly look: Look }): JSX.Element {
  const { report, failure, connected } = state;
  const retry = (
    <button
      type="button"
      onClick={() => {
        store.retry();
      }}
    >
      {l10n.t('Try again')}
    </button>
  );
  return (
    <>
      {failure === undefined ? null : (
        <div class="notice bad" role="alert">
          <p>
            <strong>{report === undefined ? l10n.t('There is no report.') : l10n.t('These figures are older.')}</strong>{' '}
            {failure.message} {failure.locked ? l10n.t('Open the address that `tta dashboard` prints.') : ''}
          </p>
          {retry}
        </div>
      )}
      {connected || report === undefined || failure !== undefined ? null : (
        <div class="notice" role="status">
          <p>{l10n.t('The daemon is gone: the figures stay as they were. They go on when it is back.')}</p>
          {retry}
        </div>
      )}
      {report !== undefined && report.pending > 0 ? (
        <p class="plain note">{l10n.t('{0} runs are not counted yet.', numbers.whole(report.pending))}</p>
      ) : null}
      {report?.problem === undefined ? null : (
        <div class="notice bad" role="alert">
          <p>
            <strong>{l10n.t('These figures may be too small:')}</strong> <bdi>{ledgerText(report.problem, 500)}</bdi>
          </p>
        </div>
      )}
    </>
  );
}

function Empty({ report, look }: { readonly report: SavingsReport; readonly look: Look }): JSX.Element {
  const { state, store } = look;
  const { view } = state;
  const whole = view.range === 'all' && narrowings(view.only).length === 0;
  return (
    <div class="empty card">
      <h2>{whole ? l10n.t('No program has run in this workspace yet') : l10n.t('No run in this period')}</h2>
      <p>{l10n.t('Run one, and what it saved or lost is counted here:')}</p>
      <p>
        <code>tta run -e "1 + 1"</code>
      </p>
      <WithoutProgram total={report.total} look={look} />
      {whole || !store.home.asks || report.pending > 0 ? null : (
        <button
          type="button"
          onClick={() => {
            store.go({ range: 'all', only: {} }, 'step');
          }}
        >
          {l10n.t('Show all time')}
        </button>
      )}
    </div>
  );
}

/** The period, made definite: as far as it has passed. None where nothing was counted yet. */
function Span(props: { readonly report: SavingsReport; readonly look: Look }): JSX.Element | null {
  const { total, at_ms: nowMs } = props.report;
  const { numbers } = props.look;
  const { since_ms: since, until_ms: until } = total;
  if (since >= until) {
    return null;
  }
  const passed = since < nowMs ? Math.min(until, nowMs) : until;
  return <p class="note">{l10n.t('{0} to {1}', numbers.moment(since), numbers.moment(passed))}</p>;
}

function Foot({ report, look }: { readonly report: SavingsReport; readonly look: Look }): JSX.Element {
  return (
    <footer>
      <WithoutProgram total={report.total} look={look} />
      <p class="note">{l10n.t('Tokens are counted with {0}.', report.total.tokens.encoding)}</p>
    </footer>
  );
}
