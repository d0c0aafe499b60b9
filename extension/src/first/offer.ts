/**
 * One quiet offer, ever: a workspace without servers of its own, and servers that other tools configured for this user.
 * Leaves out the import itself, which is a command.
 */

import * as vscode from 'vscode';
import type { Ctx } from '../ctx';
import type { ServerStatus } from '../lsp_ext';

const OFFERED = 'tta.importOffered';

/** Files whose servers the editor knows already: its own, and ours. */
const OWN =
  /[/\\](\.vscode[/\\](mcp|settings)\.json|Code[/\\]User[/\\](mcp|settings)\.json|tta[/\\]mcp\.json|tta\.toml)$/;

/** Whether the servers of `file` are another tool's. */
export function isForeign(file: string): boolean {
  return !OWN.test(file) && /\.(json|toml)$/.test(file);
}

/** Offers the import as soon as there is something to import, unless that was offered before. */
export function offerImport(ctx: Ctx, memory: vscode.Memento): vscode.Disposable {
  return ctx.onServers((servers) => {
    const foreign = importable(servers);
    if (foreign.length > 0 && memory.get<boolean>(OFFERED) !== true) {
      void memory.update(OFFERED, true);
      void offer(foreign.length);
    }
  });
}

/** The servers of other tools, where the workspace and the user's own files configure none. Pure. */
export function importable(servers: readonly ServerStatus[]): readonly ServerStatus[] {
  const configured = servers.filter(({ source }) => source.scope !== 'editor');
  return configured.every(({ source }) => isForeign(source.file)) ? configured : [];
}

async function offer(count: number): Promise<void> {
  const show = vscode.l10n.t('Import Servers');
  const found =
    count === 1
      ? vscode.l10n.t('TTA: one MCP server of another tool was found. It can be copied into this workspace.')
      : vscode.l10n.t('TTA: {0} MCP servers of other tools were found. They can be copied into this workspace.', count);
  if ((await vscode.window.showInformationMessage(found, show)) === show) {
    await vscode.commands.executeCommand('tta.importServers');
  }
}
