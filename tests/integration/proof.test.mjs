// The proof as anybody can repeat it, on the first tasks of each public set: real calls of the task sets' own code through the one
// door, both ways, with equal answers; and the four demonstrations over real servers.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { demoTable, taskTable } from '../../scripts/lib/proof_table.mjs';
import { guestCache, run, runJson, tta, workspace } from '../lib/tta.mjs';
import { demonstrate, installTaskSets, replay } from '../proof/proof.mjs';

const env = (t) => {
  const home = mkdtempSync(join(tmpdir(), 'tta-home-'));
  t.after(() => rmSync(home, { recursive: true, force: true, maxRetries: 5 }));
  return { ...process.env, XDG_DATA_HOME: home, XDG_CACHE_HOME: dirname(guestCache) };
};

test('public task sets give equal answers both ways, and each way is charged as one conversation', async (t) => {
  await installTaskSets();
  const results = await replay(tta, { limit: 2, env: env(t) });
  assert.deepEqual(
    results.map(({ suite, tasks, left_out }) => [suite, tasks, left_out]),
    ['bfcl_base', 'bfcl_long', 'tau2_retail', 'tau2_airline'].map((suite) => [suite, 2, []]),
  );
  for (const { calls, code_mode_tokens, direct, direct_at_once, price } of results) {
    assert.ok(calls > 2 && code_mode_tokens > 0 && price);
    // All calls of a turn at once can only be cheaper than one after the other, and fewer definitions than more.
    for (const name of ['deferred', 'needed_servers', 'all_servers']) {
      assert.ok(direct_at_once[name].tokens <= direct[name].tokens, name);
      assert.ok(direct[name].dollars.cached <= direct[name].dollars.uncached, name);
    }
    assert.ok(direct.needed_servers.tokens < direct.all_servers.tokens);
  }
  assert.match(taskTable(results), /\| bfcl_base \| 2 \|/);
});

test('the four demonstrations do what they say over real servers', async (t) => {
  const shown = await demonstrate(tta, { env: env(t) });
  assert.equal(shown.length, 4);
  for (const { replies } of shown)
    for (const { status, calls } of replies) assert.ok(status === 'ok' && calls.length > 0);
  const [first, again] = shown[3].replies.map(({ tokens }) => tokens.code_mode.output);
  assert.ok(again < first / 2, 'a program that was kept is not written again');
  assert.match(demoTable(shown), /Skill growth: `skill_again.py`/);
});

test('a task set that cannot be read, or a task that fails, is named', async (t) => {
  const folder = workspace(t);
  const task = {
    task: 'a',
    scenario: {},
    turns: [{ calls: [{ server: 's', tool: 't', arguments: {} }], program: '1/0' }],
  };
  writeFileSync(join(folder, 'set.jsonl'), `${JSON.stringify(task)}\n`);
  const failing = await runJson(folder, ['bench', 'tokens', 'set.jsonl', '--scenario', 's.json', '--trust']);
  assert.equal(failing.code, 1);
  assert.match(failing.json[0].left_out[0][1], /ZeroDivisionError/);
  writeFileSync(join(folder, 'set.jsonl'), 'no task\n');
  const wrong = await run(folder, ['bench', 'tokens', 'set.jsonl', '--scenario', 's.json', '--trust']);
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /set\.jsonl:1: no task/);
});
