// A real server from PyPI that only the editor has, as Pylance's is: another extension offers it, and a program calls it through
// our daemon and the editor, which asks its user before each call of a tool that does not say that it only reads.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { serverEntries } from '../../scripts/lib/servers.mjs';
import { BY_EDITOR, check, programs, record } from '../lib/real/exercise.mjs';
import { SERVERS } from '../lib/real/servers.mjs';
import { workspace } from '../lib/tta.mjs';
import { withNeighbour } from './neighbour.mjs';
import { until } from './workbench.mjs';

const LONGEST_MS = 300_000;

test('pyright by way of the editor', async (t) => {
  const { start, world, program } = SERVERS[BY_EDITOR.server];
  const folder = workspace(t, { servers: (of) => ({ fs: serverEntries(of).fs }) });
  world(t, folder);
  const { command, args } = start(undefined, folder);
  const workbench = await withNeighbour(t, { folder, server: ['Pyright', command, ...args], tool: 'diagnostics' });

  const code = readFileSync(programs(program), 'utf8');
  const file = join(folder, 'program.py');
  const kept = join(folder, 'result.json');
  // The output view shows what has room in it: a server of the workspace keeps the whole.
  const keep = `from servers import fs\nawait fs.write_file(path=${JSON.stringify(kept)}, content=json.dumps(result))\n`;
  writeFileSync(file, `import json\n${code}${keep}`);
  const run = async () => {
    await workbench.openFile(file);
    await workbench.clearOutput();
    await workbench.command('tta.runFile');
  };
  const asked = [];
  const output = workbench.page.locator('.output-view:visible .view-lines');
  await run();
  await until(
    'the program’s end',
    async () => {
      await consent(workbench, asked);
      if (existsSync(kept)) return true;
      // The editor does not say when its tools change: ours are compared every few seconds, and until then there is no such module.
      const failed = asked.length === 0 && (await output.count()) > 0 && (await output.innerText()).includes('failed');
      if (failed) await run();
      return false;
    },
    LONGEST_MS,
  );
  await workbench.outputWith('done');
  await workbench.shoot('real-server');

  const checked = check(BY_EDITOR.server, JSON.parse(readFileSync(kept, 'utf8')));
  const calls = [...code.matchAll(/pyright\.(\w+)\(/g)].map(([, tool]) => tool);
  assert.equal(
    asked.length,
    calls.length - 1,
    `asked about each but the one with wrong arguments: ${asked.join(', ')}`,
  );
  const tools = await workbench.inHost(
    `return vscode.lm.tools.filter(({ fullReferenceName: name }) => /^pyright\\//i.test(name)).length`,
  );
  record('e2e', { ...BY_EDITOR, era: 'the editor’s', tools, calls, checked });
});

/** Says yes to the editor's own question, where one stands open, and notes what it was about. */
async function consent(workbench, asked) {
  const question = workbench.page.locator('.monaco-dialog-box:visible');
  if ((await question.count()) === 0) return;
  const title = await question.locator('.dialog-message-text').innerText();
  await question.locator('.monaco-button', { hasText: /^Yes$/ }).click();
  await question.filter({ hasText: title }).waitFor({ state: 'hidden' });
  asked.push(title);
}
