/** The dashboard: one webview, drawn anew when the totals, the runs or the servers changed. It fetches nothing. */

import { randomBytes } from 'node:crypto';
import * as vscode from 'vscode';
import type { Ctx } from '../ctx';
import type { SavingsSummary } from '../lsp_ext';
import * as wire from '../wire';
import { Coalesced } from './coalesced';
import { figures } from './dashboard_model';
import { page } from './dashboard_page';
import type { RunsView } from './runs_view';
import type { ServersView } from './servers_view';

const SHOWN = 20;

export class Dashboard implements vscode.Disposable {
  private readonly redraw = new Coalesced(() => {
    void this.panel?.webview.postMessage({ figures: this.body() });
  });
  private readonly listeners: vscode.Disposable[];
  private panel: vscode.WebviewPanel | undefined;
  private savings: SavingsSummary | undefined;

  constructor(
    private readonly ctx: Ctx,
    private readonly servers: ServersView,
    private readonly runs: RunsView,
  ) {
    const changed = (): void => {
      if (this.panel?.visible === true) {
        this.redraw.request();
      }
    };
    this.listeners = [
      ctx.onSavings((savings) => {
        this.savings = savings;
        changed();
      }),
      runs.onDidChangeTreeData(changed),
      servers.onDidChangeTreeData(changed),
    ];
  }

  /** Shows the dashboard. */
  async show(): Promise<void> {
    this.savings = await this.ctx.request(wire.savings, {});
    if (this.panel) {
      this.panel.reveal();
      return;
    }
    const title = vscode.l10n.t('TTA Dashboard');
    const panel = vscode.window.createWebviewPanel('tta.dashboard', title, vscode.ViewColumn.Active, {
      enableScripts: true,
      localResourceRoots: [],
    });
    this.panel = panel;
    panel.onDidDispose(() => {
      this.panel = undefined;
    });
    panel.onDidChangeViewState(() => {
      if (panel.visible) {
        this.redraw.request();
      }
    });
    panel.webview.onDidReceiveMessage((message: unknown) => {
      this.pressed(message);
    });
    panel.webview.html = page(this.body(), randomBytes(16).toString('base64url'), vscode.env.language);
  }

  dispose(): void {
    this.redraw.dispose();
    this.panel?.dispose();
    for (const listener of this.listeners) {
      listener.dispose();
    }
  }

  private body(): string {
    const { savings } = this;
    return savings ? figures({ savings, runs: this.runs.list().slice(0, SHOWN), servers: this.servers.servers }) : '';
  }

  private pressed(message: unknown): void {
    const { run, server } = message as { readonly run?: unknown; readonly server?: unknown };
    if (typeof server === 'string') {
      void vscode.commands.executeCommand('tta.showTools', server);
    }
    const found = this.runs.list().find(({ id }) => id === run);
    if (found) {
      void vscode.commands.executeCommand('tta.openReceipt', { kind: 'run', run: found });
    }
  }
}
