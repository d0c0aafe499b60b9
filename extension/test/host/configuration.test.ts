import assert from 'node:assert/strict';
import test from 'node:test';
import * as vscode from 'vscode';
import { folder, place, run, until } from './host';
import { completionOf, hintsOf, hoverOf, lensesOf, marksOf } from './providers';

const open = (): Thenable<vscode.TextEditor> =>
  vscode.window.showTextDocument(vscode.Uri.joinPath(folder, '.vscode', 'mcp.json'));

test('mcp.json: a server says what it is, what it costs, and what can be done with it', async () => {
  const { document } = await open();
  const key = place(document, '"fs"').start;
  const [hint, ...others] = await until('hints', async () => {
    const hints = await hintsOf(document);
    return String(hints[0]).includes('ready') && hints;
  });
  assert.match(String(hint), new RegExp(`^${key.line},14 tools · ready · [\\d,]+ tokens deferred$`));
  assert.deepEqual(others, []);
  const lenses = await lensesOf(document);
  assert.deepEqual(
    ['$(zap) Restart', 'Stop', 'Show Tools', 'Show Log'].filter((title) => !lenses.includes(title)),
    [],
  );
  assert.match(await hoverOf(document, key.translate(0, 1)), /read_text_file/);
});

test('mcp.json: an edit shows in hints and marks before it is saved, and is forgotten when it is taken back', async () => {
  const editor = await open();
  const { document } = editor;
  await editor.edit((edit) => {
    edit.replace(place(document, '"fs"'), '"other": {},\n"files"');
  });
  const line = place(document, '"files"').start.line;
  await until('another hint', async () => (await hintsOf(document)).join(';').includes(`${line},used once saved`));
  const marks = await until('a mark', () => marksOf(document).length > 0 && marksOf(document));
  assert.match(String(marks[0]), new RegExp(`^${line - 1},.*neither .command. nor .url.`));
  const labels = await completionOf(document, place(document, '"files": {').end);
  assert.ok(labels.includes('envFile'), labels.join());
  await run('workbench.action.files.revert');
  await until('the hint of the file', async () => (await hintsOf(document)).join(';').includes('14 tools · ready'));
  await until('no marks', () => marksOf(document).length === 0);
});
