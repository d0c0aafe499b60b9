/**
 * What the tree of runs shows: those the ledger keeps, and above them those that are going on or were not recorded yet.
 * Follows the daemon's events; bounded in runs and in the calls it keeps of each. Pure.
 */

import { l10n } from 'vscode';
import { duration, whole } from '../format';
import type {
  CallDetail,
  CallRecord,
  CallStatus,
  Language,
  ProgramError,
  RunDetail,
  RunEvent,
  RunId,
  RunStatus,
  RunSummary,
  TokenReport,
  Truncation,
} from '../lsp_ext';
import { callCount, headline } from '../receipt';
import { statusText } from '../transcript';
import type { Row } from './row';
import { codeBlock, cut, markdown, oneLine } from './untrusted';

/** A run, whether it goes on or ended. */
export interface Run {
  readonly id: RunId;
  readonly label: string;
  readonly language: Language;
  readonly atMs: number;
  /** Absent while it runs. */
  readonly status?: RunStatus;
  readonly calls: number;
  readonly wallMs?: number;
  readonly tokens?: TokenReport;
  readonly front?: string;
  /** What it said last. */
  readonly progress?: string;
}

/** One line of the tree. */
export type RunsNode =
  | { readonly kind: 'run'; run: Run }
  | {
      readonly kind: 'call';
      readonly run: Run;
      readonly index: number;
      readonly call: CallRecord;
      readonly detail?: CallDetail;
    }
  | { readonly kind: 'error'; readonly run: Run; readonly error: ProgramError }
  | { readonly kind: 'artifact'; readonly run: Run; readonly cut: Truncation; readonly file: string }
  | { readonly kind: 'note'; readonly run: Run; readonly text: string; readonly command?: string };

const MOST_LIVE = 50;
const MOST_CALLS = 200;

interface Live {
  run: Run;
  readonly calls: CallRecord[];
}

/** All runs, newest first. */
export class Runs {
  private readonly live = new Map<RunId, Live>();
  private recorded: readonly Run[] = [];

  constructor(private readonly now: () => number = Date.now) {}

  /** Takes an event. Returns the run it changed; undefined where it is not known. */
  apply(event: RunEvent): Run | undefined {
    const { run_id: id } = event;
    if (event.event === 'started') {
      const run = { id, label: event.label, language: event.language, atMs: this.now(), calls: 0 };
      this.live.set(id, { run, calls: [] });
      for (const oldest of [...this.live.keys()].slice(0, -MOST_LIVE)) {
        this.live.delete(oldest);
      }
      return run;
    }
    const live = this.live.get(id);
    if (!live) {
      return undefined;
    }
    if (event.event === 'call') {
      if (live.calls.length < MOST_CALLS) {
        live.calls.push(event.call);
      }
      live.run = { ...live.run, calls: live.run.calls + 1 };
    } else if (event.event === 'progress') {
      live.run = { ...live.run, progress: event.message };
    } else {
      live.run = { ...live.run, status: event.status, wallMs: event.wall_ms };
    }
    return live.run;
  }

  /** Takes the ledger's list; what stands in it has ended, whether or not that was heard, and is remembered there. */
  record(summaries: readonly RunSummary[]): void {
    this.recorded = summaries.map(recorded);
    for (const { id } of this.recorded) {
      this.live.delete(id);
    }
  }

  /** Forgets what another daemon ran: its runs that went on have ended with it. */
  clear(): void {
    this.live.clear();
  }

  /** Newest first. */
  list(): Run[] {
    const live = [...this.live.values()].map(({ run }) => run).reverse();
    const known = new Set(live.map(({ id }) => id));
    return [...live, ...this.recorded.filter(({ id }) => !known.has(id))];
  }

  /** Those that run now, newest first. */
  going(): Run[] {
    return this.list().filter(({ status }) => status === undefined);
  }

  /** The calls that a run was seen to make; none of those that were recorded before. */
  callsOf(id: RunId): readonly CallRecord[] {
    return this.live.get(id)?.calls ?? [];
  }
}

function recorded(summary: RunSummary): Run {
  const { run_id: id, label, language, at_ms: atMs, status, calls, wall_ms: wallMs, front, tokens } = summary;
  return { id, label, language, atMs, status, calls, wallMs, front, ...(tokens ? { tokens } : {}) };
}

/** What stands below a run while it goes on. */
export function liveNodes(run: Run, calls: readonly CallRecord[]): RunsNode[] {
  const nodes = calls.map((call, index): RunsNode => ({ kind: 'call', run, index, call }));
  return [...nodes, ...unshown(run, run.calls - calls.length)];
}

/** What stands below a run that ended: why it failed, its calls, and what was too long to return. */
export function detailNodes(run: Run, detail: RunDetail | null): RunsNode[] {
  if (detail === null) {
    return [
      {
        kind: 'note',
        run,
        text: l10n.t('Its details went with the window that ran it. The receipt is kept.'),
        command: 'tta.openReceipt',
      },
    ];
  }
  const calls = detail.calls
    .slice(0, MOST_CALLS)
    .map((call, index): RunsNode => ({ kind: 'call', run, index, call: call.record, detail: call }));
  const nodes: RunsNode[] = [
    ...(detail.error ? [{ kind: 'error', run, error: detail.error } as const] : []),
    ...calls,
    ...unshown(run, detail.calls.length - calls.length),
    ...detail.truncated.flatMap((cut): RunsNode[] =>
      cut.artifact === undefined ? [] : [{ kind: 'artifact', run, cut, file: cut.artifact }],
    ),
  ];
  return nodes.length > 0 ? nodes : [{ kind: 'note', run, text: l10n.t('It called no tool.') }];
}

function unshown(run: Run, more: number): RunsNode[] {
  return more > 0 ? [{ kind: 'note', run, text: l10n.t('… {0} more calls', whole(more)) }] : [];
}

const RUN_ICONS: Readonly<Record<RunStatus, readonly [name: string, color?: string]>> = {
  ok: ['pass', 'testing.iconPassed'],
  error: ['error', 'list.errorForeground'],
  limit: ['watch', 'list.warningForeground'],
  denied: ['circle-slash', 'list.warningForeground'],
  cancelled: ['debug-stop', 'disabledForeground'],
  fault: ['bug', 'list.errorForeground'],
};

const CALL_ICONS: Readonly<Record<CallStatus, readonly [name: string, color?: string]>> = {
  ok: ['check', 'testing.iconPassed'],
  error: RUN_ICONS.error,
  denied: RUN_ICONS.denied,
  timeout: RUN_ICONS.limit,
  cancelled: RUN_ICONS.cancelled,
};

/** A run's codicon without its colour. */
export function runIcon(status: RunStatus | undefined): string {
  return status === undefined ? 'loading~spin' : RUN_ICONS[status][0];
}

/** How a call ended, in the user's language. */
export function callStatusText(status: CallStatus): string {
  return status === 'timeout' ? l10n.t('timed out') : statusText(status);
}

/** “900 tokens saved · 90 % · 2 tool calls · 41 ms”, with what is known. */
export function runFacts(run: Run): string {
  const { status, calls, wallMs, tokens, progress } = run;
  const facts = [
    ...(status === 'ok' ? [] : [status === undefined ? l10n.t('running') : statusText(status)]),
    ...(tokens ? [headline(tokens)] : []),
    callCount(calls),
    ...(wallMs === undefined ? [] : [duration(wallMs)]),
    ...(status === undefined && progress !== undefined ? [oneLine(progress, 80)] : []),
  ];
  return facts.join(' · ');
}

/** The line of a node. `locale` is the one dates are written in. */
export function runsRow(node: RunsNode, locale: string): Row {
  switch (node.kind) {
    case 'run':
      return runRow(node.run, locale);
    case 'call':
      return callRow(node);
    case 'error':
      return errorRow(node.run, node.error);
    case 'artifact': {
      const { what, total_bytes: bytes } = node.cut;
      return {
        id: `artifact\n${node.run.id}\n${what}`,
        label: l10n.t('The whole {0}', what),
        description: l10n.t('{0} bytes', whole(bytes)),
        icon: ['file'],
        tooltip: markdown(node.file),
        context: 'artifact',
        command: 'tta.openArtifact',
      };
    }
    case 'note':
      return {
        id: `note\n${node.run.id}\n${node.text}`,
        label: node.text,
        icon: ['info'],
        tooltip: markdown(node.text),
        ...(node.command === undefined ? {} : { command: node.command }),
      };
  }
}

function runRow(run: Run, locale: string): Row {
  const { id, label, language, status, front, atMs } = run;
  return {
    id: `run\n${id}`,
    label: oneLine(label, 80),
    description: runFacts(run),
    icon: status === undefined ? ['loading~spin'] : RUN_ICONS[status],
    tooltip: [
      `**${markdown(label)}** ${markdown(runFacts(run))}`,
      [language, ...(front === undefined ? [] : [front]), new Date(atMs).toLocaleString(locale)].join(' · '),
      ...(status !== undefined && !run.tokens ? [l10n.t('Its tokens are not counted yet.')] : []),
    ].join('\n\n'),
    context: status === undefined ? 'run.live' : 'run.ended',
    children: 'closed',
  };
}

function callRow({ run, index, call, detail }: Extract<RunsNode, { kind: 'call' }>): Row {
  const { server, tool, status, ms, cache, line, result_tokens: tokens, result_bytes: bytes, error } = call;
  const facts = [
    ...(status === 'ok' ? [] : [callStatusText(status)]),
    duration(ms),
    tokens === undefined ? l10n.t('{0} bytes', whole(bytes)) : l10n.t('{0} tokens', whole(tokens)),
    ...(cache === 'miss' ? [] : [cache === 'hit' ? l10n.t('from the cache') : l10n.t('joined another call')]),
    ...(line === undefined ? [] : [l10n.t('line {0}', line)]),
  ];
  const parts = [
    `**${markdown(`${server}.${tool}`)}** ${markdown(facts.join(' · '))}`,
    ...(error === undefined ? [] : [markdown(error, 500)]),
    ...(detail ? [codeBlock(cut(detail.arguments, 1_000), 'json'), codeBlock(cut(detail.result, 1_500))] : []),
  ];
  return {
    id: `call\n${run.id}\n${index}`,
    label: oneLine(`${server}.${tool}`, 100),
    description: facts.join(' · '),
    icon: CALL_ICONS[status],
    tooltip: parts.join('\n\n'),
    context: 'call',
    command: 'tta.openCall',
  };
}

function errorRow(run: Run, { kind, message, hint, line }: ProgramError): Row {
  return {
    id: `error\n${run.id}`,
    label: oneLine(message),
    description: line === undefined ? kind : `${kind} · ${l10n.t('line {0}', line)}`,
    icon: RUN_ICONS.error,
    tooltip: [markdown(message), ...(hint === undefined ? [] : [markdown(hint)])].join('\n\n'),
    command: 'tta.openProgram',
  };
}
