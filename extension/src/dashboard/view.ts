/**
 * What is looked at: period, baseline, narrowing, model, and the run that was opened; as the fragment of the page's address,
 * so that it can be kept and sent. What a fragment says wrongly is left out. Pure.
 */

import type { ReportFilter, ReportRequest, RunId, RunStatus } from '../lsp_ext';

/** The ways of calling tools directly that a program is compared with, the headline first. */
export const BASELINES = ['deferred', 'needed_servers', 'all_servers'] as const;
export type Baseline = (typeof BASELINES)[number];

/** The periods that can be chosen, with their lengths; those without one end or begin where the person says. */
export const RANGES = { day: 86_400_000, week: 604_800_000, month: 2_592_000_000, all: 0, custom: 0 } as const;
export type Range = keyof typeof RANGES;

const STATUSES: readonly string[] = ['ok', 'error', 'limit', 'denied', 'cancelled', 'fault'] satisfies RunStatus[];
const NARROWINGS = [
  'server',
  'tool',
  'language',
  'front',
  'status',
  'tag',
] as const satisfies readonly (keyof ReportFilter)[];

/** The longest lists that are asked for. */
const TOP = 20;

/** What is looked at. */
export interface View {
  readonly range: Range;
  /** Of a period of one's own: its begin and its end, which may be open. */
  readonly sinceMs?: number | undefined;
  readonly untilMs?: number | undefined;
  readonly baseline: Baseline;
  readonly only: ReportFilter;
  /** Whose prices; the configured one's where absent. */
  readonly model?: string | undefined;
  /** The run whose calls are looked at. */
  readonly run?: RunId | undefined;
  /** Whether that run's figures are explained turn by turn. */
  readonly why?: boolean | undefined;
}

/** What is looked at first. */
export const FIRST: View = { range: 'week', baseline: 'deferred', only: {} };

/** The view as a fragment without its `#`; what is as at first is left out. */
export function toFragment(view: View): string {
  const { range, sinceMs, untilMs, baseline, only, model, run, why } = view;
  const words = new URLSearchParams();
  const add = (key: string, value: string | number | undefined): void => {
    if (value !== undefined) {
      words.set(key, String(value));
    }
  };
  add('range', range === FIRST.range ? undefined : range);
  if (range === 'custom') {
    add('since', sinceMs);
    add('until', untilMs);
  }
  add('baseline', baseline === FIRST.baseline ? undefined : baseline);
  NARROWINGS.forEach((key) => {
    add(key, only[key]);
  });
  add('model', model);
  add('run', run);
  add('why', why === true ? 1 : undefined);
  return words.toString();
}

/** The view that a fragment names. */
export function fromFragment(fragment: string): View {
  const words = new URLSearchParams(fragment.replace(/^#/, ''));
  const text = (key: string): string | undefined => {
    const word = words.get(key) ?? '';
    return word === '' ? undefined : word;
  };
  const range = text('range') ?? FIRST.range;
  const baseline = BASELINES.find((name) => name === text('baseline')) ?? FIRST.baseline;
  const only = Object.fromEntries(NARROWINGS.flatMap((key) => (text(key) === undefined ? [] : [[key, text(key)]])));
  if (only['status'] !== undefined && !STATUSES.includes(only['status'])) {
    delete only['status'];
  }
  return {
    range: isRange(range) ? range : FIRST.range,
    sinceMs: moment(text('since')),
    untilMs: moment(text('until')),
    baseline,
    only,
    model: text('model'),
    run: text('run'),
    ...(text('why') === undefined ? {} : { why: true }),
  };
}

/** What the ledger is asked for a view. */
export function toRequest(view: View, nowMs: number): ReportRequest {
  const { range, only, model } = view;
  const since = range === 'custom' ? view.sinceMs : range === 'all' ? undefined : nowMs - RANGES[range];
  const until = range === 'custom' ? view.untilMs : undefined;
  return {
    ...(since === undefined ? {} : { since_ms: since }),
    ...(until === undefined ? {} : { until_ms: until }),
    // What has no begin has nothing before it.
    compare: since !== undefined,
    only,
    ...(model === undefined ? {} : { model }),
    top: TOP,
  };
}

/** The same as the query of a URL. */
export function toQuery(request: ReportRequest): string {
  const { only, ...rest } = request;
  return new URLSearchParams(
    Object.entries({ ...rest, ...only }).map(([key, value]): [string, string] => [key, String(value)]),
  ).toString();
}

/** The narrowing as its parts, in a fixed order. */
export function narrowings(only: ReportFilter): [keyof ReportFilter, string][] {
  return NARROWINGS.flatMap((key): [keyof ReportFilter, string][] =>
    only[key] === undefined ? [] : [[key, only[key]]],
  );
}

/** Whether a text names a period. */
export function isRange(text: string): text is Range {
  return Object.hasOwn(RANGES, text);
}

function moment(text: string | undefined): number | undefined {
  const ms = Number(text ?? 'none');
  return Number.isSafeInteger(ms) && ms >= 0 ? ms : undefined;
}
