// The suite of extension/test/host, inside a real extension host: the extension's exports, commands and providers, without
// a click. Each of its results is a subtest here.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { notesWorkspace, settings } from './setup.mjs';
import { extensions, hostTests } from './vsix.mjs';
import { until, Workbench } from './workbench.mjs';

const LONGEST_MS = 300_000;

test('the suite in the extension host passes', async (t) => {
  const folder = notesWorkspace(t);
  const results = join(folder, 'results.jsonl');
  const env = { TTA_HOST_RESULTS: results };
  const [, harness] = extensions;
  const workbench = await Workbench.open({
    folder,
    extensions: [harness],
    // What an edit alone does is asked as well.
    settings: { ...settings, 'files.autoSave': 'off' },
    env,
    hostTests,
  });
  t.after(() => workbench.close());
  const late = await until('the end of the suite', () => workbench.hostExit !== undefined, LONGEST_MS).then(
    () => undefined,
    (error) => error,
  );
  if (workbench.hostExit !== 0) await workbench.shoot('host');
  const lines = existsSync(results) ? readFileSync(results, 'utf8').trim().split('\n') : [];
  for (const { name, ms, error } of lines.map((line) => JSON.parse(line))) {
    await t.test(`${name} (${Math.round(ms)} ms in the host)`, () => {
      if (error) assert.fail(error);
    });
  }
  if (late) throw late;
  assert.ok(lines.length > 0, 'the suite left results');
  assert.equal(workbench.hostExit, 0);
  await until('the daemon to have gone with its extension host', () => workbench.daemons().length === 0);
});
