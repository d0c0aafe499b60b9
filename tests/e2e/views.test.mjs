// The views: servers down to their parameters, runs down to their calls, the documents behind both, the dashboard and the
// report; followed as things change, and after a reload.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { serverEntries } from '../../scripts/lib/servers.mjs';
import { workspace } from '../lib/tta.mjs';
import { settings } from './setup.mjs';
import { extensions } from './vsix.mjs';
import { until, Workbench } from './workbench.mjs';

const LISTS = `from servers import fs
listing = (await fs.list_directory(path="FOLDER"))["content"]
print("listed")
{"mp3": listing.count(".mp3"), "md": listing.count(".md")}
`;

const FAILS = `from servers import fs

await fs.read_text_file(path="FOLDER/missing.md")
`;

test('servers and runs are seen, followed, and acted on', async (t) => {
  const folder = workspace(t, {
    servers: (at) => ({ fs: serverEntries(at).fs, broken: { command: '/no/such/server' } }),
    files: (at) => ({
      'a.md': 'a',
      'lists.py': LISTS.replace('FOLDER', at),
      'fails.py': FAILS.replace('FOLDER', at),
      'spin.py': 'while True:\n    pass\n',
    }),
  });
  const workbench = await Workbench.open({ folder, extensions, settings });
  t.after(() => workbench.close());
  await workbench.statusWith('TTA: ready');
  const theme = (name) =>
    workbench.inHost(
      `await vscode.workspace.getConfiguration('workbench').update('colorTheme', '${name}', vscode.ConfigurationTarget.Global)`,
    );
  await theme('Dark Modern');
  const { page } = workbench;
  const line = (label) => page.locator(`.sidebar .monaco-list-row[aria-label^="${label}"]:visible`).first();
  const unfold = async (label) => {
    await line(label).click();
    await page.keyboard.press('ArrowRight');
  };

  await t.test('a server is started by asking for its tools, and shows them down to their parameters', async () => {
    await workbench.command('tta.showServers');
    await line('fs, starts when needed').waitFor();
    await unfold('fs, starts when needed');
    await line('List its tools').click();
    await line('fs, ready · 1').waitFor();
    assert.match(await line('fs, ready').getAttribute('aria-label'), /ready · 1\d tools · [\d,]+ tokens/);
    await unfold('edit_file');
    await line('path, string · required').waitFor();
    await unfold('edits, object[] · required');
    await line('oldText, string · required').waitFor();
  });

  await t.test('one that cannot start says why, and its log and configuration are a step away', async () => {
    await unfold('fs, ready');
    await page.keyboard.press('ArrowLeft');
    await unfold('broken');
    await line('List its tools').click();
    await line('broken, failed').waitFor();
    await workbench.shoot('views-servers');
    await workbench.inHost(`await vscode.commands.executeCommand('tta.openConfiguration', 'broken')`);
    await until('mcp.json at its line', () =>
      workbench.inHost(`
        const editor = vscode.window.activeTextEditor;
        return editor?.document.uri.path.endsWith('/.vscode/mcp.json') && editor.document.lineAt(editor.selection.active).text.includes('"broken"');
      `),
    );
    await workbench.inHost(`await vscode.commands.executeCommand('tta.showLog', 'fs')`);
    await workbench.editorWith('Secure MCP Filesystem Server');
  });

  await t.test('a server stops and starts again', async () => {
    await workbench.inHost(`await vscode.commands.executeCommand('tta.stopServer', 'fs')`);
    await line('fs, starts when needed · 1').waitFor();
    await workbench.inHost(`await vscode.commands.executeCommand('tta.startServer', 'fs')`);
    await line('fs, ready · 1').waitFor();
  });

  await t.test('runs stand under each other with their calls, errors and documents', async () => {
    for (const name of ['lists.py', 'fails.py']) {
      await workbench.openFile(join(folder, name));
      await workbench.command('tta.runFile');
      await line(name).waitFor();
    }
    await line('fails.py, failed · −').waitFor();
    await unfold('fails.py');
    await line('fs.read_text_file, failed').waitFor();
    await unfold('lists.py');
    await line('fs.list_directory').click();
    assert.match(await workbench.editorWith('a.md'), /── arguments[^]*"path"/);
    await workbench.shoot('views-runs');
    await line('lists.py').click({ button: 'right' });
    // A menu takes the button's release for its opening alone.
    await page.locator('.monaco-menu:visible').getByText('Open Result').click({ delay: 300 });
    assert.match(await workbench.editorWith('"md": 1'), /"mp3": 0/);
    assert.equal(await workbench.inHost(`return vscode.window.activeTextEditor.document.languageId`), 'json');
  });

  await t.test('a run that goes on is seen, and stopped from its line', async () => {
    await workbench.openFile(join(folder, 'spin.py'));
    await workbench.command('tta.runFile');
    await line('spin.py, running').hover();
    await line('spin.py, running').getByRole('button', { name: 'Stop Run' }).click();
    await line('spin.py, cancelled').waitFor();
  });

  await t.test('the dashboard compares with each baseline, and follows what runs', async () => {
    await workbench.command('tta.showDashboard');
    const body = page.frameLocator('iframe.webview:visible').frameLocator('iframe').locator('body');
    const saved = () => body.locator('.hero h2').innerText();
    const { tokens } = (await workbench.savings()).workspace;
    const figure = (direct) => {
      const count = direct.total - tokens.code_mode.total;
      const size = Math.abs(count).toLocaleString('en-US');
      return new RegExp(count < 0 ? `${size} tokens more than direct calls` : `${size} tokens saved`);
    };
    await body.locator('.hero').waitFor();
    assert.match(await saved(), figure(tokens.direct.deferred));
    await workbench.shoot('dashboard-dark');
    await body.getByLabel('All servers').check();
    await until('the other baseline', async () => figure(tokens.direct.all_servers).test(await saved()));
    await theme('Light Modern');
    await workbench.inHost(
      `void vscode.commands.executeCommand('tta.runFile', ${JSON.stringify(`file://${join(folder, 'lists.py')}`)})`,
    );
    const runs = body.locator('section', { has: page.getByRole('heading', { name: 'Last runs' }) }).locator('tbody tr');
    await runs.nth(3).waitFor();
    await until('the new total', async () => !figure(tokens.direct.all_servers).test(await saved()));
    assert.equal(await body.getByLabel('All servers').isChecked(), true, 'the switch stays where it was');
    await runs.first().getByTitle('Show its calls').click();
    await body.getByRole('button', { name: 'Open its receipt' }).waitFor();
    await body.getByRole('button', { name: 'Back' }).click();
    await body.getByRole('heading', { name: 'Last runs' }).waitFor();
    await workbench.shoot('dashboard-light');
  });

  await t.test('the report is written in the format of its ending', async () => {
    await workbench.command('tta.exportReport');
    const input = page.locator('.quick-input-widget:visible input[type="text"]');
    await until('the dialog', async () => /tta-report-.*\.md$/.test(await input.inputValue()));
    await input.fill(join(folder, 'report.csv'));
    await page.keyboard.press('Enter');
    await workbench.editorWith('run_id,submitted');
    const rows = readFileSync(join(folder, 'report.csv'), 'utf8').trim().split('\r\n');
    assert.equal(rows.length, 5);
  });

  await t.test('after a reload the runs are there, and say that their details are not', async () => {
    await workbench.reload();
    await workbench.statusWith('saved').catch(async (error) => {
      await workbench.shoot('views-reloaded');
      throw error;
    });
    await workbench.command('tta.showServers');
    await unfold('fails.py');
    await line('Its details went with the window that ran it').waitFor();
    await workbench.shoot('views-reloaded');
  });
});
