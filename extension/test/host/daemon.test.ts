import assert from 'node:assert/strict';
import test from 'node:test';
import * as vscode from 'vscode';
import { file, ledger, newRun, recorded, run, savings, until } from './host';

test('daemon: the savings are the sums of the ledger', async () => {
  const { workspace } = await until('every run to be counted', async () => {
    const now = await savings();
    return now.pending === 0 && now;
  });
  const [sums] = ledger<{ runs: number; calls: number }>('SELECT COUNT(*) runs, SUM(calls) calls FROM runs');
  const [program, deferred] = ledger<{ total: number }>('SELECT SUM(total) total FROM sides GROUP BY side');
  const { code_mode, direct, saved } = workspace.tokens;
  assert.ok(sums && program && deferred && sums.runs > 5 && program.total > 0);
  assert.deepEqual([workspace.runs, workspace.calls], [sums.runs, sums.calls]);
  assert.deepEqual([code_mode.total, direct.deferred.total], [program.total, deferred.total]);
  assert.equal(saved, deferred.total - program.total);
});

test('daemon: Restart Daemon starts another one, which keeps the ledger and runs the next program', async () => {
  const before = recorded().length;
  await run('tta.restartDaemon');
  const { session, workspace } = await savings();
  assert.deepEqual([session.runs, workspace.runs], [0, before]);
  await file('after.js', 'export default 6 * 7;');
  assert.equal((await newRun(() => run('tta.runFile'))).status, 'ok');
  assert.equal((await savings()).session.runs, 1);
});

test('daemon: a changed limit holds for the next run', async () => {
  const limits = vscode.workspace.getConfiguration('tta.limits');
  const set = async (timeoutMs: number | undefined): Promise<void> => {
    await limits.update('timeoutMs', timeoutMs, vscode.ConfigurationTarget.Workspace);
    await until('a new daemon', async () => (await savings()).session.runs === 0);
  };
  await set(300);
  await file('endless.py', 'while True:\n    pass\n');
  assert.equal((await newRun(() => run('tta.runFile'))).status, 'limit');
  await set(undefined);
});
