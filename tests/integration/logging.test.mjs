// What a real server says in log messages, from its start in one process to `tta servers log` in the next.
import assert from 'node:assert/strict';
import test from 'node:test';
import { serverEntries } from '../../scripts/lib/servers.mjs';
import { run, runJson, workspace } from '../lib/tta.mjs';

// Nothing is known of a server that may not start.
const LOG = ['servers', 'log', 'everything', '--trust'];

// Each second call begins anew, with a message of any level at once; those of `debug` are not asked for.
const PROGRAM = `
from servers import everything
for _ in range(60):
    last = await everything.toggle_simulated_logging()
last
`;

test('what a server says in log messages is shown by `tta servers log`', async (t) => {
  const folder = workspace(t, { servers: serverEntries });
  const before = await run(folder, LOG);
  assert.deepEqual([before.code, before.stdout], [0, ''], before.stderr);
  assert.match(before.stderr, /nothing is known that everything said/);

  const { code, json, stderr } = await runJson(folder, ['run', '-e', PROGRAM, '--lang', 'python', '--trust']);
  assert.equal(code, 0, `${stderr}\n${JSON.stringify(json.error)}`);
  assert.match(json.result, /Stopped simulated logging/);

  const after = await runJson(folder, LOG);
  assert.equal(after.code, 0, after.stderr);
  const lines = after.json.log.split('\n');
  const said = lines.filter((line) => /^(info|notice|warning|error|critical|alert|emergency): .+message$/.test(line));
  assert.ok(said.length >= 2, after.json.log);
  assert.ok(!lines.some((line) => line.startsWith('debug:')), after.json.log);
  assert.equal((await run(folder, LOG)).stdout, after.json.log);
});
