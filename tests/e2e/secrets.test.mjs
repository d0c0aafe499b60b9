// `${input:…}`: asked for once, kept by the editor, in the environment of the server that wants it and nowhere else.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { serverEntries } from '../../scripts/lib/servers.mjs';
import { processesOf } from '../lib/processes.mjs';
import { workspace } from '../lib/tta.mjs';
import { settings } from './setup.mjs';
import { extensions } from './vsix.mjs';
import { until, Workbench } from './workbench.mjs';

const TOKEN = 'tk-5b1f4c9e-not-for-others';

/** The program looks for the token itself: wherever it could be, it must not be found. */
const PROGRAM = `import os
from servers import fs

listing = await fs.list_allowed_directories()
{"directories": str(listing), "environment": dict(os.environ)}
`;

test('a secret input is asked for once and is nowhere but with its server', async (t) => {
  const folder = workspace(t, {
    files: (folder) => {
      const fs = { ...serverEntries(folder).fs, env: { NOTES_TOKEN: '${input:token}' } };
      const inputs = [{ id: 'token', type: 'promptString', description: 'Token of the notes', password: true }];
      return { '.vscode/mcp.json': JSON.stringify({ inputs, servers: { fs } }, null, 2), 'list.py': PROGRAM };
    },
  });
  const server = () => processesOf('server-filesystem', folder)[0];
  const holdsToken = (pid) => readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`NOTES_TOKEN=${TOKEN}`);
  const workbench = await Workbench.open({
    folder,
    extensions,
    settings: { ...settings, 'tta.trace.server': 'verbose' },
    logLevel: 'trace',
  });
  t.after(() => workbench.close());
  await workbench.statusWith('TTA: ready');
  await workbench.openFile(join(folder, 'list.py'));

  await workbench.command('tta.runFile');
  const input = workbench.page.locator('.quick-input-widget:visible input[type=password]');
  await input.waitFor();
  await workbench.page.getByText('Token of the notes').first().waitFor();
  await workbench.shoot('input');
  await input.fill(TOKEN);
  await input.press('Enter');
  const output = await workbench.outputWith('list.py · done');
  const first = await until('the server', server);
  assert.ok(holdsToken(first), 'the server has the token in its environment');

  await workbench.command('tta.restartDaemon');
  await until('the end of the first server', () => server() !== first);
  await workbench.openFile(join(folder, 'list.py'));
  await workbench.command('tta.runFile');
  const second = await until('another server', server);
  assert.ok(holdsToken(second), 'the stored value was handed over, unasked');

  assert.ok(!output.includes(TOKEN));
  assert.deepEqual(workbench.filesWith(TOKEN), [], 'no log, no ledger, no storage on disk holds the token');
  assert.ok(workbench.filesWith("response 'tta/secret/get").length > 0, 'the trace was on');
  assert.ok(workbench.filesWith('\n(left out)').length > 0, 'and as detailed as it can be');

  await workbench.command('tta.forgetInputs');
  await workbench.pickWith('token');
  await workbench.page.locator('.quick-input-widget:visible .monaco-list-row', { hasText: 'token' }).click();
  await workbench.page.locator('.quick-input-widget:visible .monaco-button', { hasText: 'OK' }).click();
  await workbench.command('tta.restartDaemon');
  await until('the end of the second server', () => server() !== second);
  await workbench.openFile(join(folder, 'list.py'));
  await workbench.command('tta.runFile');
  await input.waitFor();
});
