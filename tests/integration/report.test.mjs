// `tta report` and `tta explain` over what real programs over a real server left in the ledger.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { serverEntries } from '../../scripts/lib/servers.mjs';
import { run, runJson, workspace } from '../lib/tta.mjs';

const files = () => ({ 'ant.md': 'An ant is small.\n'.repeat(400) });
const filesystem = (t) => workspace(t, { servers: (folder) => ({ fs: serverEntries(folder).fs }), files });

test('an empty ledger, an unknown model and a bad moment are said', async (t) => {
  const folder = filesystem(t);
  const empty = await run(folder, ['report']);
  assert.equal(empty.code, 0, empty.stderr);
  assert.match(empty.stdout, /Nothing has been run in this workspace yet\./);
  for (const [words, message] of [
    [['report', '--since', 'yesterday'], /--since "yesterday" is no moment/],
    [['report', '--model', 'gpt-99'], /no price is known for the model `gpt-99`; there is one for .*gpt-6\.1-sol/],
    [['report', '-o', 'week.pdf'], /names no format/],
    [['explain'], /nothing has been run here yet/],
  ]) {
    const refused = await run(folder, words);
    assert.equal(refused.code, 2, words.join(' '));
    assert.match(refused.stderr, message);
  }
});

test('a run is in every format of the report, and its explanation adds up', async (t) => {
  const folder = filesystem(t);
  const program = `from servers.fs import read_text_file
texts = [(await read_text_file(path=${JSON.stringify(join(folder, 'ant.md'))}))["content"] for _ in range(3)]
sum(map(len, texts))`;
  const done = await runJson(folder, ['run', '--trust', '--lang', 'python', '-e', program]);
  assert.equal(done.code, 0);
  const { run_id: id, tokens } = done.json;

  const { json } = await runJson(folder, ['report', '--since', '1d', '--compare']);
  assert.deepEqual([json.total.runs, json.total.calls, json.before.runs], [1, 3, 0]);
  assert.equal(json.total.tokens.saved, tokens.saved);
  const { price, deferred, code_mode: ours } = json.total.dollars;
  assert.equal(price.model, 'gpt-6.1-sol');
  const prompts = tokens.direct.deferred.total - tokens.direct.deferred.output;
  const uncached = (prompts * price.input + tokens.direct.deferred.output * price.output) / 1e6;
  assert.ok(Math.abs(deferred.uncached - uncached) < 1e-9, `${deferred.uncached} is not ${uncached}`);
  assert.ok(ours.uncached < deferred.uncached && deferred.cached < deferred.uncached);

  const text = await run(folder, ['report']);
  assert.match(text.stdout, /Saved [\d,]+ tokens/);
  assert.ok(text.stdout.includes(id) && text.stdout.includes('fs.read_text_file'));
  const shared = await run(folder, ['report', '--share', '--format', 'md']);
  assert.ok(!shared.stdout.includes(id) && !shared.stdout.includes('read_text_file'));
  assert.match(shared.stdout, /\| direct, definitions deferred +\|/);
  assert.equal((await run(folder, ['report', '-o', 'runs.csv'])).code, 0);
  assert.match(readFileSync(join(folder, 'runs.csv'), 'utf8'), new RegExp(`^run_id,.*\r\n${id},`));

  assert.equal((await run(folder, ['report', '-o', 'week.html'])).code, 0);
  const page = readFileSync(join(folder, 'week.html'), 'utf8');
  const data = JSON.parse(/id="data">(.*?)<\/script>/s.exec(page)[1]);
  assert.deepEqual([data.report.total.tokens.saved, data.calls[id].length], [tokens.saved, 3]);
  assert.ok(
    data.explained[id].why.includes('more') && !/src="|href="/.test(page.replace(/id="data">.*?<\/script>/s, '')),
  );

  const explained = await runJson(folder, ['explain', id]);
  const side = explained.json.deferred;
  const sum = side.turns.reduce((all, turn) => all + turn.prompt + turn.output, 0);
  assert.deepEqual([sum, side.turns.length], [tokens.direct.deferred.total, tokens.direct.deferred.turns]);
  assert.match(explained.json.why, /^Calling directly would have cost [\d,]+ tokens more/);
  assert.equal(explained.json.text.trim(), (await run(folder, ['explain'])).stdout.trim());
});
