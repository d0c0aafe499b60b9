/** Doctor, Dashboard, and the report of what was saved. */

import * as vscode from 'vscode';
import type { Ctx } from '../ctx';
import type { Parts } from '../parts';
import { FORMATS, type Format } from '../report';
import * as wire from '../wire';

const MOST_RUNS = 1_000;

/** Checks the installation, firing each limit once, and shows what is wrong and how to mend it. */
export function doctor(_: Ctx, _subject: unknown, { documents }: Parts): Thenable<void> {
  const title = vscode.l10n.t('Checking the installation: every limit is fired once');
  return vscode.window.withProgress({ location: vscode.ProgressLocation.Notification, title }, () =>
    documents.preview('TTA Doctor.md', { kind: 'doctor' }),
  );
}

/** Shows what was saved, by run and by server. */
export function showDashboard(_: Ctx, _subject: unknown, { dashboard }: Parts): Promise<void> {
  return dashboard.show();
}

/** Asks the daemon anew for what the active document shows. */
export function refreshDocument(_: Ctx, subject: unknown, { documents }: Parts): void {
  const uri = subject instanceof vscode.Uri ? subject : vscode.window.activeTextEditor?.document.uri;
  if (uri) {
    documents.refresh(uri);
  }
}

/** Writes totals and runs to a file, whose ending says in what format. */
export async function exportReport(ctx: Ctx): Promise<void> {
  const folder = vscode.workspace.workspaceFolders?.[0];
  const at = new Date();
  const name = `tta-report-${at.toISOString().slice(0, 10)}.md`;
  const uri = await vscode.window.showSaveDialog({
    title: vscode.l10n.t('Export report'),
    filters: { Markdown: ['md'], JSON: ['json'], CSV: ['csv'] },
    ...(folder ? { defaultUri: vscode.Uri.joinPath(folder.uri, name) } : {}),
  });
  if (!uri) {
    return;
  }
  const ending = uri.path.slice(uri.path.lastIndexOf('.') + 1).toLowerCase();
  if (!isFormat(ending)) {
    throw new Error(vscode.l10n.t('A report is a .md, .json or .csv file, not “{0}”.', uri.path));
  }
  const [savings, runs] = await Promise.all([
    ctx.request(wire.savings, {}),
    ctx.request(wire.runs, { limit: MOST_RUNS }),
  ]);
  const text = FORMATS[ending]({ workspace: folder?.name ?? '', at, savings, runs });
  await vscode.workspace.fs.writeFile(uri, new TextEncoder().encode(text));
  await vscode.window.showTextDocument(uri);
}

function isFormat(ending: string): ending is Format {
  return Object.hasOwn(FORMATS, ending);
}
