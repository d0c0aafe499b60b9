/**
 * Whether the tools can be called, and what to do where not: a daemon that starts is waited for, a tool set that the editor
 * has not started is started where the editor lets us, and otherwise the chat says what stands in the way, with a button.
 */

import * as vscode from 'vscode';
import type { DaemonState } from '../client';
import type { Ctx } from '../ctx';
import { isOurs } from '../editor/offered';
import { TOOL_SET } from '../endpoint';
import { markdown } from '../views/untrusted';
import { unlessCancelled } from './cancel';

type Stream = Pick<vscode.ChatResponseStream, 'markdown' | 'button' | 'progress'>;
export type Daemon = Pick<Ctx, 'state' | 'onDidChangeState'>;

const DAEMON_MS = 60_000;
const TRY_EVERY_MS = 500;
const MOST_TRIES = 40;
const TRIES_WITHOUT_COMMAND = 4;
/** The editor’s id for the server that our provider defines. */
const SERVER_ID = `tta.${TOOL_SET}/${TOOL_SET}`;

/** Our tools; undefined where they are not there, which was said then. */
export async function ourTools(
  ctx: Daemon,
  stream: Stream,
  token: vscode.CancellationToken,
): Promise<vscode.LanguageModelToolInformation[] | undefined> {
  if (isStarting(ctx.state)) {
    stream.progress(vscode.l10n.t('The daemon is starting'));
    await unlessCancelled(settled(ctx, token), token);
  }
  if (!saysReady(ctx.state, stream)) {
    return undefined;
  }
  if (listed().length === 0) {
    stream.progress(vscode.l10n.t('The tool set is starting'));
    await unlessCancelled(startToolSet(token), token);
  }
  const tools = listed();
  if (tools.length > 0) {
    return tools;
  }
  stream.markdown(
    vscode.l10n.t(
      'The editor has not started the MCP server `{0}`. It may be switched off, or MCP may be (`chat.mcp.access`). Start it in the list of servers, and ask again.',
      TOOL_SET,
    ),
  );
  stream.button({ command: 'workbench.mcp.listServer', title: vscode.l10n.t('List Servers') });
  return undefined;
}

function listed(): vscode.LanguageModelToolInformation[] {
  return vscode.lm.tools.filter(isOurs);
}

function isStarting({ kind }: DaemonState): boolean {
  return kind === 'starting' || kind === 'restarting';
}

/** Resolves when the daemon is neither starting nor restarting any more, after a minute, or when nobody waits. */
function settled(ctx: Daemon, token: vscode.CancellationToken): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      listener.dispose();
      cancelled.dispose();
      clearTimeout(timer);
      resolve();
    };
    const listener = ctx.onDidChangeState((state) => {
      if (!isStarting(state)) {
        end();
      }
    });
    const timer = setTimeout(end, DAEMON_MS);
    const cancelled = token.onCancellationRequested(end);
  });
}

function saysReady(state: DaemonState, stream: Stream): boolean {
  switch (state.kind) {
    case 'ready':
      return true;
    case 'restricted':
      stream.markdown(vscode.l10n.t('This workspace is not trusted. Nothing of it is started until it is.'));
      stream.button({ command: 'workbench.trust.manage', title: vscode.l10n.t('Manage Workspace Trust') });
      return false;
    case 'stopped':
      stream.markdown(`${vscode.l10n.t('The daemon is stopped.')} ${markdown(state.why)}`);
      stream.button({ command: 'tta.restartDaemon', title: vscode.l10n.t('Restart Daemon') });
      stream.button({ command: 'tta.openLog', title: vscode.l10n.t('Open Log') });
      return false;
    case 'starting':
    case 'restarting':
      stream.markdown(
        vscode.l10n.t('The daemon is still starting. Ask again in a moment; its log says what it is doing.'),
      );
      stream.button({ command: 'tta.openLog', title: vscode.l10n.t('Open Log') });
      return false;
  }
}

/**
 * Starts the tool set and waits until it is listed, within bounds. The editor tells nobody that it has taken note of a server
 * or of its tools: it is asked again, which does nothing where the server starts already, and looked at. The command is
 * not promised: without it the tools are waited for a little.
 */
export async function startToolSet(token: vscode.CancellationToken): Promise<void> {
  let tries = MOST_TRIES;
  while (listed().length === 0 && tries > 0 && !token.isCancellationRequested) {
    tries -= 1;
    const start = vscode.commands.executeCommand('workbench.mcp.startServer', SERVER_ID, { waitForLiveTools: true });
    start.then(undefined, () => {
      tries = Math.min(tries, TRIES_WITHOUT_COMMAND);
    });
    await new Promise((resolve) => setTimeout(resolve, TRY_EVERY_MS));
  }
}
