/**
 * Where the extension begins: one {@link Ctx}, and the table of commands. Activation waits for nothing; the daemon
 * starts beside it.
 */

import * as vscode from 'vscode';
import { openLog, restartDaemon } from './commands/daemon';
import { runFile, runSelection } from './commands/run';
import { RECEIPT_SCHEME, Receipts, showRuns } from './commands/runs';
import { showServers } from './commands/servers';
import { Ctx } from './ctx';
import { manageApprovals } from './editor/manage';
import type { SavingsSummary } from './lsp_ext';
import { followSettings } from './settings';
import { TOOL_SET } from './tools';
import { savings } from './wire';

/** A command gets what called it: a tree's node, a document's URI, a server's name; nothing from the palette. */
type Command = (ctx: Ctx, subject?: unknown) => Promise<void> | void;

const commands: Readonly<Record<string, Command>> = {
  'tta.runFile': runFile,
  'tta.runSelection': runSelection,
  'tta.showServers': showServers,
  'tta.showRuns': showRuns,
  'tta.manageApprovals': manageApprovals,
  'tta.forgetInputs': ({ editor }) => editor.secrets.forget(),
  'tta.restartDaemon': restartDaemon,
  'tta.openLog': openLog,
};

/** What other extensions may ask of this one. */
export interface Api {
  /** What was saved in this session and in this workspace. Fails where there is no daemon. */
  savings(): Promise<SavingsSummary>;
  /** For how long the activation held the extension host's main thread, loading the extension's code included. */
  readonly activationMs: number;
}

/** When the bundle began to run; build.mjs puts it there. */
declare const loadedFrom: number;

export function activate(context: vscode.ExtensionContext): Api {
  const ctx = new Ctx(context);
  context.subscriptions.push(
    ctx,
    ...Object.entries(commands).map(([name, command]) => register(ctx, name, command)),
    vscode.lm.registerMcpServerDefinitionProvider(TOOL_SET, ctx.tools),
    vscode.workspace.registerTextDocumentContentProvider(RECEIPT_SCHEME, new Receipts(ctx)),
    vscode.workspace.onDidGrantWorkspaceTrust(() => void ctx.start()),
    followSettings(ctx),
  );
  void ctx.start();
  const activationMs = performance.now() - loadedFrom;
  ctx.log.debug(`Activated in ${activationMs.toFixed(1)} ms.`);
  return { savings: () => ctx.request(savings, {}), activationMs };
}

/** A command's failure is shown with its reason, never thrown at the editor. */
function register(ctx: Ctx, name: string, command: Command): vscode.Disposable {
  return vscode.commands.registerCommand(name, async (subject?: unknown) => {
    try {
      await command(ctx, subject);
    } catch (error) {
      ctx.log.error(error instanceof Error ? error : String(error));
      void vscode.window.showErrorMessage(`TTA: ${error instanceof Error ? error.message : String(error)}`);
    }
  });
}
