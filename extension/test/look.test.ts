import assert from 'node:assert/strict';
import test from 'node:test';
import type { DaemonState } from '../src/client';
import type { SavingsSummary } from '../src/lsp_ext';
import { look } from '../src/look';
import { report, savings } from './samples';

const READY: DaemonState = { kind: 'ready', mcp: { url: 'http://127.0.0.1:1/mcp', token: 't', version: '1' } };

function text(state: DaemonState, summary?: SavingsSummary): string {
  return look(state, summary).text;
}

test('the bar shows what the workspace saved, and a spinner while something runs', () => {
  assert.equal(text(READY, savings({ saved: 41_234, saved_percent: 87.4 })), '$(zap) 41.2k tokens saved · 87 %');
  const busy = look(READY, savings({ saved: 41_234, saved_percent: 87.4 }), { running: 2, waiting: 0 });
  assert.equal(busy.text, '$(loading~spin) 2 41.2k tokens saved · 87 %');
});

test('a question that waits stands before everything else and leads to itself', () => {
  const asking = look(READY, savings({}), { running: 1, waiting: 2 });
  assert.deepEqual(
    [asking.text, asking.tone, asking.command],
    ['$(question) TTA: 2 questions', 'warning', 'notifications.showList'],
  );
});

test('a loss is shown as one, in the warning colour', () => {
  const loss = look(READY, savings({ saved: -1_234, saved_percent: -12.1 }));
  assert.deepEqual([loss.text, loss.tone], ['$(zap) −1.2k tokens saved · −12 %', 'warning']);
});

test('with a problem of the ledger no figure stands there as if nothing were wrong', () => {
  const problem = 'the ledger /d/ledger.db was *damaged*; it is kept as /d/ledger.db.corrupt-1';
  const now = look(READY, { ...savings({ saved: 41_234, saved_percent: 87.4 }), problem });
  assert.deepEqual([now.text, now.tone, now.command], ['$(warning) TTA: ledger problem', 'warning', 'tta.doctor']);
  assert.match(now.tooltip, /corrupt\\-1/);
  assert.doesNotMatch(now.tooltip, /was \*damaged\*/, 'what others wrote is no markup');
  assert.match(now.tooltip, /\*\*total\*\*/, 'the figures are there for who looks');
});

test('before the first run there is nothing to claim', () => {
  assert.equal(text(READY), '$(zap) TTA: ready');
  assert.equal(
    text(READY, { ...savings({}), workspace: { runs: 0, calls: 0, tokens: report({}) } }),
    '$(zap) TTA: ready',
  );
});

test('every other state names itself and leads to what helps', () => {
  const states: DaemonState[] = [
    { kind: 'restricted' },
    { kind: 'starting' },
    { kind: 'restarting' },
    { kind: 'stopped', why: 'It crashed.' },
  ];
  assert.deepEqual(
    states.map((state) => look(state, undefined)).map(({ text, tone, command }) => [text, tone, command]),
    [
      ['$(workspace-untrusted) TTA: restricted', 'plain', 'workbench.trust.manage'],
      ['$(loading~spin) TTA: starting', 'plain', 'tta.showDashboard'],
      ['$(loading~spin) TTA: restarting', 'warning', 'tta.openLog'],
      ['$(error) TTA: stopped', 'error', 'tta.restartDaemon'],
    ],
  );
  assert.match(look({ kind: 'stopped', why: 'It crashed.' }, undefined).tooltip, /^It crashed\./);
});

test('the tooltip holds every baseline, every label, and what is not counted yet', () => {
  const { tooltip } = look(READY, { ...savings({ saved: 900, saved_percent: 90 }), pending: 3 });
  assert.match(tooltip, /\| \*\*total\*\* \| \*\*100\*\* \| \*\*1,000\*\* \| \*\*2,000\*\* \| \*\*500\*\* \|/);
  assert.match(tooltip, /\| saved \| {2}\| 900 \(90 %\) \| 1,900 \(95 %\) \| 400 \(80 %\) \|/);
  assert.match(tooltip, /- results: measured/);
  assert.match(tooltip, /3 runs are not counted yet/);
});
