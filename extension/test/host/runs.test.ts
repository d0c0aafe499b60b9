import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import * as vscode from 'vscode';
import {
  accepting,
  file,
  folder,
  inFront,
  newRun,
  opened,
  place,
  recorded,
  resultOf,
  run,
  savings,
  until,
} from './host';
import { marksOf } from './providers';

const NOTES = JSON.stringify(vscode.Uri.joinPath(folder, 'notes').fsPath);
const COUNT = `from servers import fs
listing = await fs.list_directory(path=${NOTES})
print("reading")
{"files": str(listing).count(".md")}
`;

test('runs: Run File leaves a run with program, output and result, and Rerun Last makes another', async () => {
  const editor = await file('count.py', COUNT);
  const first = await newRun(() => run('tta.runFile'));
  assert.deepEqual([first.label, first.status, first.calls, first.front], ['count.py', 'ok', 1, 'lsp']);
  assert.deepEqual(await resultOf(first), { files: 3 });
  await run('tta.openProgram', { kind: 'run', run: first });
  assert.equal(await inFront('tta', 'from servers'), COUNT);
  await run('tta.openOutput', { kind: 'run', run: first });
  assert.equal((await inFront('tta', 'reading')).trim(), 'reading');
  await opened('output', 'count.py · done');

  await vscode.window.showTextDocument(editor.document);
  await vscode.window.activeTextEditor?.edit((edit) => {
    edit.replace(place(editor.document, '"files"'), '"again"');
  });
  const again = await newRun(() => run('tta.rerunLast'));
  assert.deepEqual(await resultOf(again), { again: 3 }, 'it runs as it stands now, unsaved');
  assert.deepEqual(await resultOf(await newRun(() => run('tta.rerun', { kind: 'run', run: first }))), { files: 3 });
});

test('runs: Run Selection runs the selected lines, and a failure stands at its line of the document', async () => {
  const editor = await file('parts.py', 'raise SystemError("first")\nsum(range(4))\n1 / 0\n');
  const select = (part: string): vscode.Selection => {
    const { start, end } = place(editor.document, part);
    return new vscode.Selection(start, end);
  };
  editor.selection = select('sum(range(4))');
  assert.equal(await resultOf(await newRun(() => run('tta.runSelection'))), 6);
  const shown = await vscode.window.showTextDocument(editor.document);
  shown.selection = select('1 / 0');
  assert.equal((await newRun(() => run('tta.runSelection'))).status, 'error');
  const [mark, ...others] = marksOf(editor.document);
  assert.match(String(mark), /^2,.*division by zero/);
  assert.deepEqual(others, []);
});

test('runs: Stop Run cancels the only one, and of several the one that is picked', async () => {
  const start = async (name: string, before: number): Promise<{ end: Thenable<unknown> }> => {
    await file(name, 'while True:\n    pass\n');
    const end = run('tta.runFile');
    await until(`${name} to run`, async () => (await savings()).running === before + 1);
    return { end };
  };
  const statusOf = (name: string): string | undefined => recorded().find(({ label }) => label === name)?.status;
  const older = await start('older.py', 0);
  const newer = await start('newer.py', 1);
  await accepting('tta.stopRun');
  await newer.end;
  await until('the newer to be recorded', () => statusOf('newer.py'));
  assert.deepEqual(
    [statusOf('newer.py'), statusOf('older.py'), (await savings()).running],
    ['cancelled', undefined, 1],
  );
  await run('tta.stopRun');
  await older.end;
  await until('the older to be recorded', () => statusOf('older.py'));
  assert.deepEqual([statusOf('older.py'), (await savings()).running], ['cancelled', 0]);
});

test('runs: a result that was cut opens whole, from the file that keeps it', async () => {
  const length = 100_000;
  await file('long.py', `"x" * ${length}`);
  const made = await newRun(() => run('tta.runFile'));
  const said = await opened('output', `${made.id}-result.json`);
  const path = /\S+-result\.json/.exec(said.slice(said.lastIndexOf('long.py · done')))?.[0] ?? '';
  await run('tta.openArtifact', { kind: 'artifact', run: made, file: path });
  assert.equal(JSON.parse(await inFront('file', 'xxx')), 'x'.repeat(length));
  assert.equal(vscode.window.activeTextEditor?.document.uri.fsPath, path);
  assert.equal(readFileSync(path, 'utf8').length, length + 2);
  assert.ok(((await resultOf(made)) as string).length < length, 'what the model gets is its beginning');
});
