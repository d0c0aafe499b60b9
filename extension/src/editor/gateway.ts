/**
 * The editor's own gateway, where it lets us have one: an endpoint on this machine for each MCP server that it knows, which
 * loses nothing of what that server says. `vscode.lm.startMcpGateway` is a proposed API: not every editor has it, and it
 * throws in those that keep it to themselves. An address is as good as a key, so that it is logged nowhere.
 */

import * as vscode from 'vscode';
import { isOurLabel } from './offered';

/** What is used of the gateway; the editor's own types come with its proposals. */
interface McpGateway {
  readonly servers: readonly { readonly label: string; readonly address: vscode.Uri }[];
  readonly onDidChangeServers?: (listener: () => void) => vscode.Disposable;
  dispose(): void;
}

interface MayStart {
  startMcpGateway?: () => Thenable<McpGateway | undefined>;
}

/** A gateway that does not come up must not keep the list of tools waiting. */
const PATIENCE_MS = 3_000;

export class Gateway implements vscode.Disposable {
  private gateway: McpGateway | undefined;
  private listener: vscode.Disposable | undefined;
  private started: Promise<void> | undefined;
  private disposed = false;

  /** `changed` is told when there are other servers, `log` whether there is a gateway. */
  constructor(
    private readonly changed: () => void,
    private readonly log: (line: string) => void,
  ) {}

  /** The address of each server, by the name that its tools have it under. The first call starts the gateway. */
  async addresses(): Promise<ReadonlyMap<string, string>> {
    await (this.started ??= this.start());
    return byName(this.gateway?.servers ?? []);
  }

  dispose(): void {
    this.disposed = true;
    this.listener?.dispose();
    this.gateway?.dispose();
    this.gateway = undefined;
  }

  private start(): Promise<void> {
    return new Promise((resolve) => {
      let late = false;
      const timer = setTimeout(() => {
        late = true;
        resolve();
      }, PATIENCE_MS);
      void this.open().then(() => {
        clearTimeout(timer);
        resolve();
        if (late && this.gateway) {
          this.changed();
        }
      });
    });
  }

  private async open(): Promise<void> {
    try {
      const gateway = await (vscode.lm as MayStart).startMcpGateway?.();
      if (this.disposed) {
        gateway?.dispose();
        return;
      }
      this.gateway = gateway;
      this.listener = gateway?.onDidChangeServers?.(this.changed);
      this.log(
        gateway ? 'MCP servers of the editor are reached through its gateway.' : 'The editor has no MCP gateway.',
      );
    } catch (error) {
      this.log(`The editor keeps its MCP gateway to itself: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

/** Of servers with the same name none is told: which of them a tool belongs to cannot be known. */
function byName(servers: McpGateway['servers']): Map<string, string> {
  const addresses = new Map<string, string>();
  const twice = new Set<string>();
  for (const { label, address } of servers) {
    // As the editor makes it from the label for the full names of its tools.
    const name = label.toLowerCase().replace(/\s+/g, '-');
    if (addresses.has(name)) {
      twice.add(name);
    }
    if (!isOurLabel(name)) {
      addresses.set(name, address.toString(true));
    }
  }
  twice.forEach((name) => addresses.delete(name));
  return addresses;
}
