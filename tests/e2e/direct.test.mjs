// Tools that `tta.toml` offers beside our own, in the editor's own agent: the model is shown one as its server describes it,
// calls it without a program, the person is asked as about every call, and it is counted for what it is.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { scriptedModel } from './model.mjs';
import { notesWorkspace, settings } from './setup.mjs';
import { extensions } from './vsix.mjs';
import { until, Workbench } from './workbench.mjs';

const TOOL = 'mcp_tta_fs__write_file';
const TEXT = 'Written without a program.';

test('a tool that tta.toml names stands beside run_code, is asked about, and counted', async (t) => {
  const folder = notesWorkspace(t, () => ({ 'sum.py': '1 + 1\n' }));
  writeFileSync(join(folder, 'tta.toml'), '[mcp]\ndirect_tools = ["fs.write_file"]\n');
  const path = join(folder, 'notes', 'direct.md');
  const model = await scriptedModel({ tool: TOOL, args: { path, content: TEXT } });
  t.after(() => model.close());
  const workbench = await Workbench.open({ folder, extensions, settings, modelUrl: model.url });
  t.after(() => workbench.close());
  await workbench.statusWith('TTA: ready');
  await workbench.openFile(join(folder, 'sum.py'));
  await workbench.command('tta.runFile');
  await workbench.outputWith('sum.py · done');
  await workbench.enableAgent();
  await workbench.ask('#tta-mcp-code-execution Write that down.');
  // The editor asks about its own tools first, as it does about run_code.
  await workbench.allow('Allow in this Session').finally(() => workbench.shoot('direct-editor'));
  await workbench.page.getByText('Call fs.write_file with').waitFor({ timeout: 60_000 });
  await workbench.shoot('direct-asked');
  assert.ok(!existsSync(path), 'the call was made before it was allowed');
  await workbench.page.getByText('Allow once', { exact: true }).click();
  await workbench.answerWith('Successfully wrote').finally(() => workbench.shoot('direct'));
  assert.equal(readFileSync(path, 'utf8'), TEXT);
  assert.match(String(model.toolResult()), /Successfully wrote/, 'the model saw the server’s answer');

  const { tools } = model.requests.find((request) => request.tools?.some(({ function: { name } }) => name === TOOL));
  const ours = tools.map((tool) => tool.function).filter(({ name }) => name.startsWith('mcp_tta_'));
  assert.deepEqual(ours.map(({ name }) => name).sort(), [TOOL, 'mcp_tta_run_code', 'mcp_tta_search_tools']);
  const shown = ours.find(({ name }) => name === TOOL);
  assert.match(shown.description, /Create a new file or completely overwrite/, 'the server’s own words');
  assert.deepEqual(shown.parameters.required, ['path', 'content']);

  await workbench.command('tta.showDashboard');
  const page = workbench.page.frameLocator('iframe.webview:visible').frameLocator('iframe').locator('body');
  const counted = page.getByText('1 call was made without a program');
  await counted.scrollIntoViewIfNeeded().finally(() => workbench.shoot('direct-dashboard'));
  const tokens = Number((await counted.innerText()).match(/with ([\d,]+) tokens/)[1].replace(',', ''));
  assert.ok(tokens > 10, `the arguments and the answer, not ${tokens} tokens`);

  const report = join(folder, 'report.json');
  await workbench.command('tta.exportReport');
  const input = workbench.page.locator('.quick-input-widget:visible input[type="text"]');
  await until('the dialog', async () => /tta-report-.*\.md$/.test(await input.inputValue()));
  await input.fill(report);
  await workbench.page.keyboard.press('Enter');
  const { total } = await until('the report', () => JSON.parse(readFileSync(report, 'utf8')));
  assert.equal(total.runs, 1, 'the call is no run');
  const { direct_calls: calls, direct_tokens: same } = total.asides;
  assert.deepEqual({ calls, tokens: same }, { calls: 1, tokens }, 'the report and the dashboard tell the same');
});
