/**
 * The tree of servers. It follows what the daemon tells and asks by itself only once, when the daemon is ready: looking
 * at the tree starts no server.
 */

import * as vscode from 'vscode';
import type { DaemonState } from '../client';
import type { Ctx } from '../ctx';
import type { ServerStatus, ToolInfo } from '../lsp_ext';
import * as wire from '../wire';
import { Coalesced } from './coalesced';
import { treeItem } from './item';
import { besideTools, message, parameterNodes, serversRow, toolsKnown, type ServersNode } from './servers_model';

type ServerNode = Extract<ServersNode, { kind: 'server' }>;

export class ServersView implements vscode.TreeDataProvider<ServersNode>, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<ServersNode | undefined>();
  private readonly refresh = new Coalesced(() => {
    this.changed.fire(undefined);
  });
  private readonly tree: vscode.TreeView<ServersNode>;
  private readonly listeners: vscode.Disposable[];
  private readonly tools = new Map<string, Promise<ToolInfo[]>>();
  /** How often the daemon's word was taken. */
  private taken = 0;
  private nodes: ServerNode[] = [];

  readonly onDidChangeTreeData = this.changed.event;

  constructor(private readonly ctx: Ctx) {
    this.tree = vscode.window.createTreeView('tta.servers', { treeDataProvider: this, showCollapseAll: true });
    this.listeners = [
      ctx.onServers((servers) => {
        this.take(servers);
      }),
      ctx.onDidChangeState(({ kind }) => {
        void this.follow(kind);
      }),
    ];
  }

  /** The servers as the daemon told them last. */
  get servers(): readonly ServerStatus[] {
    return this.nodes.map(({ server }) => server);
  }

  /** The tools of a server, which is started if it was never asked. */
  toolsOf(server: string): Promise<ToolInfo[]> {
    const known = this.tools.get(server);
    if (known) {
      return known;
    }
    const asked = this.ctx.request(wire.serverTools, { server });
    this.tools.set(server, asked);
    asked.catch(() => this.tools.delete(server));
    return asked;
  }

  /** Shows the view, and where a server is named, that server with its tools. */
  async show(server?: string): Promise<void> {
    await vscode.commands.executeCommand('tta.servers.focus');
    const node = this.nodes.find((one) => one.server.name === server);
    if (node) {
      await this.tree.reveal(node, { expand: true, focus: true, select: true });
    }
  }

  /** Takes the daemon's newest word. */
  readonly take = (servers: readonly ServerStatus[]): void => {
    this.taken += 1;
    const before = new Map(this.nodes.map((node) => [node.server.name, node]));
    this.nodes = servers.map((server) => {
      const node = before.get(server.name);
      if (!node || fingerprint(node.server) !== fingerprint(server)) {
        this.tools.delete(server.name);
      }
      if (!node) {
        return { kind: 'server', server };
      }
      node.server = server;
      return node;
    });
    for (const gone of [...this.tools.keys()].filter((name) => !servers.some((one) => one.name === name))) {
      this.tools.delete(gone);
    }
    setContext('tta.hasServers', servers.length > 0);
    this.refresh.request();
  };

  getTreeItem(node: ServersNode): vscode.TreeItem {
    return treeItem(serversRow(node), node);
  }

  getParent(node: ServersNode): ServersNode | undefined {
    return 'server' in node && node.kind !== 'server'
      ? this.nodes.find(({ server }) => server.name === node.server)
      : undefined;
  }

  async getChildren(node?: ServersNode): Promise<ServersNode[]> {
    if (!node) {
      // The editor's built-in tools are always there; where they are all there is, the welcome says more than they do.
      const builtIn = ({ server }: (typeof this.nodes)[number]): boolean =>
        server.source.scope === 'editor' && server.name === 'vscode';
      return this.nodes.every(builtIn) ? [] : this.nodes;
    }
    if (node.kind !== 'server') {
      return parameterNodes(node);
    }
    const { server } = node;
    return [...besideTools(server), ...(toolsKnown(server) ? await this.toolNodes(server.name) : [])];
  }

  dispose(): void {
    this.refresh.dispose();
    for (const owned of [...this.listeners, this.tree, this.changed]) {
      owned.dispose();
    }
  }

  /** Views say that there is no server only once the daemon has said so. */
  private async follow(kind: DaemonState['kind']): Promise<void> {
    if (kind === 'ready') {
      // What the daemon tells meanwhile is newer than its answer.
      const before = this.taken;
      await this.ctx.request(wire.servers, {}).then((servers) => {
        if (this.taken === before) {
          this.take(servers);
        }
      }, this.ctx.logError);
    } else {
      this.take([]);
    }
    setContext('tta.daemon', this.ctx.state.kind);
  }

  private async toolNodes(server: string): Promise<ServersNode[]> {
    try {
      return (await this.toolsOf(server)).map((tool) => ({ kind: 'tool', server, tool }));
    } catch (error) {
      return [message(server, error instanceof Error ? error.message : String(error), true)];
    }
  }
}

function setContext(key: string, value: unknown): void {
  void vscode.commands.executeCommand('setContext', key, value);
}

/** What a change of the tools shows in. */
function fingerprint({ state, tools, definition_tokens: tokens }: ServerStatus): string {
  return [state, tools, tokens].join();
}
