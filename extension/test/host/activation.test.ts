import assert from 'node:assert/strict';
import test from 'node:test';
import * as vscode from 'vscode';
import { api, ID, until } from './host';

interface Contributes {
  readonly commands: readonly { readonly command: string }[];
  readonly configuration: { readonly properties: Readonly<Record<string, { readonly default: unknown }>> };
}

function contributes(): Contributes {
  return (vscode.extensions.getExtension(ID)?.packageJSON as { contributes: Contributes }).contributes;
}

test('activation: it is quick, and exports what was saved', async () => {
  const exported = await api();
  assert.ok(vscode.extensions.getExtension(ID)?.isActive);
  const { wallMs } = exported.activation;
  assert.ok(wallMs > 0 && wallMs < 2_000, `${wallMs} ms`);
  const { session, workspace, running } = await exported.savings();
  assert.deepEqual([session.runs, workspace.runs, running], [0, 0, 0]);
});

test('activation: every contributed command is registered', async () => {
  const known = new Set(await vscode.commands.getCommands(true));
  const commands = contributes().commands.map(({ command }) => command);
  assert.ok(commands.length > 30);
  assert.deepEqual(
    commands.filter((command) => !known.has(command)),
    [],
  );
});

test('activation: every setting has its default', () => {
  const read = vscode.workspace.getConfiguration();
  for (const [name, { default: value }] of Object.entries(contributes().configuration.properties)) {
    assert.deepEqual(read.inspect(name)?.defaultValue, value, name);
  }
});

test('activation: the editor gets the tool set from the definition provider, and reaches the daemon by it', async () => {
  await vscode.commands.executeCommand('workbench.mcp.startServer', '*', { waitForLiveTools: true });
  const names = ['mcp_tta_run_code', 'mcp_tta_search_tools'];
  await until('the tool set', () => names.every((name) => vscode.lm.tools.some((tool) => tool.name === name)));
  const input = { query: 'read a text file' };
  const answer = await vscode.lm.invokeTool('mcp_tta_search_tools', { input, toolInvocationToken: undefined });
  assert.match(JSON.stringify(answer.content), /fs\.read_text_file/);
});
