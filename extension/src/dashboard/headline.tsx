/** The first that is seen: what was saved or lost, both sides, how that was computed, and the figures beside it. */

import * as l10n from '@vscode/l10n';
import type { JSX } from 'preact';
import type { Dollars, PeriodTotals, TokenReport } from '../lsp_ext';
import {
  baselineMeaning,
  certainty,
  change,
  dollarsOf,
  headlineSum,
  outcomeWord,
  savedWords,
  sideRows,
  tokensOf,
  turnsOf,
  type Certainty,
  type Compared,
} from './figures';
import type { Numbers } from './numbers';
import { Bar, Chip, Table, Tile, Unfold, type Look } from './parts';
import type { Baseline } from './view';

/** The comparison in tokens, of a period or of a run. */
export function Hero(props: {
  readonly tokens: TokenReport;
  readonly known: Certainty;
  readonly look: Look;
  readonly before?: PeriodTotals | undefined;
  readonly dollars?: Dollars | undefined;
}): JSX.Element {
  const { tokens, known, before } = props;
  const { numbers, state } = props.look;
  const { baseline } = state.view;
  const sum = tokensOf(tokens, baseline);
  return (
    <section class="hero card wide" aria-labelledby="saved">
      <div class="verdict">
        <h2 id="saved" class={sum.outcome}>
          <span class="big">
            {sum.outcome === 'cost' ? <span aria-hidden="true">▲ </span> : null}
            {numbers.whole(Math.abs(sum.saved))}
          </span>{' '}
          {savedWords(sum.outcome)}
        </h2>
        <p class="share">
          {sum.percent === undefined ? null : <strong class={sum.outcome}>{shareWords(sum, numbers)}</strong>}{' '}
          <Chip certainty={known} />
        </p>
        {before === undefined ? null : <Before sum={sum} before={before} look={props.look} />}
        <p class="note paper">
          {l10n.t('Compared with')}: {baselineMeaning(baseline)}
        </p>
      </div>
      <Sides sum={sum} numbers={numbers} />
      <Unfold title={l10n.t('How was this computed?')}>
        <Computed tokens={tokens} dollars={props.dollars} baseline={baseline} numbers={numbers} />
      </Unfold>
    </section>
  );
}

function shareWords({ percent = 0, outcome }: Compared, numbers: Numbers): string {
  const size = numbers.percent(Math.abs(percent));
  return outcome === 'cost' ? l10n.t('{0} more', size) : l10n.t('{0} less', size);
}

function Before(props: { readonly sum: Compared; readonly before: PeriodTotals; readonly look: Look }): JSX.Element {
  const { numbers, state } = props.look;
  const then = tokensOf(props.before.tokens, state.view.baseline);
  const percent = change(props.sum.saved, then.saved);
  const words =
    props.before.runs === 0 || percent === undefined
      ? l10n.t('Nothing was counted in the period before.')
      : percent < 0
        ? l10n.t('{0} less than in the period before ({1})', numbers.percent(-percent), numbers.whole(then.saved))
        : l10n.t('{0} more than in the period before ({1})', numbers.percent(percent), numbers.whole(then.saved));
  return <p class="note">{words}</p>;
}

/** Both sides as bars with their figures. */
function Sides({ sum, numbers }: { readonly sum: Compared; readonly numbers: Numbers }): JSX.Element {
  const longest = Math.max(1, sum.direct, sum.program);
  const rows = [
    { name: l10n.t('Direct calls'), tokens: sum.direct, look: 'direct' },
    { name: l10n.t('Programs'), tokens: sum.program, look: 'program' },
  ];
  return (
    <div class="sides">
      <Table
        caption={l10n.t('Tokens of both sides')}
        rows={rows}
        keyOf={({ look }) => look}
        columns={[
          { name: l10n.t('Side'), cell: ({ name }) => name },
          { name: '', kind: 'bar', cell: ({ tokens, look }) => <Bar length={tokens / longest} look={look} /> },
          { name: l10n.t('Tokens'), kind: 'number', cell: ({ tokens }) => numbers.whole(tokens) },
        ]}
      />
    </div>
  );
}

/** Every figure of both sides, the sum of the headline, and what each rests on. */
function Computed(props: {
  readonly tokens: TokenReport;
  readonly dollars: Dollars | undefined;
  readonly baseline: Baseline;
  readonly numbers: Numbers;
}): JSX.Element {
  const { tokens, dollars, baseline, numbers } = props;
  return (
    <div class="how">
      <p>{baselineMeaning(baseline)}</p>
      <p>
        <code>{headlineSum(tokensOf(tokens, baseline), numbers)}</code>
      </p>
      <Table
        caption={l10n.t('Both sides, figure by figure')}
        rows={sideRows(tokens, baseline)}
        keyOf={({ name }) => name}
        rowClass={({ sum }) => (sum ? 'sum' : '')}
        columns={[
          { name: l10n.t('Tokens'), cell: ({ name }) => name },
          { name: l10n.t('Programs'), kind: 'number', cell: ({ program }) => numbers.whole(program) },
          { name: l10n.t('Direct calls'), kind: 'number', cell: ({ direct }) => numbers.whole(direct) },
          { name: l10n.t('Known'), room: 'minor', cell: (row) => <Chip certainty={row.certainty} /> },
        ]}
      />
      <dl class="labels">
        {Object.entries({ ...tokens.labels, ...dollars?.labels }).map(([figure, label]) => (
          <div key={figure}>
            <dt>{figure}</dt>
            <dd>{label}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}

/** Calls of tools that models are offered beside our own, and those made by hand: nothing of them is saved. */
export function WithoutProgram(props: { readonly total: PeriodTotals; readonly look: Look }): JSX.Element | null {
  const { direct_calls: calls = 0, direct_tokens: tokens = 0 } = props.total.asides ?? {};
  const { numbers } = props.look;
  if (calls === 0) {
    return null;
  }
  const words =
    calls === 1
      ? l10n.t('1 call was made without a program, with {0} tokens. It is in no other figure.', numbers.whole(tokens))
      : l10n.t(
          '{0} calls were made without a program, with {1} tokens. They are in no other figure.',
          numbers.whole(calls),
          numbers.whole(tokens),
        );
  return <p class="note">{words}</p>;
}

/** The other figures of a period. */
export function Tiles({ total, look }: { readonly total: PeriodTotals; readonly look: Look }): JSX.Element {
  const { numbers, state } = look;
  const { before } = state.report ?? {};
  const turns = turnsOf(total.tokens, state.view.baseline);
  const ms = (value: number): string => numbers.duration(value);
  const than = (now: number, then: number | undefined): string =>
    then === undefined ? '' : ` · ${l10n.t('{0} against the period before', numbers.signed(now - then))}`;
  return (
    <dl class="tiles">
      <Money total={total} look={look} />
      <Tile name={l10n.t('Model turns')} value={numbers.whole(Math.abs(turns.saved))} look={turns.outcome}>
        {outcomeWord(turns.outcome)} ·{' '}
        {l10n.t('{0} instead of {1}', numbers.whole(turns.program), numbers.whole(turns.direct))}
      </Tile>
      <Tile name={l10n.t('Kept out of the context')} value={numbers.whole(total.result_tokens)}>
        {l10n.t('tokens of answers that only programs read')}
      </Tile>
      <Tile name={l10n.t('Runs')} value={numbers.whole(total.runs)}>
        {total.failed_runs > 0 ? (
          <span class="bad">{l10n.t('{0} did not end well', numbers.whole(total.failed_runs))}</span>
        ) : (
          l10n.t('all ended well')
        )}
        {than(total.runs, before?.runs)}
      </Tile>
      <Tile name={l10n.t('Calls')} value={numbers.whole(total.calls)}>
        {l10n.t('{0} failed', numbers.whole(total.failed_calls))} ·{' '}
        {l10n.t('{0} a run', perRun(total.calls, total.runs, numbers))}
      </Tile>
      <Tile name={l10n.t('Answered by the cache')} value={numbers.whole(total.cached_calls)}>
        {l10n.t('calls, {0} tokens not sent again', numbers.whole(total.cached_tokens))}
      </Tile>
      <Tile name={l10n.t('Time of a run')} value={ms(total.run_ms.p50)}>
        {l10n.t('median; one in ten over {0}, one in a hundred over {1}', ms(total.run_ms.p90), ms(total.run_ms.p99))}
      </Tile>
      <Tile name={l10n.t('Time of a call')} value={ms(total.call_ms.p50)}>
        {l10n.t('median; one in ten over {0}, one in a hundred over {1}', ms(total.call_ms.p90), ms(total.call_ms.p99))}
      </Tile>
    </dl>
  );
}

function perRun(calls: number, runs: number, numbers: Numbers): string {
  const each = runs === 0 ? 0 : calls / runs;
  return each < 10 ? numbers.decimal(each) : numbers.whole(each);
}

function Money({ total, look }: { readonly total: PeriodTotals; readonly look: Look }): JSX.Element {
  const { numbers, state } = look;
  const { dollars } = total;
  if (dollars === undefined) {
    return (
      <Tile name={l10n.t('Dollars')} value="—">
        {state.view.model === undefined
          ? l10n.t('Choose a model to see its prices.')
          : l10n.t('No price is known for this model.')}
      </Tile>
    );
  }
  const [cached, uncached] = (['cached', 'uncached'] as const).map((billing) =>
    dollarsOf(dollars, state.view.baseline, billing),
  ) as [Compared, Compared];
  const { model, date, source } = dollars.price;
  return (
    <Tile name={l10n.t('Dollars')} value={numbers.dollars(Math.abs(cached.saved))} look={cached.outcome}>
      {outcomeWord(cached.outcome)}
      {', '}
      {l10n.t('with prompt caching; {0} without', moneyWords(uncached, numbers))}{' '}
      <Chip certainty={certainty(dollars.labels, 'dollars', 'cached', baselineLabel(state.view.baseline))} />
      <br />
      {l10n.t('{0}, prices of {1} from {2}', model, date, source)}
    </Tile>
  );
}

function moneyWords({ saved, outcome }: Compared, numbers: Numbers): string {
  const size = numbers.dollars(Math.abs(saved));
  return outcome === 'cost' ? l10n.t('{0} more', size) : size;
}

function baselineLabel(baseline: Baseline): string {
  return `dollars.${baseline}`;
}
