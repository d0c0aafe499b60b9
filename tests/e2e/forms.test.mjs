// What is asked for by the keyboard alone: a tool's form, the search that writes a call, a new program, and the import of
// another tool's servers, whose secrets stay behind.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { serverEntries } from '../../scripts/lib/servers.mjs';
import { workspace } from '../lib/tta.mjs';
import { settings } from './setup.mjs';
import { extensions } from './vsix.mjs';
import { until, Workbench } from './workbench.mjs';

const SECRET = 'kx81-left-behind';
const ELSEWHERE = {
  search: { command: '/no/such/search-mcp', env: { SEARCH_API_KEY: SECRET, LEVEL: 'debug' } },
};

test('a tool, a call, a program and an import are made by the keyboard alone', async (t) => {
  const folder = workspace(t, {
    servers: (at) => ({ everything: serverEntries(at).everything, fs: serverEntries(at).fs }),
    files: () => ({ 'program.py': 'import json\n\n' }),
  });
  const workbench = await Workbench.open({
    folder,
    extensions,
    settings,
    home: { '.cursor/mcp.json': JSON.stringify({ mcpServers: ELSEWHERE }) },
  });
  t.after(() => workbench.close());
  await workbench.statusWith('TTA: ready');
  const { keyboard } = workbench.page;
  const title = (part) =>
    workbench.page.locator('.quick-input-widget:visible .quick-input-title', { hasText: part }).waitFor();
  const type = async (text, then = 'Enter') => {
    await keyboard.type(text);
    await keyboard.press(then);
  };
  const said = (part) => workbench.page.locator('.quick-input-widget:visible', { hasText: part }).waitFor();

  await t.test('a form asks for what is required, says what is wrong, and shows the answer', async () => {
    await workbench.command('tta.callTool');
    await title('Call a tool of which server?');
    await workbench.pickWith('everything');
    await type('everything');
    await title('Call which tool of everything?');
    await workbench.pickWith('get-sum');
    await type('get-sum');
    await title('get-sum: a *');
    await type('1,5');
    await said('“1,5” is not a number.');
    await workbench.shoot('form-wrong');
    await keyboard.press('Control+A');
    await type('1.5');
    await title('get-sum: b *');
    await type('2');
    const rows = await workbench.pickWith('Call everything.get-sum');
    assert.ok(
      rows.some((row) => /^a \* ?1\.5/.test(row)),
      rows.join('\n'),
    );
    await workbench.shoot('form');
    await keyboard.press('Enter');
    assert.match(await workbench.editorWith('3.5'), /sum of 1\.5 and 2 is 3\.5/);
  });

  await t.test('a choice is chosen, and what was given last is remembered', async () => {
    await workbench.inHost(`void vscode.commands.executeCommand('tta.callTool', 'everything')`);
    await title('Call which tool of everything?');
    await workbench.pickWith('get-annotated-message');
    await type('get-annotated-message');
    await title('get-annotated-message: messageType *');
    await workbench.pickWith('debug');
    await type('debug');
    await workbench.pickWith('Call everything.get-annotated-message');
    await keyboard.press('Enter');
    await workbench.editorWith('Debug');
    await workbench.inHost(`void vscode.commands.executeCommand('tta.callTool', 'everything')`);
    await title('Call which tool of everything?');
    await workbench.pickWith('get-annotated-message');
    await type('get-annotated-message');
    const rows = await workbench.pickWith('Call everything.get-annotated-message');
    assert.ok(
      rows.some((row) => /messageType \* ?"debug"/.test(row)),
      rows.join('\n'),
    );
    await keyboard.press('Escape');
  });

  await t.test('the search writes a call with its import', async () => {
    await workbench.openFile(join(folder, 'program.py'));
    await workbench.inHost(`
      const end = new vscode.Position(2, 0);
      vscode.window.activeTextEditor.selection = new vscode.Selection(end, end);
    `);
    await workbench.command('tta.searchTools');
    await title('Search tools');
    await keyboard.type('read a text file');
    await workbench.page
      .locator('.quick-input-widget:visible .monaco-list-row')
      .first()
      .filter({ hasText: 'fs.read_text_file' })
      .waitFor();
    await workbench.shoot('search');
    await keyboard.press('Enter');
    const text = await workbench.editorWith('await fs.read_text_file(path="path")');
    assert.match(text, /import json\s+from servers import fs/);
  });

  await t.test('a new program knows its servers', async () => {
    await workbench.command('tta.newProgram');
    await title('1 of 3');
    // Those that run are chosen already; the first is not wanted.
    await workbench.pickWith('fs');
    await keyboard.press('ArrowDown');
    await keyboard.press('Space');
    await keyboard.press('Enter');
    await title('2 of 3');
    await type('TypeScript');
    await title('3 of 3');
    await type('summary');
    const text = await workbench.editorWith('servers/fs');
    assert.match(text, /\/\/ function fs\.read_text_file/);
    assert.doesNotMatch(text, /servers\/everything/);
    await workbench.shoot('program');
    assert.deepEqual(
      await workbench.inHost(`
        const { document, selection } = vscode.window.activeTextEditor;
        return [document.languageId, document.uri.path.endsWith('/.tta/programs/summary.ts'), document.lineAt(selection.active).isEmptyOrWhitespace];
      `),
      ['typescript', true, true],
    );
  });

  await t.test('servers of another tool are imported without their secrets', async () => {
    await workbench.command('tta.importServers');
    await title('Import servers');
    await workbench.pickWith('.cursor/mcp.json');
    await keyboard.press('ArrowDown');
    await keyboard.press('Space');
    await keyboard.press('Enter');
    await title('Values that stand');
    const rows = await workbench.pickWith('SEARCH_API_KEY');
    assert.match(rows.join('\n'), /Ask for them/);
    assert.doesNotMatch(rows.join('\n'), new RegExp(SECRET));
    await workbench.shoot('import');
    await keyboard.press('Enter');
    await until('the import', async () =>
      readFileSync(join(folder, '.vscode/mcp.json'), 'utf8').includes('search-mcp'),
    );
    const { servers, inputs } = JSON.parse(readFileSync(join(folder, '.vscode/mcp.json'), 'utf8'));
    assert.deepEqual(servers.search.env, { SEARCH_API_KEY: '${input:search-search-api-key}', LEVEL: 'debug' });
    assert.deepEqual(
      inputs.map(({ id, password }) => [id, password]),
      [['search-search-api-key', true]],
    );
  });

  await t.test('the doctor reports what holds, and how to mend what does not', async () => {
    await workbench.command('tta.doctor');
    const report = workbench.page.frameLocator('iframe.webview:visible').frameLocator('iframe').locator('body');
    await report.getByText('TTA Doctor').waitFor({ timeout: 120_000 });
    await report.getByText('python guest').first().waitFor();
    await workbench.shoot('doctor');
  });
});
