/**
 * A token report in words: the table of baselines that the status bar's tooltip and a run's receipt show. Every figure
 * stands beside the label the ledger gave it. Pure.
 */

import { l10n } from 'vscode';
import { percent, tokens, whole } from './format';
import type { SideTokens, TokenReport } from './lsp_ext';

/** “1.2k tokens saved · 87 %”; the percentage is left out where there is nothing to compare with. */
export function headline(report: TokenReport): string {
  const saved = l10n.t('{0} tokens saved', tokens(report.saved));
  return report.saved_percent === undefined ? saved : `${saved} · ${percent(report.saved_percent)}`;
}

/** “1 tool call”, “1,234 tool calls”. */
export function callCount(calls: number): string {
  return calls === 1 ? l10n.t('1 tool call') : l10n.t('{0} tool calls', whole(calls));
}

/** Program against the three direct baselines, as a Markdown table. */
export function baselineTable(report: TokenReport): string {
  const { code_mode: program, direct } = report;
  const sides = [program, direct.deferred, direct.all_servers, direct.needed_servers];
  const row = (title: string, cell: (side: SideTokens) => string): string =>
    `| ${[title, ...sides.map(cell)].join(' | ')} |`;
  return [
    `| ${[
      l10n.t('tokens'),
      l10n.t('program'),
      l10n.t('direct, definitions deferred'),
      l10n.t('direct, all servers'),
      l10n.t('direct, needed servers'),
    ].join(' | ')} |`,
    '|:--|--:|--:|--:|--:|',
    row(l10n.t('definitions'), (side) => whole(side.definitions)),
    row(l10n.t('written by the model'), (side) => whole(side.output)),
    row(l10n.t('results'), (side) => whole(side.results)),
    row(l10n.t('model turns'), (side) => whole(side.turns)),
    row(l10n.t('largest context'), (side) => whole(side.peak_context)),
    row(`**${l10n.t('total')}**`, (side) => `**${whole(side.total)}**`),
    row(l10n.t('saved'), (side) => (side === program ? '' : savedAgainst(side, program))),
  ].join('\n');
}

/** What each figure rests on, as a Markdown list. */
export function labelList(report: TokenReport): string {
  return Object.entries(report.labels)
    .map(([figure, label]) => `- ${figure}: ${label}`)
    .join('\n');
}

function savedAgainst(direct: SideTokens, program: SideTokens): string {
  const saved = direct.total - program.total;
  return direct.total === 0 ? whole(saved) : `${whole(saved)} (${percent((100 * saved) / direct.total)})`;
}
