import assert from 'node:assert/strict';
import test from 'node:test';
import * as vscode from 'vscode';
import { file, folder, newRun, place, run, until } from './host';
import { completionOf, hintsOf, hoverOf, lensesOf, marksOf, signatureOf } from './providers';

const NOTES = vscode.Uri.joinPath(folder, 'notes').fsPath;
const GOOD = `from servers import fs
notes = []
for name in ["ant", "bee", "cat"]:
    notes.append(await fs.read_text_file(path=f"${NOTES}/{name}.md"))
len(notes)
`;
const WRONG = `import * as fs from "servers/fs";
const text = await fs.read_txt_file({ path: "a" });
const head = await fs.read_text_file({ path: "a", head: "3" });
`;

test('programs: what a run would fail at is marked until it is mended', async () => {
  const editor = await file('wrong.ts', WRONG);
  const { document } = editor;
  const [first, second] = await until('marks', () => marksOf(document).length === 2 && marksOf(document));
  assert.match(String(first), /^1,unknown-tool: .*did you mean/);
  assert.match(String(second), /^2,arguments: read_text_file: head: expected number/);
  await editor.edit((edit) => {
    edit.replace(place(document, 'read_txt_file'), 'read_text_file');
    edit.replace(place(document, '"3"'), '3');
  });
  await until('no marks', () => marksOf(document).length === 0);
});

test('programs: a tool has hover, completion and signature help where it is written', async () => {
  const { document } = await file('.tta/write.py', `${GOOD}await fs.read_text_file(path="a", `);
  const { start } = place(document, 'read_text_file');
  assert.match(await hoverOf(document, start), /fs\.read_text_file\(\*, path: str/);
  const labels = await completionOf(document, start);
  for (const name of ['read_text_file', 'list_directory', 'write_file']) {
    assert.ok(labels.includes(name), `${name} is not among ${labels.join()}`);
  }
  const end = document.lineAt(document.lineCount - 1).range.end;
  const [signature] = (await signatureOf(document, end)).signatures;
  assert.match(signature?.label ?? '', /^fs\.read_text_file\(path: str/);
  assert.equal(signature?.parameters.length, 3);
});

test('programs: lines and lens say what the last run kept out, as long as it is that program', async () => {
  const { document } = await file('.tta/count.py', GOOD);
  assert.deepEqual([await lensesOf(document), await hintsOf(document)], [['$(zap) Run'], []]);
  await newRun(() => run('tta.runFile', document.uri));
  const [hint, ...others] = await until('hints', async () => {
    const hints = await hintsOf(document);
    return hints.length > 0 && hints;
  });
  assert.match(String(hint), /^3,⚡ 3 calls · [\d.,k]+ tokens kept out · /);
  assert.deepEqual(others, []);
  assert.match((await lensesOf(document))[1] ?? '', /^3 calls · .+ tokens kept out$/);
  const shown = await vscode.window.showTextDocument(document);
  await shown.edit((edit) => {
    edit.insert(new vscode.Position(0, 0), '# a line more\n');
  });
  assert.deepEqual([await lensesOf(document), await hintsOf(document)], [['$(zap) Run'], []]);
});
