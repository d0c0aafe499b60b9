/** Doctor, Dashboard, and the report of what was saved. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as vscode from 'vscode';
import type { Ctx } from '../ctx';
import type { PageData } from '../dashboard/protocol';
import type { Parts } from '../parts';
import type { ReportFormat } from '../lsp_ext';
import { FILE, fill } from '../views/dashboard';
import * as wire from '../wire';

/** Every list of an exported report is this long. */
const MOST_LISTED = 1_000;

/** The formats, by the endings that name them. */
const FORMATS: Readonly<Record<string, ReportFormat>> = {
  md: 'md',
  html: 'html',
  csv: 'csv',
  json: 'json',
  txt: 'text',
};

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

/** Writes what was saved to a file, whose ending says in what format. */
export async function exportReport(ctx: Ctx): Promise<void> {
  const folder = vscode.workspace.workspaceFolders?.[0];
  const name = `tta-report-${new Date().toISOString().slice(0, 10)}.md`;
  const uri = await vscode.window.showSaveDialog({
    title: vscode.l10n.t('Export report'),
    filters: { Markdown: ['md'], HTML: ['html'], CSV: ['csv'], JSON: ['json'], Text: ['txt'] },
    ...(folder ? { defaultUri: vscode.Uri.joinPath(folder.uri, name) } : {}),
  });
  if (!uri) {
    return;
  }
  const format = FORMATS[uri.path.slice(uri.path.lastIndexOf('.') + 1).toLowerCase()];
  if (!format) {
    throw new Error(vscode.l10n.t('A report is a .md, .html, .csv, .json or .txt file, not “{0}”.', uri.path));
  }
  const report = { compare: false, only: {}, top: MOST_LISTED };
  const rendered = await ctx.request(wire.renderReport, { report, format });
  const text = format === 'html' ? await page(ctx, rendered) : rendered;
  await vscode.workspace.fs.writeFile(uri, new TextEncoder().encode(text));
  if (format === 'html') {
    await vscode.env.openExternal(uri);
  } else {
    await vscode.window.showTextDocument(uri);
  }
}

/** The dashboard's page with a report in it, which asks nobody. */
async function page(ctx: Ctx, data: string): Promise<string> {
  return fill(await readFile(join(ctx.folder, FILE), 'utf8'), JSON.parse(data) as PageData);
}
