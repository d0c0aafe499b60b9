// Windows as people have them: two on one workspace, and one with two folders.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { serverEntries } from '../../scripts/lib/servers.mjs';
import { notesWorkspace, settings } from './setup.mjs';
import { extensions } from './vsix.mjs';
import { until, Workbench } from './workbench.mjs';

const LIST = `from servers import fs

listing = await fs.list_directory(path="NOTES")
str(listing).count(".md")
`;

test('windows as people have them', async (t) => {
  await t.test('two windows share a workspace, and each sees what the other saved, also after a reload', shared);
  await t.test('a window with two folders has the servers of both', multiRoot);
});

async function shared(t) {
  const folder = notesWorkspace(t, (notes) => ({ 'list.py': LIST.replace('NOTES', notes) }));
  const run = async (window) => {
    await window.openFile(join(folder, 'list.py'));
    await window.command('tta.runFile');
    await window.outputWith('list.py · done');
  };
  const counted = (window, runs) =>
    until(`${runs} counted runs`, async () => {
      const { workspace, pending } = await window.savings();
      return workspace.runs === runs && pending === 0;
    });
  const first = await Workbench.open({ folder, extensions, settings });
  t.after(() => first.close());
  await first.statusWith('TTA: ready');
  await run(first);
  await counted(first, 1);

  const second = await first.window(folder);
  await second.statusWith('saved');
  assert.equal(first.daemons().length, 2, 'each window has a daemon of its own');
  await counted(second, 1);
  await run(second);
  await counted(second, 2);
  await counted(first, 2);
  await first.reload();
  await first.statusWith('saved');
  await run(first);
  await counted(first, 3);
  await counted(second, 3);
  await second.shoot('window');
  await second.close();
  await until('the end of its daemon', () => first.daemons().length === 1);
}

async function multiRoot(t) {
  const notes = notesWorkspace(t);
  const more = notesWorkspace(t);
  const servers = { more: serverEntries(more).fs };
  writeFileSync(join(more, '.vscode/mcp.json'), JSON.stringify({ servers }, null, 2));
  const file = join(notes, 'both.code-workspace');
  writeFileSync(file, JSON.stringify({ folders: [{ path: notes }, { path: more }] }));
  mkdirSync(join(notes, 'programs'));
  const program = `from servers import fs, more

a = await fs.list_directory(path="${join(notes, 'notes')}")
b = await more.list_directory(path="${join(more, 'notes')}")
(str(a) + str(b)).count(".md")
`;
  writeFileSync(join(notes, 'programs/both.py'), program);
  const workbench = await Workbench.open({ folder: file, extensions, settings });
  t.after(() => workbench.close());
  await workbench.statusWith('TTA: ready');
  await workbench.openFile(join(notes, 'programs/both.py'));
  await workbench.command('tta.runFile');
  const output = await workbench.outputWith('both.py · done');
  assert.match(output, /^6$/m);

  await workbench.inHost(`vscode.workspace.updateWorkspaceFolders(1, 1)`);
  await workbench.command('tta.showServers');
  const row = (name) => workbench.page.locator(`.sidebar .monaco-list-row[aria-label^="${name}, "]`);
  await row('fs').waitFor();
  await row('more').waitFor({ state: 'detached' });
}
