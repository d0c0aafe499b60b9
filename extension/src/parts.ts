/** What the commands of a window share beside the daemon: the trees, the documents, and what was done last. */

import type * as vscode from 'vscode';
import type { Ctx } from './ctx';
import type { Values } from './form';
import { Dashboard } from './views/dashboard';
import { Documents } from './views/documents';
import { RunsView } from './views/runs_view';
import { ServersView } from './views/servers_view';

/** A program that was run by a command: again means as it stands now. */
export interface LastProgram {
  readonly uri: vscode.Uri;
  /** Lines of a selection; absent for the whole document. */
  readonly range?: vscode.Range;
}

const MOST_ARGUMENTS = 100;

export class Parts implements vscode.Disposable {
  readonly servers: ServersView;
  readonly runs: RunsView;
  readonly documents: Documents;
  readonly dashboard: Dashboard;
  /** The program that Rerun Last runs. */
  last: LastProgram | undefined;
  private readonly given = new Map<string, Values>();

  constructor(ctx: Ctx) {
    this.servers = new ServersView(ctx);
    this.runs = new RunsView(ctx);
    this.documents = new Documents(ctx);
    this.dashboard = new Dashboard(ctx);
  }

  /** What a tool was called with last, in this window. */
  lastArguments(server: string, tool: string): Values | undefined {
    return this.given.get(`${server}\n${tool}`);
  }

  /** Remembers what a tool was called with, in memory only. */
  remember(server: string, tool: string, values: Values): void {
    const key = `${server}\n${tool}`;
    this.given.delete(key);
    this.given.set(key, values);
    for (const oldest of [...this.given.keys()].slice(0, -MOST_ARGUMENTS)) {
      this.given.delete(oldest);
    }
  }

  dispose(): void {
    for (const part of [this.servers, this.runs, this.documents, this.dashboard]) {
      part.dispose();
    }
  }
}
