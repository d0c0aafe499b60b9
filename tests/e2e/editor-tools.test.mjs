// What the editor manages is there for programs too: the MCP server that another extension offers, and that extension's own
// tool, called from a Python program through our daemon.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import { serverEntries } from '../../scripts/lib/servers.mjs';
import { withNeighbour } from './neighbour.mjs';
import { notesWorkspace } from './setup.mjs';
import { until } from './workbench.mjs';

const PROGRAM = `from servers import neighbour, vscode

text = (await neighbour.read_text_file(path="NOTES/ant.md"))["content"]
counted = await vscode.neighbour_count(text=text)
try:
    await vscode.neighbour_count(text=1)
except Exception as error:
    wrong = str(error)
try:
    missing = "answered: " + str(await neighbour.read_text_file(path="NOTES/none.md"))
except Exception as error:
    missing = "raised: " + str(error)
{"counted": counted, "wrong": wrong, "missing": missing}
`;

/**
 * Runs the program in a workbench of its own until the daemon knows the neighbour and reaches it as it will stay: until a
 * gateway's address is there, the editor makes the calls.
 */
async function run(t, missing, more = {}) {
  const folder = notesWorkspace(t, (notes) => ({ 'count.py': PROGRAM.replaceAll('NOTES', notes) }));
  const { command, args } = serverEntries(folder).fs;
  const workbench = await withNeighbour(t, {
    folder,
    server: ['Neighbour', command, ...args],
    tool: 'read_text_file',
    ...more,
  });
  // The editor does not say when its tools change: ours are compared every few seconds.
  await until('the daemon’s list', async () => {
    await workbench.openFile(join(folder, 'count.py'));
    await workbench.clearOutput();
    await workbench.command('tta.runFile');
    return missing.test(await workbench.outputWith('count.py · '));
  });
  const output = await workbench.outputWith('count.py · done');
  assert.match(output, /"words": 1600/);
  assert.match(output, /"wrong": ".*text.*string/, 'arguments are checked before the editor is asked');
  return workbench;
}

test('a program calls the tools of another extension', async (t) => {
  // This editor keeps its gateway to itself, and says of no answer that it failed.
  const workbench = await run(t, /"missing": "answered: /);
  await workbench.shoot('editor-tools');

  await workbench.command('tta.showServers');
  const tree = workbench.page.locator('.sidebar .monaco-list-row:visible');
  await tree.filter({ hasText: 'neighbour' }).first().waitFor();
  const named = (name) => workbench.page.locator(`.sidebar .monaco-list-row[aria-label^="${name}"]:visible`).count();
  assert.equal(await named('tta'), 0, 'our own tools are not bridged to ourselves');
  assert.equal(await named('fs, '), 1, 'a server of mcp.json that the editor started too is there once');
  await workbench.shoot('editor-servers');
  await workbench.close();

  // Where the editor opens its gateway to extensions, a value is the server's own and a failure is one.
  const open = await run(t, /"missing": "raised: [^]*ENOENT/, { proposals: ['mcpServerDefinitions'] });
  const ours = (path) => path.includes('tta.tta-mcp-code-execution') && !path.includes('/extensions/');
  assert.deepEqual(open.filesWith('/gateway/').filter(ours), [], 'the address is in no file of ours');
});
