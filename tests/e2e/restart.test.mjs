// A daemon that is killed comes back by itself, serves the tool set at its new address, and gives up after five crashes.
import assert from 'node:assert/strict';
import test from 'node:test';
import { scriptedModel } from './model.mjs';
import { notesWorkspace, settings } from './setup.mjs';
import { extensions } from './vsix.mjs';
import { until, Workbench } from './workbench.mjs';

test('a killed daemon is started again, and one that keeps dying is left stopped', async (t) => {
  const model = await scriptedModel({ tool: 'none', args: {} });
  t.after(() => model.close());
  const workbench = await Workbench.open({ folder: notesWorkspace(t), extensions, settings, modelUrl: model.url });
  t.after(() => workbench.close());
  const daemonAfter = (last) => until('a daemon', () => workbench.daemons().find((pid) => pid !== last));
  await workbench.statusWith('TTA: ready');
  await workbench.enableAgent();
  const first = await daemonAfter();
  assert.match(await searchTools(workbench), /read_text_file/);

  process.kill(first, 'SIGKILL');
  let last = await daemonAfter(first);
  await until('an answer of the new daemon', () => workbench.savings());
  assert.equal(await workbench.statusWith('TTA: ready'), 'TTA: ready');
  assert.match(await searchTools(workbench), /read_text_file/, 'the editor reaches the tool set at its new address');

  for (let crashes = 2; crashes < 5; crashes += 1) {
    process.kill(last, 'SIGKILL');
    last = await daemonAfter(last);
  }
  process.kill(last, 'SIGKILL');
  assert.equal(await workbench.statusWith('TTA: stopped'), 'TTA: stopped');
  await workbench.page.locator('.notification-toast:visible', { hasText: 'crashed 5 times' }).waitFor();
  await assert.rejects(workbench.savings(), /crashed 5 times/);
  await workbench.shoot('stopped');

  await workbench.status.click();
  assert.equal(await workbench.statusWith('TTA: ready'), 'TTA: ready');
});

/** Calls our `search_tools` the way any extension calls a tool: through the editor and its MCP client. */
async function searchTools(workbench) {
  await workbench.inHost(
    `await vscode.commands.executeCommand('workbench.mcp.startServer', '*', { waitForLiveTools: true })`,
  );
  return until('the tool set', () =>
    workbench.inHost(`
      const input = { query: 'read a text file' };
      const { content } = await vscode.lm.invokeTool('mcp_tta_search_tools', { input, toolInvocationToken: undefined });
      return content.map(({ value }) => value).join('\\n');
    `),
  );
}
