/** Commands about one server. The subject is a line of the tree, or a name from a code lens; without one they ask. */

import * as vscode from 'vscode';
import type { Ctx } from '../ctx';
import { forNotification } from '../editor/plain';
import type { ServerStatus } from '../lsp_ext';
import type { Parts } from '../parts';
import { isRemote, serverFacts, stateIcon, type ServersNode } from '../views/servers_model';
import { iconless } from '../views/untrusted';
import * as wire from '../wire';

/** Shows the tree of servers. */
export function showServers(_: Ctx, _subject: unknown, { servers }: Parts): Promise<void> {
  return servers.show();
}

/** Starts a server that is not running. One whose tools are not known yet is asked for them, which starts it as well. */
export async function startServer(ctx: Ctx, subject: unknown, parts: Parts): Promise<void> {
  const server = await chosen(ctx, subject, parts, vscode.l10n.t('Start which server?'));
  if (server !== undefined) {
    await inView(async () => {
      const listed = parts.servers.servers.find(({ name }) => name === server)?.tools !== undefined;
      if (listed) {
        parts.servers.take(await ctx.request(wire.restartServer, { server }));
      } else {
        await parts.servers.toolsOf(server);
        parts.servers.take(await ctx.request(wire.servers, {}));
      }
    });
  }
}

/** Stops a server; the next call starts it again. */
export async function stopServer(ctx: Ctx, subject: unknown, parts: Parts): Promise<void> {
  const running = ({ state }: ServerStatus): boolean => state === 'ready' || state === 'starting';
  const server = await chosen(ctx, subject, parts, vscode.l10n.t('Stop which server?'), running);
  if (server !== undefined) {
    await inView(async () => {
      parts.servers.take(await ctx.request(wire.stopServer, { server }));
    });
  }
}

/** Stops a server and starts it again. */
export async function restartServer(ctx: Ctx, subject: unknown, parts: Parts): Promise<void> {
  const server = await chosen(ctx, subject, parts, vscode.l10n.t('Restart which server?'));
  if (server !== undefined) {
    await inView(async () => {
      parts.servers.take(await ctx.request(wire.restartServer, { server }));
    });
  }
}

/** Logs in to a remote server, also where an earlier login would do. */
export async function loginServer(ctx: Ctx, subject: unknown, parts: Parts): Promise<void> {
  const server = await chosen(ctx, subject, parts, vscode.l10n.t('Log in to which server?'), isRemote);
  if (server !== undefined) {
    await inView(async () => {
      parts.servers.take(await ctx.request(wire.loginServer, { server }));
    });
  }
}

/** Forgets the login to a remote server. */
export async function logoutServer(ctx: Ctx, subject: unknown, parts: Parts): Promise<void> {
  const server = await chosen(ctx, subject, parts, vscode.l10n.t('Log out of which server?'), isRemote);
  if (server !== undefined) {
    await inView(async () => {
      const had = await ctx.request(wire.logoutServer, { server });
      const said = had
        ? vscode.l10n.t('Logged out of {0}.', server)
        : vscode.l10n.t('There was no login to {0}.', server);
      void vscode.window.showInformationMessage(forNotification(said, 200));
    });
  }
}

/** Shows a server's tools in the tree. */
export async function showTools(ctx: Ctx, subject: unknown, parts: Parts): Promise<void> {
  const server = await chosen(ctx, subject, parts, vscode.l10n.t('Whose tools?'));
  if (server !== undefined) {
    await parts.servers.show(server);
  }
}

/** Opens what a server wrote to its log. */
export async function showLog(ctx: Ctx, subject: unknown, parts: Parts): Promise<void> {
  const server = await chosen(ctx, subject, parts, vscode.l10n.t('Whose log?'));
  if (server !== undefined) {
    await parts.documents.show(`${server}.log`, { kind: 'log', server }, 'log');
  }
}

/** Opens the file that configures a server, at its line; of a problem, at the problem's. */
export async function openConfiguration(ctx: Ctx, subject: unknown, parts: Parts): Promise<void> {
  if (isNode(subject) && subject.kind === 'problem') {
    return openAt(subject.problem);
  }
  const name = await chosen(ctx, subject, parts, vscode.l10n.t('Whose configuration?'));
  const server = (await known(ctx, parts)).find((one) => one.name === name);
  if (server) {
    await openAt(server.source);
  }
}

/** The server's name that a command was called with, or that is picked now; undefined where nothing was picked. */
export async function chosen(
  ctx: Ctx,
  subject: unknown,
  parts: Parts,
  title: string,
  which: (server: ServerStatus) => boolean = () => true,
): Promise<string | undefined> {
  const named = nameIn(subject);
  if (named !== undefined) {
    return named;
  }
  const servers = (await known(ctx, parts)).filter(which);
  const picked = await vscode.window.showQuickPick(servers.map(serverItem), {
    title,
    placeHolder: servers.length === 0 ? vscode.l10n.t('There is none.') : vscode.l10n.t('Choose a server'),
    matchOnDescription: true,
    matchOnDetail: true,
  });
  return picked?.server.name;
}

/** A server in a quick pick. */
export function serverItem(server: ServerStatus): vscode.QuickPickItem & { server: ServerStatus } {
  return {
    label: `$(${stateIcon(server.state)}) ${iconless(server.name)}`,
    description: serverFacts(server),
    detail: iconless(server.last_error ?? server.target),
    server,
  };
}

/** The servers as they are; asked for where the tree has none yet. */
export async function known(ctx: Ctx, { servers }: Parts): Promise<readonly ServerStatus[]> {
  return servers.servers.length > 0 ? servers.servers : ctx.request(wire.servers, {});
}

function nameIn(subject: unknown): string | undefined {
  if (typeof subject === 'string') {
    return subject;
  }
  if (!isNode(subject)) {
    return undefined;
  }
  return subject.kind === 'server' ? subject.server.name : 'server' in subject ? subject.server : undefined;
}

/** Trees hand over their own nodes; a code lens anything else. */
function isNode(subject: unknown): subject is ServersNode {
  return typeof subject === 'object' && subject !== null && 'kind' in subject;
}

async function openAt({ file, line }: { readonly file: string; readonly line: number }): Promise<void> {
  const at = new vscode.Position(Math.max(line - 1, 0), 0);
  await vscode.window.showTextDocument(vscode.Uri.file(file), { selection: new vscode.Range(at, at) });
}

function inView(work: () => Promise<void>): Thenable<void> {
  return vscode.window.withProgress({ location: { viewId: 'tta.servers' } }, work);
}
