/**
 * Where the extension begins: one {@link Ctx}, and the table of commands. Activation waits for nothing; the daemon
 * starts beside it.
 */

import * as vscode from 'vscode';
import { addInstructions, addToolSet, registerBundled } from './chat/files';
import { registerParticipants } from './chat/participants';
import { callTool } from './commands/call_tool';
import { openLog, restartDaemon } from './commands/daemon';
import { importServers } from './commands/import_servers';
import { newProgram } from './commands/new_program';
import * as reports from './commands/reports';
import * as run from './commands/run';
import * as runs from './commands/runs';
import { searchTools } from './commands/search';
import * as servers from './commands/servers';
import { Ctx } from './ctx';
import { manageApprovals } from './editor/manage';
import { TOOL_SET } from './endpoint';
import { clocks, costSince, sum, type Clocks, type Cost } from './first/cost';
import { offerImport } from './first/offer';
import type { SavingsSummary } from './lsp_ext';
import { Parts } from './parts';
import { followSettings } from './settings';
import * as wire from './wire';

/** A command gets what called it: a tree's node, a document's URI, a server's name; nothing from the palette. */
type Command = (ctx: Ctx, subject: unknown, parts: Parts) => Thenable<void> | void;

const commands: Readonly<Record<string, Command>> = {
  'tta.runFile': run.runFile,
  'tta.runSelection': run.runSelection,
  'tta.newProgram': newProgram,
  'tta.rerunLast': run.rerunLast,
  'tta.rerun': run.rerun,
  'tta.stopRun': runs.stopRun,
  'tta.showRuns': runs.showRuns,
  'tta.openReceipt': runs.openReceipt,
  'tta.explainRun': runs.explainRun,
  'tta.openProgram': runs.openProgram,
  'tta.openResult': runs.openResult,
  'tta.openOutput': runs.openOutput,
  'tta.openCall': runs.openCall,
  'tta.openArtifact': runs.openArtifact,
  'tta.searchTools': searchTools,
  'tta.callTool': callTool,
  'tta.showServers': servers.showServers,
  'tta.startServer': servers.startServer,
  'tta.stopServer': servers.stopServer,
  'tta.restartServer': servers.restartServer,
  'tta.loginServer': servers.loginServer,
  'tta.logoutServer': servers.logoutServer,
  'tta.showTools': servers.showTools,
  'tta.showLog': servers.showLog,
  'tta.openConfiguration': servers.openConfiguration,
  'tta.importServers': importServers,
  'tta.doctor': reports.doctor,
  'tta.showDashboard': reports.showDashboard,
  'tta.exportReport': reports.exportReport,
  'tta.refreshDocument': reports.refreshDocument,
  'tta.addToolSet': addToolSet,
  'tta.addInstructions': addInstructions,
  'tta.manageApprovals': manageApprovals,
  'tta.forgetInputs': ({ editor }) => editor.secrets.forget(),
  'tta.restartDaemon': restartDaemon,
  'tta.openLog': openLog,
};

/** What other extensions may ask of this one. */
export interface Api {
  /** What was saved in this session and in this workspace. Fails where there is no daemon. */
  savings(): Promise<SavingsSummary>;
  /** What the activation cost the extension host's main thread, loading the extension's code included. */
  readonly activation: Cost;
}

/** When the bundle began to run; build.mjs puts it there. This module's body is the last to run. */
declare const loadedFrom: Clocks;
const load = costSince(loadedFrom);

export function activate(context: vscode.ExtensionContext): Api {
  const activatedAt = clocks();
  const ctx = new Ctx(context);
  const parts = new Parts(ctx);
  context.subscriptions.push(
    ctx,
    parts,
    ...Object.entries(commands).map(([name, command]) => register(ctx, parts, name, command)),
    vscode.lm.registerMcpServerDefinitionProvider(TOOL_SET, ctx.tools),
    vscode.workspace.registerTextDocumentContentProvider(runs.RECEIPT_SCHEME, new runs.Receipts(ctx)),
    registerParticipants(ctx),
    registerBundled(),
    vscode.workspace.onDidGrantWorkspaceTrust(() => void ctx.start()),
    followSettings(ctx),
    offerImport(ctx, context.globalState),
  );
  void ctx.start();
  const activation = sum(load, costSince(activatedAt));
  ctx.log.debug(
    `Activated in ${activation.wallMs.toFixed(1)} ms, ${activation.cpuMs?.toFixed(1) ?? '?'} ms of them busy.`,
  );
  return { savings: () => ctx.request(wire.savings, {}), activation };
}

/** A command's failure is shown with its reason, never thrown at the editor. */
function register(ctx: Ctx, parts: Parts, name: string, command: Command): vscode.Disposable {
  return vscode.commands.registerCommand(name, async (subject?: unknown) => {
    try {
      await command(ctx, subject, parts);
    } catch (error) {
      ctx.log.error(error instanceof Error ? error : String(error));
      void vscode.window.showErrorMessage(`TTA: ${error instanceof Error ? error.message : String(error)}`);
    }
  });
}
