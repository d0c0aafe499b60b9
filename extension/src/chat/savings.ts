/** What the programs of this chat saved, from the ledger. No model is asked. */

import * as vscode from 'vscode';
import { duration, whole } from '../format';
import type { RunSummary, SavingsSummary, SideTokens, TokenReport } from '../lsp_ext';
import { callCount, headline } from '../receipt';
import { markdown, oneLine } from '../views/untrusted';
import { keptIn } from './history';
import type { Call } from './loop';

/** As many as the ledger is asked for. */
export const MOST_RUNS = 200;
/** What the chat's calls come through. */
const FRONT = 'mcp';

/** The calls that the answers of a chat remember. */
export function callsOf(history: vscode.ChatContext['history'], participant: string): Call[] {
  return history
    .filter((turn) => turn instanceof vscode.ChatResponseTurn)
    .filter((turn) => turn.participant === participant)
    .flatMap(({ result }) => keptIn(result.metadata).calls);
}

/** The runs that were made while one of `calls` was carried out, the oldest first. */
export function runsOf(calls: readonly Call[], runs: readonly RunSummary[]): RunSummary[] {
  const during = (at: number): boolean => calls.some(({ fromMs, toMs }) => fromMs <= at && at <= toMs);
  return runs.filter(({ front, at_ms }) => front === FRONT && during(at_ms)).sort((a, b) => a.at_ms - b.at_ms);
}

/** The report, as Markdown: narrow, for the chat stands beside the editors. */
export function savingsText(runs: readonly RunSummary[], { workspace }: SavingsSummary): string {
  const [only, ...others] = runs;
  return [
    runs.length === 0 ? vscode.l10n.t('No program of this chat is in the ledger.') : list(runs),
    only?.tokens && others.length === 0 ? comparison(only.tokens) : '',
    workspace.runs === 0 ? '' : `${vscode.l10n.t('In this workspace:')} **${headline(workspace.tokens)}**`,
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

function list(runs: readonly RunSummary[]): string {
  return runs
    .map(({ label, tokens, calls, wall_ms }) => {
      const saved = tokens ? headline(tokens) : vscode.l10n.t('not counted yet');
      return `- ${markdown(oneLine(label, 80))}: **${saved}**, ${callCount(calls)}, ${duration(wall_ms)}`;
    })
    .join('\n');
}

function comparison({ code_mode: program, direct }: TokenReport): string {
  const row = (title: string, { total }: SideTokens): string =>
    `| ${title} | ${whole(total)} | ${whole(total - program.total)} |`;
  return [
    `| ${vscode.l10n.t('tokens')} | ${vscode.l10n.t('total')} | ${vscode.l10n.t('saved')} |`,
    '|:--|--:|--:|',
    `| ${vscode.l10n.t('this program')} | ${whole(program.total)} | |`,
    row(vscode.l10n.t('direct, deferred'), direct.deferred),
    row(vscode.l10n.t('direct, needed'), direct.needed_servers),
    row(vscode.l10n.t('direct, all'), direct.all_servers),
  ].join('\n');
}
