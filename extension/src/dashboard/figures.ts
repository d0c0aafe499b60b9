/**
 * The comparison of programs with direct calls, in figures and words: what was saved or cost, how sure that is, and how it
 * was computed. A loss has its sign, its word and its own look everywhere. Pure.
 */

import * as l10n from '@vscode/l10n';
import type { Cost, Dollars, PeriodTotals, SideTokens, TokenReport } from '../lsp_ext';
import type { Numbers } from './numbers';
import type { Baseline, Range } from './view';

/** Which way a comparison went. */
export type Outcome = 'saved' | 'cost' | 'even';

/** Two sides and their difference. */
export interface Compared {
  readonly direct: number;
  readonly program: number;
  /** `direct - program` */
  readonly saved: number;
  readonly outcome: Outcome;
  /** In percent of `direct`; absent where that is nothing. */
  readonly percent: number | undefined;
}

/** How well a figure is known. */
export type Certainty = 'measured' | 'computed' | 'estimated';

/** Compares two sides of anything. */
export function compared(direct: number, program: number): Compared {
  const saved = direct - program;
  const outcome = saved > 0 ? 'saved' : saved < 0 ? 'cost' : 'even';
  return { direct, program, saved, outcome, percent: direct === 0 ? undefined : (100 * saved) / direct };
}

/** Billed tokens. */
export function tokensOf(report: TokenReport, baseline: Baseline): Compared {
  return compared(report.direct[baseline].total, report.code_mode.total);
}

/** Model turns. */
export function turnsOf(report: TokenReport, baseline: Baseline): Compared {
  return compared(report.direct[baseline].turns, report.code_mode.turns);
}

/** Dollars, with prompt caching or without. */
export function dollarsOf(dollars: Dollars, baseline: Baseline, billing: keyof Cost): Compared {
  return compared(dollars[baseline][billing], dollars.code_mode[billing]);
}

/** A period against the one before: in percent of that one, absent where that was nothing. */
export function change(now: number, before: number): number | undefined {
  return before === 0 ? undefined : (100 * (now - before)) / Math.abs(before);
}

/** “27,662 tokens saved”, “242 tokens more than direct calls”: the words after the number. */
export function savedWords(outcome: Outcome): string {
  switch (outcome) {
    case 'saved':
      return l10n.t('tokens saved');
    case 'cost':
      return l10n.t('tokens more than direct calls');
    case 'even':
      return l10n.t('tokens: neither saved nor lost');
  }
}

/** “saved” or “cost more”, beside a figure. */
export function outcomeWord(outcome: Outcome): string {
  switch (outcome) {
    case 'saved':
      return l10n.t('saved');
    case 'cost':
      return l10n.t('cost more');
    case 'even':
      return l10n.t('even');
  }
}

/** How direct calls offer their tools. */
export function baselineName(baseline: Baseline): string {
  switch (baseline) {
    case 'deferred':
      return l10n.t('Deferred definitions');
    case 'needed_servers':
      return l10n.t('Needed servers');
    case 'all_servers':
      return l10n.t('All servers');
  }
}

/** The same in a sentence. */
export function baselineMeaning(baseline: Baseline): string {
  switch (baseline) {
    case 'deferred':
      return l10n.t('Direct calls by a host that finds tools by a search and loads only the definitions it uses.');
    case 'needed_servers':
      return l10n.t('Direct calls by a host that loads every definition of the servers that were used.');
    case 'all_servers':
      return l10n.t('Direct calls by a host that loads every definition of every configured server.');
  }
}

/** A period's name. */
export function rangeName(range: Range): string {
  switch (range) {
    case 'day':
      return l10n.t('24 hours');
    case 'week':
      return l10n.t('7 days');
    case 'month':
      return l10n.t('30 days');
    case 'all':
      return l10n.t('All time');
    case 'custom':
      return l10n.t('Custom');
  }
}

/** The word for how well a figure is known. */
export function certaintyName(certainty: Certainty): string {
  switch (certainty) {
    case 'measured':
      return l10n.t('measured');
    case 'computed':
      return l10n.t('computed');
    case 'estimated':
      return l10n.t('estimated');
  }
}

/** How well a figure is known: as well as the worst of what it is made of. */
export function certainty(labels: Readonly<Record<string, string | undefined>>, ...figures: string[]): Certainty {
  const texts = figures.flatMap((figure) => labels[figure] ?? []);
  const worst = (['estimated', 'computed', 'measured'] as const).find((word) =>
    texts.some((text) => text.startsWith(word)),
  );
  return worst ?? 'computed';
}

/** How well the headline is known. */
export function headlineCertainty({ estimated_runs: estimated }: PeriodTotals): Certainty {
  return estimated > 0 ? 'estimated' : 'computed';
}

/** One line of the two sides beside each other. */
export interface SideRow {
  readonly name: string;
  readonly program: number;
  readonly direct: number;
  readonly certainty: Certainty;
  /** Whether the column sums up in this row. */
  readonly sum: boolean;
}

/** Both sides, figure by figure. */
export function sideRows(report: TokenReport, baseline: Baseline): SideRow[] {
  const { code_mode: program, direct, labels } = report;
  const row = (figure: keyof SideTokens, name: string, sum = false): SideRow => ({
    name,
    program: program[figure],
    direct: direct[baseline][figure],
    certainty: certainty(
      labels,
      ...(sum ? ['code_mode.total', 'total'] : [`code_mode.${figure}`, `direct.${figure}`]),
      ...(figure === 'definitions' || sum ? [`direct.${baseline}`] : []),
    ),
    sum,
  });
  return [
    row('definitions', l10n.t('Tool definitions')),
    row('output', l10n.t('Written by the model')),
    row('results', l10n.t('Results in the context')),
    row('total', l10n.t('Billed over all turns'), true),
    row('turns', l10n.t('Model turns')),
    row('peak_context', l10n.t('Largest context')),
  ];
}

/** The sum behind the headline, with its own numbers. */
export function headlineSum({ direct, program, saved }: Compared, numbers: Numbers): string {
  return l10n.t(
    '{0} by direct calls − {1} by programs = {2}',
    numbers.whole(direct),
    numbers.whole(program),
    numbers.whole(saved),
  );
}
