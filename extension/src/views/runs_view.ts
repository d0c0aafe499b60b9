/**
 * The tree of runs. The ledger's list is asked for anew when the totals changed or a run ended, however many of both come
 * together; a run's details only when it is opened.
 */

import * as vscode from 'vscode';
import type { Ctx } from '../ctx';
import type { RunDetail, RunId, RunSummary } from '../lsp_ext';
import * as wire from '../wire';
import { Coalesced } from './coalesced';
import { treeItem } from './item';
import { detailNodes, liveNodes, Runs, runsRow, type Run, type RunsNode } from './runs_model';

const SHOWN = 50;

type RunNode = Extract<RunsNode, { kind: 'run' }>;

export class RunsView implements vscode.TreeDataProvider<RunsNode>, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<RunsNode | undefined>();
  private readonly redraw = new Coalesced(() => {
    this.draw();
  });
  private readonly reload = new Coalesced(() => this.load());
  private readonly runs = new Runs();
  private readonly tree: vscode.TreeView<RunsNode>;
  private readonly listeners: vscode.Disposable[];
  private nodes = new Map<RunId, RunNode>();

  readonly onDidChangeTreeData = this.changed.event;

  constructor(private readonly ctx: Ctx) {
    this.tree = vscode.window.createTreeView('tta.runs', { treeDataProvider: this, showCollapseAll: true });
    this.listeners = [
      ctx.onRunEvent((event) => {
        this.runs.apply(event);
        this.redraw.request();
        if (event.event === 'finished') {
          this.reload.request();
        }
      }),
      ctx.onSavings(() => {
        this.reload.request();
      }),
      ctx.onDidChangeState(({ kind }) => {
        if (kind !== 'ready') {
          this.runs.clear();
          this.redraw.request();
        }
      }),
    ];
  }

  /** Newest first. */
  list(): Run[] {
    return this.runs.list();
  }

  /** What a run was; null where it was another daemon's. */
  detail(id: RunId): Promise<RunDetail | null> {
    return this.ctx.request(wire.runDetail, { run_id: id });
  }

  /** Shows the view. */
  async show(): Promise<void> {
    await vscode.commands.executeCommand('tta.runs.focus');
  }

  getTreeItem(node: RunsNode): vscode.TreeItem {
    return treeItem(runsRow(node, vscode.env.language), node);
  }

  getParent(node: RunsNode): RunsNode | undefined {
    return node.kind === 'run' ? undefined : this.nodes.get(node.run.id);
  }

  async getChildren(node?: RunsNode): Promise<RunsNode[]> {
    if (!node) {
      return [...this.nodes.values()];
    }
    if (node.kind !== 'run') {
      return [];
    }
    const { run } = node;
    return run.status === undefined
      ? liveNodes(run, this.runs.callsOf(run.id))
      : detailNodes(run, await this.detail(run.id));
  }

  dispose(): void {
    this.redraw.dispose();
    this.reload.dispose();
    for (const owned of [...this.listeners, this.tree, this.changed]) {
      owned.dispose();
    }
  }

  private async load(): Promise<void> {
    try {
      const summaries: RunSummary[] = await this.ctx.request(wire.runs, { limit: SHOWN });
      this.runs.record(summaries);
      this.draw();
    } catch (error) {
      this.ctx.logError(error);
    }
  }

  /**
   * Nodes stay the same objects while their runs are shown, so that what is open stays open. Only what changed is drawn
   * anew: an open run asks for its details each time it is.
   */
  private draw(): void {
    const before = [...this.nodes.keys()].join();
    const touched: RunNode[] = [];
    this.nodes = new Map(
      this.runs.list().map((run) => {
        const node = this.nodes.get(run.id) ?? { kind: 'run', run };
        if (fingerprint(node.run) !== fingerprint(run)) {
          touched.push(node);
        }
        node.run = run;
        return [run.id, node];
      }),
    );
    void vscode.commands.executeCommand('setContext', 'tta.running', this.runs.going().length > 0);
    if (before === [...this.nodes.keys()].join()) {
      touched.forEach((node) => {
        this.changed.fire(node);
      });
    } else {
      this.changed.fire(undefined);
    }
  }
}

/** What a change of a run shows in. */
function fingerprint({ status, calls, progress, tokens }: Run): string {
  return JSON.stringify([status, calls, progress, tokens?.code_mode.total]);
}
