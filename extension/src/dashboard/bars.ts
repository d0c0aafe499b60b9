/** Groups of runs and calls as rows with bars. A bar's length is a share of the longest; a row leads to what it narrows. Pure. */

import * as l10n from '@vscode/l10n';
import type { CallGroup, ReportFilter, RunGroup, RunStatus } from '../lsp_ext';
import { compared, type Compared } from './figures';
import type { Baseline } from './view';

/** A row of calls. */
export interface CallBar {
  readonly group: CallGroup;
  readonly name: string;
  /** 0 to 1 */
  readonly length: number;
  readonly only: ReportFilter;
}

/** A row of runs: what direct calls would have cost, and in it what the programs did. */
export interface RunBar {
  readonly group: RunGroup;
  readonly name: string;
  readonly tokens: Compared;
  /** 0 to 1, each */
  readonly direct: number;
  readonly program: number;
  readonly only: ReportFilter;
}

/** What groups of runs have in common. */
export type RunKey = 'language' | 'front' | 'status' | 'tag';

/** Calls by server or tool, by the tokens of their answers. */
export function callBars(groups: readonly CallGroup[], only: ReportFilter): CallBar[] {
  const longest = Math.max(1, ...groups.map((group) => group.result_tokens));
  return groups.map((group) => ({
    group,
    name: group.tool === undefined ? group.server : `${group.server}.${group.tool}`,
    length: group.result_tokens / longest,
    only: { ...only, server: group.server, ...(group.tool === undefined ? {} : { tool: group.tool }) },
  }));
}

/** Runs by what they have in common, against one baseline. */
export function runBars(
  groups: readonly RunGroup[],
  key: RunKey,
  { only, baseline }: { readonly only: ReportFilter; readonly baseline: Baseline },
): RunBar[] {
  const longest = Math.max(1, ...groups.flatMap((group) => [group[baseline], group.code_mode]));
  return groups.map((group) => ({
    group,
    name: groupName(key, group.key),
    tokens: compared(group[baseline], group.code_mode),
    direct: group[baseline] / longest,
    program: group.code_mode / longest,
    only: { ...only, [key]: group.key },
  }));
}

/** A group's key as people say it; a tag's is its own. */
export function groupName(key: RunKey | 'server' | 'tool', text: string): string {
  switch (key) {
    case 'language':
      return known({ python: 'Python', typescript: 'TypeScript', javascript: 'JavaScript' }, text);
    case 'front':
      return known({ cli: l10n.t('Terminal'), mcp: l10n.t('MCP client'), lsp: l10n.t('Editor') }, text);
    case 'status':
      return statusName(text);
    default:
      return text;
  }
}

/** How a run ended, in a word. */
export function statusName(status: string): string {
  const names: Record<RunStatus, string> = {
    ok: l10n.t('ok'),
    error: l10n.t('failed'),
    limit: l10n.t('ended by a limit'),
    denied: l10n.t('denied'),
    cancelled: l10n.t('cancelled'),
    fault: l10n.t('fault of the daemon'),
  };
  return known(names, status);
}

/** How the cache took part in a call. */
export function cacheName(cache: string): string {
  return known({ miss: '—', hit: l10n.t('from the cache'), joined: l10n.t('with an equal call') }, cache);
}

function known(names: Readonly<Record<string, string>>, text: string): string {
  return Object.hasOwn(names, text) ? (names[text] ?? text) : text;
}

/** The name of what is narrowed by. */
export function narrowingName(key: keyof ReportFilter): string {
  switch (key) {
    case 'server':
      return l10n.t('server');
    case 'tool':
      return l10n.t('tool');
    case 'language':
      return l10n.t('language');
    case 'front':
      return l10n.t('from');
    case 'status':
      return l10n.t('ended');
    case 'tag':
      return l10n.t('tag');
  }
}
