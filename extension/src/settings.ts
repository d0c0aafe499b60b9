/**
 * Settings and folders reach the daemon at its start: a change of them starts it again, at once where nothing runs, else
 * when the person says so. Leaves out the settings that are read when they are needed.
 */

import * as vscode from 'vscode';
import type { Ctx } from './ctx';

const AT_START = ['tta.server', 'tta.limits', 'tta.approvals'];

/** Follows the settings and the workspace's folders until it is disposed of. */
export function followSettings(ctx: Ctx): vscode.Disposable {
  return vscode.Disposable.from(
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (AT_START.some((section) => event.affectsConfiguration(section))) {
        void apply(ctx, vscode.l10n.t('The new settings hold.'));
      }
    }),
    vscode.workspace.onDidChangeWorkspaceFolders(() => void apply(ctx, vscode.l10n.t('The new folders are read.'))),
  );
}

async function apply(ctx: Ctx, done: string): Promise<void> {
  if (ctx.running > 0 && !(await mayStop(ctx.running))) {
    return;
  }
  await ctx.restart();
  vscode.window.setStatusBarMessage(`$(check) TTA: ${done}`, 5_000);
}

async function mayStop(running: number): Promise<boolean> {
  const restart = vscode.l10n.t('Restart');
  const question =
    running === 1
      ? vscode.l10n.t('TTA: the change holds once the daemon was restarted. 1 program runs and is stopped then.')
      : vscode.l10n.t(
          'TTA: the change holds once the daemon was restarted. {0} programs run and are stopped then.',
          running,
        );
  return (await vscode.window.showInformationMessage(question, restart)) === restart;
}
