/** Show Last Runs: the newest runs of this workspace with what each saved; choosing one opens its receipt. */

import * as vscode from 'vscode';
import type { Ctx } from '../ctx';
import { duration, whole } from '../format';
import type { RunStatus, RunSummary } from '../lsp_ext';
import { baselineTable, callCount, headline, labelList } from '../receipt';
import { statusText } from '../transcript';
import * as wire from '../wire';

const SHOWN = 50;

const ICONS: Readonly<Record<RunStatus, string>> = {
  ok: 'pass',
  error: 'error',
  limit: 'watch',
  denied: 'circle-slash',
  cancelled: 'debug-stop',
  fault: 'bug',
};

/** Shows the last runs. */
export async function showRuns(ctx: Ctx): Promise<void> {
  const runs = await ctx.request(wire.runs, { limit: SHOWN });
  const chosen = await vscode.window.showQuickPick(runs.map(item), {
    title: vscode.l10n.t('Last runs'),
    placeHolder:
      runs.length === 0
        ? vscode.l10n.t('No program has run in this workspace yet.')
        : vscode.l10n.t('Choose a run to see its receipt'),
    matchOnDescription: true,
    matchOnDetail: true,
  });
  if (chosen) {
    await openReceipt(chosen.run);
  }
}

function item(run: RunSummary): vscode.QuickPickItem & { run: RunSummary } {
  return {
    label: `$(${ICONS[run.status]}) ${run.label}`,
    description: run.tokens ? headline(run.tokens) : vscode.l10n.t('not counted yet'),
    detail: facts(run).join(' · '),
    run,
  };
}

function facts(run: RunSummary): string[] {
  return [
    statusText(run.status),
    callCount(run.calls),
    duration(run.wall_ms),
    run.language,
    run.front,
    new Date(run.at_ms).toLocaleString(vscode.env.language),
  ];
}

/** Receipts are read-only documents; their URI carries the run's line of the list, so that they survive a reload. */
export const RECEIPT_SCHEME = 'tta-receipt';

async function openReceipt(run: RunSummary): Promise<void> {
  const name = `/${run.label.replaceAll('/', '·')}`;
  const uri = vscode.Uri.from({ scheme: RECEIPT_SCHEME, path: name, query: JSON.stringify(run) });
  await vscode.commands.executeCommand('markdown.showPreview', uri);
}

/** Writes the receipt behind such a URI. */
export class Receipts implements vscode.TextDocumentContentProvider {
  constructor(private readonly ctx: Ctx) {}

  async provideTextDocumentContent(uri: vscode.Uri): Promise<string> {
    const run = JSON.parse(uri.query) as RunSummary;
    const { tokens, result_tokens: results } = await this.ctx.request(wire.receipt, { run_id: run.run_id });
    return [
      `# ${headline(tokens)}`,
      `\`${run.label}\` · ${facts(run).join(' · ')}`,
      baselineTable(tokens),
      ...(results.length > 0 ? [`## ${vscode.l10n.t('Results, by call')}`, resultTable(results)] : []),
      `## ${vscode.l10n.t('What the figures rest on')}`,
      labelList(tokens),
      vscode.l10n.t('Tokens are counted with {0}. Run {1}.', tokens.encoding, run.run_id),
    ].join('\n\n');
  }
}

function resultTable(results: number[]): string {
  const rows = results.map((count, index) => `| ${index + 1} | ${whole(count)} |`);
  return [`| ${vscode.l10n.t('call')} | ${vscode.l10n.t('tokens')} |`, '|--:|--:|', ...rows].join('\n');
}
