/**
 * What was saved, as a file to hand on: totals under every baseline, and the runs. Holds no program, no argument and no
 * answer; of a run only its name. Pure.
 */

import { l10n } from 'vscode';
import { duration, percent, whole } from './format';
import type { RunSummary, SavingsSummary } from './lsp_ext';
import { baselineTable, callCount, headline, labelList } from './receipt';
import { statusText } from './transcript';
import { markdown, oneLine } from './views/untrusted';

/** What a report is made of. */
export interface Source {
  readonly workspace: string;
  readonly at: Date;
  readonly savings: SavingsSummary;
  readonly runs: readonly RunSummary[];
}

/** The kinds of files, by their endings. */
export const FORMATS = { md: asMarkdown, json: asJson, csv: asCsv } as const;

/** One kind of file. */
export type Format = keyof typeof FORMATS;

/** For people. */
function asMarkdown({ workspace, at, savings, runs }: Source): string {
  const { workspace: total, pending } = savings;
  const rows = runs.map(({ label, at_ms, status, calls, wall_ms, tokens }) =>
    [
      markdown(oneLine(label, 80)),
      new Date(at_ms).toISOString(),
      statusText(status),
      whole(calls),
      duration(wall_ms),
      tokens ? whole(tokens.saved) : '—',
      tokens?.saved_percent === undefined ? '—' : percent(tokens.saved_percent),
    ].join(' | '),
  );
  const head = [
    ...[l10n.t('program'), l10n.t('submitted'), l10n.t('ended'), l10n.t('calls'), l10n.t('time')],
    ...[l10n.t('tokens saved'), l10n.t('share')],
  ].join(' | ');
  return [
    `# ${l10n.t('TTA report')}: ${markdown(oneLine(workspace))}`,
    at.toISOString(),
    `**${headline(total.tokens)}**, ${l10n.t('{0} runs', whole(total.runs))}, ${callCount(total.calls)}`,
    ...(pending > 0 ? [l10n.t('{0} runs are not counted yet.', whole(pending))] : []),
    baselineTable(total.tokens),
    `## ${l10n.t('Runs, the newest first')}`,
    [`| ${head} |`, '|:--|:--|:--|--:|--:|--:|--:|', ...rows.map((row) => `| ${row} |`)].join('\n'),
    `## ${l10n.t('What the figures rest on')}`,
    labelList(total.tokens),
    '',
  ].join('\n\n');
}

/** For programs: the daemon's own words. */
function asJson({ workspace, at, savings, runs }: Source): string {
  const totals = { session: savings.session, workspace: savings.workspace, pending: savings.pending };
  return `${JSON.stringify({ workspace, at: at.toISOString(), totals, runs }, null, 2)}\n`;
}

/** For spreadsheets: a line a run. */
function asCsv({ runs }: Source): string {
  const head = [
    ...['run_id', 'submitted', 'program', 'language', 'status', 'front', 'calls', 'wall_ms', 'code_mode_tokens'],
    ...['direct_deferred_tokens', 'direct_needed_servers_tokens', 'direct_all_servers_tokens', 'saved_tokens'],
  ];
  const rows = runs.map(({ run_id, at_ms, label, language, status, front, calls, wall_ms, tokens }) => [
    run_id,
    new Date(at_ms).toISOString(),
    oneLine(label),
    ...[language, status, front, calls, wall_ms, tokens?.code_mode.total, tokens?.direct.deferred.total],
    ...[tokens?.direct.needed_servers.total, tokens?.direct.all_servers.total, tokens?.saved],
  ]);
  return [head, ...rows].map((row) => `${row.map(cell).join(',')}\r\n`).join('');
}

/** A text that a spreadsheet would take for a formula is marked as text; a number is left one. */
function cell(value: string | number | undefined): string {
  const text = String(value ?? '');
  const safe = typeof value === 'string' && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
