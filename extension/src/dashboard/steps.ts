/**
 * A report's series as the columns of a chart: every step of the period stands in it, those without a run as nothing. The
 * hours of several days are summed up to days where the reader is. Pure.
 */

import type { SavingsReport, SeriesStep } from '../lsp_ext';
import type { Baseline } from './view';

const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

/** Hours beyond which days are shown. */
const HOURS_MAX = 49;
/** Columns beyond which gaps stay gaps. */
const COLUMNS_MAX = 750;

/** The columns, all of one length. */
export interface Steps {
  readonly stepMs: number;
  /** Days are those of UTC, as the ledger keeps them; else the reader's own. */
  readonly utc: boolean;
  readonly atMs: readonly number[];
  readonly direct: readonly number[];
  readonly program: readonly number[];
  readonly runs: readonly number[];
}

interface Step {
  readonly atMs: number;
  readonly direct: number;
  readonly program: number;
  readonly runs: number;
}

/** The columns of a report against one baseline. */
export function stepsOf({ series, step_ms: stepMs, total }: SavingsReport, baseline: Baseline): Steps {
  const utc = stepMs >= DAY_MS;
  const byDay = !utc && total.until_ms - total.since_ms > HOURS_MAX * HOUR_MS;
  const known = series.map((step) => column(step, baseline));
  const steps = byDay
    ? days(known, total.since_ms, total.until_ms)
    : filled(known, stepMs, { sinceMs: total.since_ms, untilMs: total.until_ms });
  return {
    stepMs: byDay ? DAY_MS : stepMs,
    utc,
    atMs: steps.map(({ atMs }) => atMs),
    direct: steps.map(({ direct }) => direct),
    program: steps.map(({ program }) => program),
    runs: steps.map(({ runs }) => runs),
  };
}

/** Where a step ends: at the next one's begin, for a day may have an hour more or less. */
export function endOf({ atMs, stepMs, utc }: Steps, index: number): number {
  const at = atMs[index] ?? 0;
  return stepMs === DAY_MS && !utc ? nextDay(at) : at + stepMs;
}

function column(step: SeriesStep, baseline: Baseline): Step {
  return { atMs: step.at_ms, direct: step[baseline], program: step.code_mode, runs: step.runs };
}

function filled(
  known: readonly Step[],
  stepMs: number,
  { sinceMs, untilMs }: { readonly sinceMs: number; readonly untilMs: number },
): readonly Step[] {
  const [first, last] = [known[0], known.at(-1)];
  if (first === undefined || last === undefined || stepMs <= 0) {
    return known;
  }
  // The steps' own phase: they begin at full hours and days.
  const before = Math.max(0, Math.ceil((first.atMs - sinceMs) / stepMs));
  const after = Math.max(0, Math.ceil((untilMs - last.atMs) / stepMs) - 1);
  const from = first.atMs - before * stepMs;
  const count = Math.round((last.atMs - from) / stepMs) + 1 + after;
  if (count > COLUMNS_MAX) {
    return known;
  }
  const at = new Map(known.map((step) => [step.atMs, step]));
  return Array.from({ length: count }, (_, index) => at.get(from + index * stepMs) ?? nothing(from + index * stepMs));
}

/** One step for each of the reader's days in the period. */
function days(known: readonly Step[], sinceMs: number, untilMs: number): Step[] {
  const sums: Step[] = [];
  let next = 0;
  for (let atMs = dayOf(sinceMs); atMs < untilMs; atMs = nextDay(atMs)) {
    let sum = nothing(atMs);
    for (let step = known[next]; step !== undefined && step.atMs < nextDay(atMs); step = known[next]) {
      const { direct, program, runs } = step;
      sum = { atMs, direct: sum.direct + direct, program: sum.program + program, runs: sum.runs + runs };
      next += 1;
    }
    sums.push(sum);
  }
  return known.length === 0 ? [] : sums;
}

function dayOf(ms: number): number {
  return new Date(ms).setHours(0, 0, 0, 0);
}

function nextDay(ms: number): number {
  const day = new Date(ms);
  day.setHours(24, 0, 0, 0);
  return day.getTime();
}

function nothing(atMs: number): Step {
  return { atMs, direct: 0, program: 0, runs: 0 };
}
