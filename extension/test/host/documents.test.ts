import assert from 'node:assert/strict';
import test from 'node:test';
import * as vscode from 'vscode';
import { accepting, file, folder, inFront, newRun, opened, recorded, run, until } from './host';

test('documents: New Program writes a skeleton of what is proposed, and it runs', async () => {
  await accepting('tta.newProgram');
  const text = await inFront('untitled', 'import asyncio');
  assert.match(text, /^from servers import fs$/m);
  assert.match(text, /^# async def fs\.read_text_file\(/m);
  assert.equal((await newRun(() => run('tta.runFile'))).status, 'ok');
});

test('documents: Search Tools writes a call into the program in front, and copies it where there is none', async () => {
  const { document } = await file('search.ts', 'const before = 1;\n');
  await until('a call in the program', async () => {
    await accepting('tta.searchTools');
    return document.getText().includes('await fs.');
  });
  assert.match(document.getText(), /^import \* as fs from "servers\/fs";\n/);
  await document.save();
  await run('workbench.action.closeAllEditors');
  await vscode.env.clipboard.writeText('');
  const copied = await until('a call in the clipboard', async () => {
    await accepting('tta.searchTools');
    const text = await vscode.env.clipboard.readText();
    return text !== '' && text;
  });
  assert.match(copied, /^from servers import fs\nawait fs\.\w+\(.*\)\n$/);
});

test('documents: Open Log, Show Log and Doctor show what they are named after', async () => {
  await run('tta.openLog');
  await opened('output', 'Starting ');
  await run('tta.showLog', 'fs');
  await inFront('tta', 'MCP Filesystem Server');
  await run('tta.doctor');
  assert.match(await opened('tta', '# TTA Doctor'), /All \d+ checks hold/);
});

test('documents: Show Last Runs opens the receipt of the newest', async () => {
  await accepting('tta.showRuns');
  const [newest] = recorded();
  assert.ok(newest);
  assert.match(await opened('tta-receipt', newest.id), /^# .* tokens saved/);
});

test('documents: How Was This Computed shows every turn of the newest run', async () => {
  await run('tta.explainRun');
  const [newest] = recorded();
  assert.ok(newest);
  assert.match(await opened('tta', `# How the tokens of run ${newest.id}`), /## Direct|is a loss|are a loss/);
});

test('documents: Export Report writes every run into the file it proposes', async () => {
  await accepting('tta.exportReport');
  const text = await inFront('file', '# What programs saved');
  const path = vscode.window.activeTextEditor?.document.uri.path ?? '';
  assert.match(path.slice(folder.path.length), /^\/tta-report-\d{4}-\d\d-\d\d\.md$/);
  const rows = text.split('\n').filter((line) => /^\| [0-9a-f]{32} +\|/.test(line));
  assert.equal(rows.length, recorded().length);
});
