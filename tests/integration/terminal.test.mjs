// What a person sees at a terminal and a script does not: the question of trust, what goes on, and Ctrl-C.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { serverEntries } from '../../scripts/lib/servers.mjs';
import { runOnTerminal, workspace } from '../lib/tta.mjs';

const QUESTION = 'now and whenever they are the same? [y/N] ';
const ENDLESS = 'import tta\ntta.progress("under way")\nwhile True: pass';

const filesystem = (t) => workspace(t, { servers: (folder) => ({ fs: serverEntries(folder).fs }) });
const list = (folder) => ['run', '--lang', 'python', '-e', `from servers import fs\n${call(folder)}`];
const call = (folder) => `"[DIR] .vscode" in (await fs.list_directory(path=${JSON.stringify(folder)}))["content"]`;

test('trust is asked for with the exact commands, remembered for them, and asked again for others', async (t) => {
  const folder = filesystem(t);
  const asked = (answer) => runOnTerminal(folder, list(folder), [[QUESTION, answer]]);
  const no = await asked('\n');
  assert.equal(no.code, 4, no.screen);
  assert.match(no.screen, /^The workspace .* would start:\n {2}fs: .*server-filesystem/);
  assert.match(no.screen, /tta: they stay stopped\n[^]*error\[denied\][^]*hint: .*--trust/);
  const yes = await asked('y\n');
  assert.equal(yes.code, 0, yes.screen);
  assert.match(yes.screen, /\ntrue\ntta: 1 call, /);
  const again = await runOnTerminal(folder, list(folder), []);
  assert.equal(again.code, 0, again.screen);
  assert.match(again.screen, /^true\ntta: 1 call, /);
  const fs = serverEntries(folder).fs;
  const changed = { servers: { fs: { ...fs, args: [...fs.args, join(folder, '.vscode')] } } };
  writeFileSync(join(folder, '.vscode', 'mcp.json'), JSON.stringify(changed));
  const other = await asked('n\n');
  assert.equal(other.code, 4, other.screen);
});

test('Ctrl-C cancels a program, and what it said before stands on lines of its own', async (t) => {
  const run = ['run', '--lang', 'python', '-e', ENDLESS];
  const { code, screen } = await runOnTerminal(workspace(t), run, [['under way\r\n', '\x03']]);
  assert.equal(code, 130, screen);
  assert.match(screen, /(^|\n)tta: under way\n\^C\ntta: cancelling; Ctrl-C again to quit at once\n/);
  assert.match(screen, /\nerror\[cancelled\]: the run was cancelled\ntta: no calls, /);
});

test('Ctrl-C at the question starts nothing and remembers nothing', async (t) => {
  const folder = filesystem(t);
  const left = await runOnTerminal(folder, list(folder), [[QUESTION, '\x03']]);
  assert.equal(left.code, -2, left.screen);
  const next = await runOnTerminal(folder, list(folder), [[QUESTION, '\n']]);
  assert.equal(next.code, 4, next.screen);
});
