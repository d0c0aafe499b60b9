// The commands of the palette: run a program and see its result or its error at the line, the last runs and a receipt.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import { notesWorkspace, settings } from './setup.mjs';
import { extensions } from './vsix.mjs';
import { until, Workbench } from './workbench.mjs';

const GOOD = `import tta
from servers import fs

listing = await fs.list_directory(path="NOTES")
print("reading")
{"files": str(listing).count(".md")}
`;

const BAD = `from servers import fs

async def main():
    await fs.read_text_file(path="NOTES/missing.md")

await main()
`;

test('programs run from the editor, and receipts are a command away', async (t) => {
  const folder = notesWorkspace(t, (notes) => ({
    'good.py': GOOD.replace('NOTES', notes),
    'bad.py': BAD.replace('NOTES', notes),
    'spin.py': 'while True:\n    pass\n',
  }));
  const workbench = await Workbench.open({ folder, extensions, settings });
  t.after(() => workbench.close());
  await workbench.statusWith('TTA: ready');

  await t.test('Run File shows what the program printed and returned', async () => {
    await workbench.openFile(join(folder, 'good.py'));
    await workbench.command('tta.runFile');
    const output = await outputWith(workbench, 'good.py · done');
    assert.match(output, /reading/);
    assert.match(output, /"files": 3/);
  });

  await t.test('a failure stands at its line in the editor', async () => {
    await workbench.openFile(join(folder, 'bad.py'));
    await workbench.command('tta.runFile');
    await outputWith(workbench, 'bad.py · failed');
    const [problem] = await until('a diagnostic', () => diagnostics(workbench, join(folder, 'bad.py')));
    assert.equal(problem.line, 4);
    assert.match(problem.message, /missing\.md/);
    await workbench.shoot('error');
  });

  await t.test('a program that runs can be cancelled', async () => {
    await workbench.openFile(join(folder, 'spin.py'));
    await workbench.command('tta.runFile');
    const toast = workbench.page.locator('.notification-toast:visible', { hasText: 'Running spin.py' });
    await toast.locator('.monaco-button', { hasText: 'Cancel' }).click();
    await outputWith(workbench, 'spin.py · cancelled');
    await until('the end of the run', async () => (await workbench.savings()).running === 0);
  });

  await t.test('Show Last Runs leads to a receipt', async () => {
    await workbench.command('tta.showRuns');
    const rows = await workbench.pickWith('good.py');
    assert.match(
      rows.find((row) => row.includes('good.py')),
      /done · 1 tool call/,
    );
    assert.match(
      rows.find((row) => row.includes('bad.py')),
      /failed · 1 tool call/,
    );
    await workbench.shoot('runs');
    await workbench.page.keyboard.type('good.py');
    await workbench.page.keyboard.press('Enter');
    const receipt = workbench.page.frameLocator('iframe.webview').frameLocator('iframe').locator('body');
    await receipt.getByText('What the figures rest on').waitFor();
    assert.match(await receipt.innerText(), /o200k_base/);
    await workbench.shoot('receipt');
  });
});

/** The text of our output channel, once it holds `part`. */
async function outputWith(workbench, part) {
  const lines = workbench.page.locator('.output-view:visible .view-lines');
  const text = async () => (await lines.innerText()).replace(/\u00a0/g, ' ');
  await until(`output with ${part}`, async () => (await text()).includes(part));
  return text();
}

function diagnostics(workbench, path) {
  return workbench.inHost(`
    const found = vscode.languages.getDiagnostics(vscode.Uri.file(${JSON.stringify(path)})).filter(({ source }) => source === 'tta');
    return found.length > 0 && found.map(({ message, range }) => ({ message, line: range.start.line + 1 }));
  `);
}
