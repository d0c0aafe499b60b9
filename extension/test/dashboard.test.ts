import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { callBars, groupName, runBars, statusName } from '../src/dashboard/bars';
import {
  certainty,
  change,
  compared,
  dollarsOf,
  headlineSum,
  savedWords,
  sideRows,
  tokensOf,
  turnsOf,
} from '../src/dashboard/figures';
import { Numbers } from '../src/dashboard/numbers';
import { DAY_MS, endOf, stepsOf } from '../src/dashboard/steps';
import { FIRST, fromFragment, toFragment, toQuery, toRequest, type View } from '../src/dashboard/view';
import type { CallGroup, RunGroup, SavingsReport, SeriesStep } from '../src/lsp_ext';
import { report } from './samples';

const numbers = new Numbers('en-US', 'UTC');
const HOUR_MS = 3_600_000;

test('what is looked at survives as a fragment, and what a fragment says wrongly is left out', () => {
  const view: View = {
    range: 'custom',
    sinceMs: 5,
    untilMs: 9,
    baseline: 'all_servers',
    only: { server: 'a&b=c#d', tag: 'team=x', status: 'error' },
    model: 'gpt-5',
    run: '0f3a',
  };
  assert.deepEqual(fromFragment(`#${toFragment(view)}`), view);
  assert.equal(toFragment(FIRST), '');
  const wrong = fromFragment('#range=century&baseline=none&status=lost&since=-1&until=soon&constructor=1');
  assert.deepEqual(wrong, { ...FIRST, sinceMs: undefined, untilMs: undefined, model: undefined, run: undefined });
});

test('a view asks for its period, and for the one before only where it has a begin', () => {
  const now = 1_000 * DAY_MS;
  assert.deepEqual(toRequest({ ...FIRST, range: 'day' }, now), {
    since_ms: 999 * DAY_MS,
    compare: true,
    only: {},
    top: 20,
  });
  assert.deepEqual(toRequest({ ...FIRST, range: 'all' }, now), { compare: false, only: {}, top: 20 });
  const own = toRequest({ ...FIRST, range: 'custom', untilMs: 7, only: { server: 'fs' }, model: 'm' }, now);
  assert.deepEqual(own, { until_ms: 7, compare: false, only: { server: 'fs' }, model: 'm', top: 20 });
  assert.equal(toQuery(own), 'until_ms=7&compare=false&model=m&top=20&server=fs');
});

test('a loss is a loss in sign, word and look, under the baseline that is chosen', () => {
  const tokens = report({ direct: { ...report({}).direct } });
  assert.deepEqual(tokensOf(tokens, 'deferred'), {
    direct: 1_000,
    program: 100,
    saved: 900,
    outcome: 'saved',
    percent: 90,
  });
  assert.equal(tokensOf(tokens, 'needed_servers').saved, 400);
  assert.equal(tokensOf(tokens, 'all_servers').saved, 1_900);
  const loss = compared(100, 342);
  assert.deepEqual(
    [loss.outcome, loss.percent, savedWords(loss.outcome)],
    ['cost', -242, 'tokens more than direct calls'],
  );
  assert.equal(headlineSum(loss, numbers), '100 by direct calls − 342 by programs = −242');
  assert.equal(compared(0, 0).percent, undefined);
  assert.deepEqual([change(3, 2), change(-1, -2), change(1, 0)], [50, 50, undefined]);
});

test('turns and dollars are those of the chosen baseline', () => {
  const turns = report({});
  assert.equal(turnsOf(turns, 'deferred').saved, turns.direct.deferred.turns - turns.code_mode.turns);
  const cost = (uncached: number, cached: number): { uncached: number; cached: number } => ({ uncached, cached });
  const dollars = {
    price: { model: 'm', input: 1, output: 1, cache_read: 1, cache_write: 1, date: '2026-01-01', source: 's' },
    code_mode: cost(2, 1.5),
    deferred: cost(3, 1),
    all_servers: cost(9, 4),
    needed_servers: cost(5, 2),
    labels: {},
  };
  assert.equal(dollarsOf(dollars, 'deferred', 'uncached').saved, 1);
  assert.equal(dollarsOf(dollars, 'deferred', 'cached').outcome, 'cost');
  assert.equal(dollarsOf(dollars, 'all_servers', 'cached').saved, 2.5);
});

test('a figure is known as well as the worst of what it is made of', () => {
  const labels = {
    'code_mode.results': 'measured, what the model saw',
    'direct.results': 'estimated: too long',
    'code_mode.output': 'measured, the program',
    'direct.deferred': 'computed; of 3 tools',
  };
  assert.equal(certainty(labels, 'code_mode.results', 'direct.results'), 'estimated');
  assert.equal(certainty(labels, 'code_mode.output'), 'measured');
  assert.equal(certainty(labels, 'nothing'), 'computed');
  const rows = sideRows(report({ labels }), 'deferred');
  assert.deepEqual(
    rows.map((row) => [row.name, row.certainty, row.sum]),
    [
      ['Tool definitions', 'computed', false],
      ['Written by the model', 'measured', false],
      ['Results in the context', 'estimated', false],
      ['Billed over all turns', 'computed', true],
      ['Model turns', 'computed', false],
      ['Largest context', 'computed', false],
    ],
  );
});

function series(stepMs: number, days: number, steps: readonly [number, number, number][]): SavingsReport {
  const begin = Date.UTC(2026, 0, 5);
  const step = ([index, direct, program]: readonly [number, number, number]): SeriesStep => ({
    at_ms: begin + index * stepMs,
    runs: 1,
    failed_runs: 0,
    calls: 2,
    code_mode: program,
    deferred: direct,
    all_servers: 3 * direct,
    needed_servers: 2 * direct,
  });
  const total = { since_ms: begin, until_ms: begin + days * DAY_MS };
  return { step_ms: stepMs, series: steps.map(step), total } as unknown as SavingsReport;
}

test('every step of a period stands in the chart, in its place', () => {
  const steps = stepsOf(series(HOUR_MS, 1, [[2, 10, 1], [5, 20, 30]]), 'needed_servers'); // prettier-ignore
  assert.equal(steps.atMs.length, 24);
  assert.deepEqual([steps.direct[2], steps.program[5], steps.direct[3], steps.runs[5]], [20, 30, 0, 1]);
  assert.equal(endOf(steps, 2), (steps.atMs[2] ?? 0) + HOUR_MS);
  assert.deepEqual(stepsOf(series(HOUR_MS, 1, []), 'deferred').atMs, []);
});

test('hours of several days are summed up to days, and days of the ledger stay those of UTC', () => {
  const hours = series(HOUR_MS, 7, [[1, 10, 1], [2, 20, 2], [100, 5, 5]]); // prettier-ignore
  const steps = stepsOf(hours, 'deferred');
  assert.equal(steps.stepMs, DAY_MS);
  assert.ok(steps.atMs.length >= 7 && steps.atMs.length <= 8);
  assert.equal(steps.utc, false);
  const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
  assert.deepEqual([sum(steps.direct), sum(steps.program), sum(steps.runs)], [35, 8, 3]);
  const days = stepsOf(series(DAY_MS, 30, [[0, 10, 1], [29, 1, 1]]), 'deferred'); // prettier-ignore
  assert.deepEqual([days.utc, days.atMs.length, days.direct[29]], [true, 30, 1]);
  const many = stepsOf(series(DAY_MS, 4_000, [[0, 10, 1], [3_999, 1, 1]]), 'deferred'); // prettier-ignore
  assert.equal(many.atMs.length, 2, 'of too long a period the gaps are left out');
});

test('bars are shares of the longest, and lead to what they stand for', () => {
  const call = (server: string, result_tokens: number, tool?: string): CallGroup =>
    ({ server, result_tokens, ...(tool === undefined ? {} : { tool }) }) as CallGroup;
  const [fs, read] = callBars([call('fs', 400), call('fs', 100, 'read')], { language: 'python' });
  assert.deepEqual([fs?.name, fs?.length, fs?.only], ['fs', 1, { language: 'python', server: 'fs' }]);
  assert.deepEqual([read?.name, read?.length, read?.only.tool], ['fs.read', 0.25, 'read']);
  const run = (key: string, direct: number, program: number): RunGroup =>
    ({ key, deferred: direct, code_mode: program }) as RunGroup;
  const groups = [run('python', 100, 10), run('typescript', 0, 200)];
  const [python, typescript] = runBars(groups, 'language', { only: {}, baseline: 'deferred' });
  assert.deepEqual([python?.name, python?.direct, python?.program], ['Python', 0.5, 0.05]);
  assert.deepEqual([typescript?.tokens.outcome, typescript?.program], ['cost', 1]);
  assert.deepEqual(python?.only, { language: 'python' });
});

test('words of others are shown as they are, our own are said', () => {
  assert.equal(groupName('front', 'mcp'), 'MCP client');
  assert.equal(groupName('front', 'constructor'), 'constructor');
  assert.equal(groupName('tag', 'team=<b>'), 'team=<b>');
  assert.equal(statusName('limit'), 'ended by a limit');
  assert.equal(statusName('toString'), 'toString');
});

test('numbers keep what matters, in the words of a locale', () => {
  assert.deepEqual(
    [numbers.whole(-1_234.4), numbers.signed(5), numbers.percent(99.98), numbers.percent(-0.25), numbers.percent(41.9)],
    ['−1,234', '+5', '99.9%', '−0.2%', '41%'],
  );
  assert.deepEqual(
    [numbers.dollars(12.5), numbers.dollars(-0.00123), numbers.dollars(0)],
    ['$12.50', '−$0.0012', '$0.00'],
  );
  assert.deepEqual(
    [numbers.duration(0.94), numbers.duration(41.2), numbers.duration(1_250), numbers.duration(180_000)],
    ['0.9 ms', '41 ms', '1.3 sec', '3 min'],
  );
  assert.deepEqual([numbers.bytes(950), numbers.bytes(1_250_000)], ['950 B', '1.3 MB']);
  assert.equal(new Numbers('de-DE').whole(1_234_567), '1.234.567');
  assert.equal(numbers.step(0, { stepMs: DAY_MS, utc: true }), 'Jan 1, 1970');
  assert.deepEqual([numbers.day(0, true), numbers.hour(0), numbers.decimal(4.25)], ['Jan 1', '12:00 AM', '4.3']);
});

test('the page allows its own script and style alone, and has a place for data', () => {
  const page = readFileSync('../server/mcp/assets/dashboard.html', 'utf8');
  const [, policy = ''] = /Content-Security-Policy" content="([^"]*)"/.exec(page) ?? [];
  assert.match(policy, /^default-src 'none'; script-src 'sha256-[^']+'; style-src 'sha256-[^']+'; connect-src 'self';/);
  assert.doesNotMatch(page, /<[^>]+ (style|on[a-z]+|src|href)=|https?:\/\/(?!www\.w3\.org)/);
  assert.ok(page.includes('<script type="application/json" id="data"></script>'));
});
