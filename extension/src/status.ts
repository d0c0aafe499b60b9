/** The status bar item. What it shows is decided in look.ts. */

import * as vscode from 'vscode';
import type { Look } from './look';

/** One item; it is shown as long as the extension is active. */
export class StatusBar implements vscode.Disposable {
  private readonly item = vscode.window.createStatusBarItem('tta.savings', vscode.StatusBarAlignment.Right, 100);

  constructor() {
    this.item.name = vscode.l10n.t('TTA: tokens saved');
    this.item.show();
  }

  /** Shows `now`. */
  show(now: Look): void {
    this.item.text = now.text;
    this.item.tooltip = new vscode.MarkdownString(now.tooltip, true);
    this.item.command = now.command;
    this.item.backgroundColor =
      now.tone === 'plain' ? undefined : new vscode.ThemeColor(`statusBarItem.${now.tone}Background`);
  }

  dispose(): void {
    this.item.dispose();
  }
}
