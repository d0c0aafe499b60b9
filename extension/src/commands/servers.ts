/** Show Servers: every configured MCP server with its state; choosing one opens its configuration, a button restarts it. */

import * as vscode from 'vscode';
import type { Ctx } from '../ctx';
import { whole } from '../format';
import type { ServerState, ServerStatus } from '../lsp_ext';
import * as wire from '../wire';

interface Item extends vscode.QuickPickItem {
  readonly server: ServerStatus;
}

const ICONS: Readonly<Record<ServerState, string>> = {
  untrusted: 'workspace-untrusted',
  unapproved: 'question',
  disabled: 'circle-slash',
  stopped: 'debug-stop',
  starting: 'loading~spin',
  ready: 'pass',
  failed: 'error',
};

/** Shows the servers, at once as they are, then with the tools of those that were never asked. */
export async function showServers(ctx: Ctx): Promise<void> {
  const pick = vscode.window.createQuickPick<Item>();
  pick.title = vscode.l10n.t('MCP servers');
  pick.placeholder = vscode.l10n.t('Choose a server to open its configuration');
  pick.matchOnDescription = true;
  pick.matchOnDetail = true;
  const show = (servers: ServerStatus[]): void => {
    pick.items = servers.map(item);
    if (servers.length === 0) {
      pick.placeholder = vscode.l10n.t('No server is configured. Add one to .vscode/mcp.json.');
    }
  };
  const load = async (ask: Promise<ServerStatus[]>): Promise<void> => {
    pick.busy = true;
    try {
      show(await ask);
    } catch (error) {
      pick.placeholder = error instanceof Error ? error.message : String(error);
    } finally {
      pick.busy = false;
    }
  };
  pick.onDidAccept(() => {
    const [chosen] = pick.selectedItems;
    if (chosen) {
      void openConfiguration(chosen.server);
      pick.hide();
    }
  });
  pick.onDidTriggerItemButton(({ item: { server } }) => load(ctx.request(wire.restartServer, { server: server.name })));
  pick.onDidHide(() => {
    pick.dispose();
  });
  pick.show();
  await load(ctx.request(wire.servers, {}));
  await load(ctx.request(wire.servers, { list: true }));
}

function item(server: ServerStatus): Item {
  const tools = server.tools === undefined ? [] : [vscode.l10n.t('{0} tools', whole(server.tools))];
  const tokens =
    server.definition_tokens === undefined ? [] : [vscode.l10n.t('{0} tokens', whole(server.definition_tokens))];
  const trouble = server.last_error ?? server.problems[0]?.message;
  return {
    label: `$(${ICONS[server.state]}) ${server.name}`,
    description: [stateText(server.state), ...tools, ...tokens].join(' · '),
    detail: trouble === undefined ? server.target : `$(warning) ${trouble}`,
    buttons: [{ iconPath: new vscode.ThemeIcon('debug-restart'), tooltip: vscode.l10n.t('Restart') }],
    server,
  };
}

function stateText(state: ServerState): string {
  switch (state) {
    case 'untrusted':
      return vscode.l10n.t('not trusted');
    case 'unapproved':
      return vscode.l10n.t('asks before it starts');
    case 'disabled':
      return vscode.l10n.t('switched off');
    case 'stopped':
      return vscode.l10n.t('starts when needed');
    case 'starting':
      return vscode.l10n.t('starting');
    case 'ready':
      return vscode.l10n.t('ready');
    case 'failed':
      return vscode.l10n.t('failed');
  }
}

async function openConfiguration({ source, problems }: ServerStatus): Promise<void> {
  const { file, line } = problems[0] ?? source;
  const at = new vscode.Position(Math.max(line - 1, 0), 0);
  await vscode.window.showTextDocument(vscode.Uri.file(file), { selection: new vscode.Range(at, at) });
}
