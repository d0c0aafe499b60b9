// A workspace that is not trusted: nothing of it is started, and that is said; when trust is granted, the daemon starts.
import assert from 'node:assert/strict';
import test from 'node:test';
import { notesWorkspace, settings } from './setup.mjs';
import { extensions } from './vsix.mjs';
import { Workbench } from './workbench.mjs';

test('an untrusted workspace starts no daemon until it is trusted', async (t) => {
  const workbench = await Workbench.open({ folder: notesWorkspace(t), extensions, settings, trusted: false });
  t.after(() => workbench.close());
  assert.equal(await workbench.statusWith('TTA'), 'TTA: restricted');
  await assert.rejects(workbench.savings(), /not trusted/);
  assert.deepEqual(workbench.daemons(), [], 'no daemon runs');
  await workbench.shoot('restricted');

  await workbench.status.click();
  await workbench.page.locator('.workspace-trust-editor .monaco-button:visible', { hasText: /^Trust$/ }).click();
  assert.equal(await workbench.statusWith('TTA: ready'), 'TTA: ready');
  assert.equal(workbench.daemons().length, 1, 'one daemon runs');
});
