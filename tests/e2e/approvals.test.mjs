// Nothing happens unasked: a workspace's server starts after its exact command was allowed, a call that may destroy is made
// after it was allowed, and what was allowed for good is remembered, listed and forgotten.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { processesOf } from '../lib/processes.mjs';
import { notesWorkspace, settings } from './setup.mjs';
import { extensions } from './vsix.mjs';
import { until, Workbench } from './workbench.mjs';

const LIMIT_MS = 4_000;

const WRITE = `from servers import fs

for name in ["new", "newer"]:
    await fs.write_file(path=f"NOTES/{name}.md", content="written by a program")
"written"
`;

test('servers and calls are approved by the person at the window', async (t) => {
  const folder = notesWorkspace(t, (notes) => ({ 'write.py': WRITE.replace('NOTES', notes) }));
  const written = (name) => existsSync(join(folder, 'notes', `${name}.md`));
  const servers = () => processesOf('server-filesystem', folder);
  const asking = { ...settings, 'tta.approvals.servers': 'ask', 'tta.limits.timeoutMs': LIMIT_MS };
  const workbench = await Workbench.open({ folder, extensions, settings: asking });
  t.after(() => workbench.close());
  await workbench.statusWith('TTA: ready');
  await workbench.openFile(join(folder, 'write.py'));

  await t.test('a server’s question shows the exact command, and a no is a no', async () => {
    await workbench.command('tta.runFile');
    const question = workbench.question('Start the MCP server “fs”');
    await question.waitFor();
    const { command, args } = JSON.parse(readFileSync(join(folder, '.vscode/mcp.json'), 'utf8')).servers.fs;
    const text = await question.innerText();
    assert.ok(text.includes([command, ...args].join(' ')), `the exact command is not in: ${text}`);
    assert.match(text, /\.vscode\/mcp\.json, line 3/);
    assert.equal(await workbench.statusWith('question'), 'TTA: 1 question');
    await workbench.shoot('approve-server');
    assert.deepEqual(servers(), [], 'no process was started for the question');
    await workbench.answer(question, 'Don’t Allow');
    await workbench.outputWith('write.py · ');
    assert.deepEqual(servers(), []);
    await workbench.clearOutput();
  });

  await t.test('a call waits for its answer while the program’s clock stands still', async () => {
    // A no holds for a while; another daemon asks again.
    await workbench.inHost(`await vscode.commands.executeCommand('tta.restartDaemon')`);
    await workbench.openFile(join(folder, 'write.py'));
    await workbench.command('tta.runFile');
    await workbench.answer(workbench.question('Start the MCP server “fs”'), 'Allow');
    const question = workbench.question('write.py, line 4 calls fs.write_file');
    await question.waitFor();
    const asked = Date.now();
    await workbench.shoot('approve-call');
    await workbench.answer(question, 'Show Details');
    await workbench.editorWith('Why it is asked');
    await workbench.shoot('approve-details');
    await until('longer than the program may take', () => Date.now() - asked > LIMIT_MS + 1_000);
    assert.ok(!written('new'), 'the call was made before it was allowed');
    await workbench.answer(question, 'Allow');
    await until('the first file', () => written('new'));
    await workbench.answer(workbench.question('write.py, line 4'), 'Deny');
    await workbench.outputWith('write.py · ');
    assert.ok(!written('newer'), 'a denied call is not made');
    await workbench.clearOutput();
  });

  await t.test('what is allowed for a folder is not asked about again', async () => {
    await workbench.openFile(join(folder, 'write.py'));
    await workbench.command('tta.runFile');
    await workbench.answer(workbench.question('write.py, line 4'), 'Always…');
    const patterns = await workbench.pickWith('notes/');
    await workbench.shoot('approve-always');
    assert.ok(patterns.length >= 2, `narrow and wide patterns: ${patterns.join(' | ')}`);
    await workbench.page
      .locator('.quick-input-widget:visible .monaco-list-row', { hasText: /notes\// })
      .last()
      .click();
    await workbench.outputWith('write.py · done');
    assert.ok(written('newer'), 'the pattern covers the second call as well');
    for (const name of ['new', 'newer']) rmSync(join(folder, 'notes', `${name}.md`));
    await workbench.command('tta.runFile');
    await until('both files, unasked', () => written('new') && written('newer'));
  });

  await t.test('what was allowed is listed, and forgotten', async () => {
    await workbench.command('tta.manageApprovals');
    await workbench.pickWith('write_file');
    await workbench.shoot('approvals');
    await workbench.page.locator('.quick-input-titlebar .codicon-clear-all').click();
    await workbench.page.locator('.quick-input-widget:visible').getByPlaceholder('Nothing is approved').waitFor();
    await workbench.page.keyboard.press('Escape');
    await workbench.command('tta.runFile');
    await workbench.answer(workbench.question('Start the MCP server “fs”'), 'Allow Once');
    await workbench.question('write.py, line 4').waitFor();
  });
});
