// The main road as a user takes it: `#tta-mcp-code-execution` in the Chat view, a program over a real MCP server, the
// answer in the chat, what was saved on a card under the run and in the status bar. What the model itself would write is
// scripted.
import assert from 'node:assert/strict';
import test from 'node:test';
import { scriptedModel } from './model.mjs';
import { notesWorkspace, settings } from './setup.mjs';
import { extensions } from './vsix.mjs';
import { until, Workbench } from './workbench.mjs';

const program = (folder) => `
import asyncio, json
from servers import fs

names = ["ant", "bee", "cat"]
texts = await asyncio.gather(*[fs.read_text_file(path=f"${folder}/notes/{name}.md") for name in names])
contents = [t["content"] if isinstance(t, dict) else t for t in texts]
counts = {name: len(text.split()) for name, text in zip(names, contents)}
await fs.write_file(path="${folder}/notes/counts.json", content=json.dumps(counts))
counts
`;

/** What the program finds in the notes, as the model and the chat see it. */
const COUNTS = /"ant": ?1600, ?"bee": ?2100, ?"cat": ?1500/;

test('a chat with the tool set runs a program over a real server and shows what it saved', async (t) => {
  const folder = notesWorkspace(t);
  const model = await scriptedModel({ tool: 'mcp_tta_run_code', args: { code: program(folder), language: 'python' } });
  t.after(() => model.close());
  const workbench = await Workbench.open({ folder, extensions, settings, modelUrl: model.url });
  t.after(() => workbench.close());
  await workbench.statusWith('TTA: ready');
  await workbench.enableAgent();
  await workbench.ask('#tta-mcp-code-execution How many words has each of my notes?');
  // What a program does, and what comes back from its servers, is not known beforehand: the editor asks about both.
  await workbench.allow('Allow in this Session');
  // The program writes a file, which its server says may destroy one: the daemon asks about that call.
  await workbench.page.getByText('Call fs.write_file with').waitFor({ timeout: 60_000 });
  await workbench.shoot('elicitation');
  await workbench.page.getByText('Allow once', { exact: true }).click();
  await workbench.allow('Allow Without Review in this Session');
  await workbench.answerWith(COUNTS).finally(() => workbench.shoot('chat'));
  assert.match(String(model.toolResult()), COUNTS, 'the model saw the program’s result');
  const offered = model.requests.at(-1).tools.map(({ function: { name } }) => name);
  const ours = offered.filter((name) => name.startsWith('mcp_tta_'));
  assert.deepEqual(
    ours,
    ['mcp_tta_run_code', 'mcp_tta_search_tools'],
    'the whole tool set was attached, no tool besides',
  );

  const savings = await until('the ledger', async () => {
    const now = await workbench.savings();
    return now.workspace.runs === 1 && now.pending === 0 ? now : undefined;
  });
  assert.equal(savings.workspace.calls, 4);
  const { saved, saved_percent: percent } = savings.workspace.tokens;
  assert.ok(saved > 3_000, `three long notes never reached the model, yet only ${saved} tokens were saved`);
  assert.equal(await workbench.statusWith('saved'), `${short(saved)} tokens saved · ${wholePercent(percent)} %`);

  const card = workbench.page.frameLocator('.interactive-session iframe.webview').frameLocator('iframe');
  await card.getByText(`${whole(saved)} tokens saved · ${wholePercent(percent)} %`).waitFor();
  const { code_mode: code, direct } = savings.workspace.tokens;
  const sides = [code, direct.deferred, direct.needed_servers, direct.all_servers];
  const totals = (await card.locator('.sides .number').allInnerTexts()).map((text) => text.trim());
  assert.deepEqual(
    totals,
    sides.map(({ total }) => whole(total)),
    'the card and the status bar tell the same',
  );
  const calls = [...Array(3).fill('fs.read_text_file'), 'fs.write_file'];
  assert.deepEqual(await card.locator('.calls .name').allInnerTexts(), calls);
  await workbench.shoot('card');
  for (const [theme, name, shown] of [
    ['Default Dark Modern', 'card-dark', ':root.dark .vscode-dark'],
    ['Default High Contrast', 'card-contrast', ':root.dark .vscode-high-contrast'],
  ]) {
    await useTheme(workbench, theme);
    await card.locator(shown).waitFor();
    await workbench.shoot(name);
  }
  const seen = JSON.stringify(model.requests);
  for (const shown of ['tta/run', 'wall_ms', 'ui://', 'tokens saved']) {
    assert.ok(!seen.includes(shown), `what the card shows never reached the model, yet it saw “${shown}”`);
  }

  await workbench.status.hover();
  await workbench.page.locator('.monaco-hover:visible', { hasText: 'definitions' }).waitFor();
  await workbench.shoot('savings');
});

function useTheme(workbench, theme) {
  return workbench.inHost(
    `await vscode.workspace.getConfiguration('workbench').update('colorTheme', ${JSON.stringify(theme)}, true)`,
  );
}

function whole(tokens) {
  return tokens.toLocaleString('en-US');
}

/** As the status bar writes tokens; said again here so that the test does not repeat the code under test. */
function short(tokens) {
  const size = Math.abs(tokens);
  return `${tokens < 0 ? '−' : ''}${size < 1000 ? size : `${(size / 1000).toFixed(1)}k`}`;
}

function wholePercent(percent) {
  return `${percent < 0 ? '−' : ''}${Math.floor(Math.abs(percent))}`;
}
