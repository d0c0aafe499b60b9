// The language server in the workbench: what it offers and says in a program while it is written, at its lines after it
// ran, and at the servers of an mcp.json.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import { notesWorkspace, settings } from './setup.mjs';
import { extensions } from './vsix.mjs';
import { until, Workbench } from './workbench.mjs';

const NAMES = `["ant", "bee", "cat"]`;

const GOOD = `from servers import fs

home = "NOTES"
notes = {}
for name in ${NAMES}:
    notes[name] = await fs.read_text_file(path=f"{home}/{name}.md")

listing = await fs.list_directory(path=home)
max(notes, key=lambda name: len(str(notes[name])))
`;

const WRONG = `from servers import fs

text = await fs.read_txt_file(path="notes/ant.md")
head = await fs.read_text_file(path="notes/ant.md", head="3")
fs.list_directory(path="notes")
`;

const PLAIN = `const limits = { head: 3 };\nlimits.\n`;

test('programs and mcp.json say what the daemon knows, where it matters', async (t) => {
  const folder = notesWorkspace(t, (notes) => ({
    '.tta/longest.py': GOOD.replaceAll('NOTES', notes),
    '.tta/wrong.py': WRONG,
    'plain.ts': PLAIN,
  }));
  const at = (name) => join(folder, name);
  const workbench = await Workbench.open({ folder, extensions, settings });
  t.after(() => workbench.close());
  const { page } = workbench;
  await workbench.statusWith('TTA: ready');

  await t.test('what its run would fail at is marked while a program is written', async () => {
    await workbench.openFile(at('.tta/wrong.py'));
    const marks = await until('marks', () => marksOf(workbench, at('.tta/wrong.py'), 3));
    assert.deepEqual(marks, [
      '3: unknown-tool: `fs` has no tool `read_txt_file`; did you mean `read_file` or `read_text_file` or `read_media_file`?',
      '4: arguments: read_text_file: head: expected number, got string "3"',
      '5: forgotten-await: the call `fs.list_directory(…)` is never awaited: its result or error is lost; write `await fs.list_directory(…)`',
    ]);
    await workbench.shoot('program-problems');
  });

  await t.test('tools, their arguments and what they are stand at the cursor', async () => {
    await caretAtEnd(workbench);
    await page.keyboard.type('tail = await fs.read_te', { delay: 20 });
    const suggestions = page.locator('.suggest-widget:visible .monaco-list-row');
    await suggestions.filter({ hasText: 'read_text_file' }).first().waitFor();
    await page.keyboard.press('Control+Space');
    await workbench.shoot('program-completion');
    await page.keyboard.press('Enter');
    await until('a call with its argument', () => lineWith(workbench, 'tail = await fs.read_text_file(path=)'));
    await page.keyboard.type('"notes/bee.md", ');
    const help = page.locator('.parameter-hints-widget:visible');
    await help.filter({ hasText: 'fs.read_text_file(path: str' }).waitFor();
    await workbench.shoot('program-signature');
    await page.keyboard.press('Escape');
    await page.keyboard.press('Escape');
    await workbench.openFile(at('.tta/longest.py'));
    await workbench.inHost(`
      const editor = vscode.window.activeTextEditor;
      const at = new vscode.Position(5, 30);
      editor.selection = new vscode.Selection(at, at);
      await vscode.commands.executeCommand('editor.action.showHover');
    `);
    const hover = page.locator('.monaco-hover:visible', { hasText: 'Read the complete contents' }).first();
    assert.match(plain(await hover.innerText()), /^async def fs\.read_text_file\(\*, path: str/);
    await workbench.shoot('program-hover');
  });

  await t.test('other code has its own completion alone', async () => {
    await workbench.openFile(at('plain.ts'));
    const labels = await until('the completion of the editor itself', async () => {
      const { items } = await ask(workbench, 'CompletionItem', at('plain.ts'), 1, 7);
      return items.length > 0 && items.map(({ label }) => label.label ?? label);
    });
    assert.ok(!labels.some((label) => label.includes('text_file')), labels.join());
  });

  await t.test('the lens above a program runs it, and its lines say what they kept out', async () => {
    await workbench.openFile(at('.tta/longest.py'));
    await page.locator('.codelens-decoration:visible a', { hasText: 'Run' }).first().click();
    const line = (text) => page.locator('.view-line', { hasText: text }).first();
    await line(/3.calls.·.[\d,]+.tokens.kept.out/).waitFor({ timeout: 60_000 });
    const summary = page.locator('.codelens-decoration:visible a', { hasText: /4.calls.·/ }).first();
    await summary.waitFor();
    assert.match(plain(await summary.innerText()), /^4 calls · [\d.]+ m?s · [\d.]+k tokens kept out$/);
    const hints = await until('hints', async () => {
      const found = await ask(workbench, 'InlayHint', at('.tta/longest.py'), 0, 0, 99);
      return found.length === 2 && found;
    });
    const tokens = hints.map(({ label }) => Number(/([\d,]+) tokens kept out/.exec(label)[1].replaceAll(',', '')));
    const { session } = await workbench.savings();
    assert.equal(session.calls, 4);
    const sum = tokens[0] + tokens[1];
    assert.ok(sum > session.tokens.code_mode.results, 'more stayed in the program than came out of it');
    await workbench.shoot('program-ran');
  });

  await t.test('a server in mcp.json says what it costs, where it is configured', async () => {
    await workbench.openFile(at('.vscode/mcp.json'));
    await page
      .locator('.view-line', { hasText: /14.tools/ })
      .first()
      .waitFor();
    await page.locator('.codelens-decoration:visible a').first().waitFor();
    await workbench.shoot('mcp-json');
  });
});

/** The marks of ours on a file, once there are so many: `LINE: CODE: MESSAGE`. */
async function marksOf(workbench, path, count) {
  const marks = await workbench.inHost(`
    const found = vscode.languages.getDiagnostics(vscode.Uri.file(${JSON.stringify(path)})).filter(({ source }) => source === 'tta');
    return found.map(({ message, range, code }) => ({ line: range.start.line + 1, text: code + ': ' + message }));
  `);
  const lines = marks.sort((a, b) => a.line - b.line).map(({ line, text }) => `${line}: ${text}`);
  return lines.length >= count && lines;
}

/** What every extension together answers at a place. */
function ask(workbench, kind, path, line, character, lastLine = line) {
  const place =
    kind === 'InlayHint'
      ? `new vscode.Range(${line}, ${character}, ${lastLine}, 0)`
      : `new vscode.Position(${line}, ${character})`;
  return workbench.inHost(`
    const uri = vscode.Uri.file(${JSON.stringify(path)});
    await vscode.workspace.openTextDocument(uri);
    return vscode.commands.executeCommand('vscode.execute${kind}Provider', uri, ${place});
  `);
}

/** Puts the keyboard at the end of the active editor. */
async function caretAtEnd({ page }) {
  await page.locator('.monaco-editor:visible .view-line').first().click();
  await page.keyboard.press('Control+End');
}

/** Whether the active document holds a line. */
function lineWith(workbench, line) {
  return workbench.inHost(
    `return vscode.window.activeTextEditor?.document.getText().split('\\n').includes(${JSON.stringify(line)})`,
  );
}

function plain(text) {
  return text.replace(/\s+/g, ' ').trim();
}
