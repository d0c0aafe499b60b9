/**
 * The dashboard in a webview: the page that the daemon serves to browsers too, which asks by messages here. It is told when
 * something was counted, and whether there is a daemon; what it may ask are reports, and what it may open are receipts.
 */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as vscode from 'vscode';
import type { Ctx } from '../ctx';
import type { PageData, Question, ToEditor, ToPage } from '../dashboard/protocol';
import * as wire from '../wire';
import { Coalesced } from './coalesced';

/** The page, below the extension's folder. */
export const FILE = join('dist', 'dashboard.html');
const DATA = '<script type="application/json" id="data">';

export class Dashboard implements vscode.Disposable {
  private readonly counted = new Coalesced(() => {
    this.tell({ changed: true });
  });
  private readonly listeners: vscode.Disposable[];
  private panel: vscode.WebviewPanel | undefined;

  constructor(private readonly ctx: Ctx) {
    this.listeners = [
      ctx.onSavings(() => {
        if (this.panel?.visible === true) {
          this.counted.request();
        }
      }),
      ctx.onDidChangeState(() => {
        this.tellState();
      }),
    ];
  }

  /** Shows the dashboard. */
  async show(): Promise<void> {
    if (this.panel) {
      this.panel.reveal();
      return;
    }
    const page = await readFile(join(this.ctx.folder, FILE), 'utf8');
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
        this.counted.request();
      }
    });
    panel.webview.onDidReceiveMessage((message: ToEditor) => void this.hear(message));
    panel.webview.html = fill(page, pageData());
    this.tellState();
  }

  dispose(): void {
    this.counted.dispose();
    this.panel?.dispose();
    for (const listener of this.listeners) {
      listener.dispose();
    }
  }

  private async hear(message: ToEditor): Promise<void> {
    if ('open' in message) {
      await vscode.commands.executeCommand('tta.openReceipt', { kind: 'run', run: { id: message.run_id } });
      return;
    }
    const { ask: answer } = message;
    try {
      this.tell({ answer, value: await this.ask(message) });
    } catch (error) {
      this.tell({ answer, error: error instanceof Error ? error.message : String(error) });
    }
  }

  private ask(question: Question): Promise<unknown> {
    switch (question.what) {
      case 'report':
        return this.ctx.request(wire.report, question.request);
      case 'calls':
        return this.ctx.request(wire.runCalls, { run_id: question.run_id });
      case 'explain':
        return this.ctx.request(wire.explain, question.request);
    }
  }

  private tellState(): void {
    this.tell({ connected: this.ctx.state.kind === 'ready' });
  }

  private tell(message: ToPage): void {
    void this.panel?.webview.postMessage(message);
  }
}

/** The page with its data in it. */
export function fill(page: string, data: PageData): string {
  return page.replace(DATA, () => DATA + JSON.stringify(data).replaceAll('<', '\\u003c'));
}

/** The reader's language, and the texts in it where the editor has them. */
function pageData(): PageData {
  const texts = vscode.l10n.bundle;
  return { language: vscode.env.language, ...(texts ? { texts } : {}) };
}
