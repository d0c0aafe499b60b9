/**
 * What the dashboard shows, as HTML in which every word of others is escaped. All baselines stand in it at once: which one
 * is seen is the page's own affair. Every figure says whether it was measured, computed or estimated. Pure.
 */

import { l10n } from 'vscode';
import { duration, percent, whole } from '../format';
import type { Baselines, Savings, SavingsSummary, ServerStatus, SideTokens } from '../lsp_ext';
import { callCount } from '../receipt';
import { statusText } from '../transcript';
import type { Run } from './runs_model';
import { stateFacts } from './servers_model';
import { html, oneLine } from './untrusted';

/** What the dashboard is made of. */
export interface Figures {
  readonly savings: SavingsSummary;
  readonly runs: readonly Run[];
  readonly servers: readonly ServerStatus[];
}

const BASELINES = ['deferred', 'needed_servers', 'all_servers'] as const satisfies readonly (keyof Baselines)[];

/** One way of calling tools directly. */
export type Baseline = (typeof BASELINES)[number];

/** The baselines with their names, the headline first. */
export function baselines(): readonly (readonly [Baseline, string])[] {
  const names: Readonly<Record<Baseline, string>> = {
    deferred: l10n.t('Definitions deferred'),
    needed_servers: l10n.t('Needed servers'),
    all_servers: l10n.t('All servers'),
  };
  return BASELINES.map((baseline) => [baseline, names[baseline]]);
}

/** The changing part of the page. */
export function figures({ savings, runs, servers }: Figures): string {
  const { workspace, session, running, pending } = savings;
  const notes = [
    ...(running > 0 ? [l10n.t('{0} running', whole(running))] : []),
    ...(pending > 0 ? [l10n.t('{0} not counted yet', whole(pending))] : []),
  ];
  return [
    `<p class="notes" role="status">${html(notes.join(' · '))}</p>`,
    ...BASELINES.map((baseline) => totals(baseline, workspace, session)),
    section(
      l10n.t('Last runs'),
      runs.length === 0 ? empty(l10n.t('No program has run in this workspace yet.')) : runTable(runs),
    ),
    section(l10n.t('Servers'), servers.length === 0 ? empty(l10n.t('No server is configured.')) : serverTable(servers)),
    section(l10n.t('What the figures rest on'), labels(workspace)),
  ].join('\n');
}

function totals(baseline: Baseline, workspace: Savings, session: Savings): string {
  const scopes: [string, Savings][] = [
    [l10n.t('This workspace'), workspace],
    [l10n.t('This session'), session],
  ];
  return `<div class="totals ${baseline}">${scopes.map(([title, savings]) => card(title, savings, baseline)).join('')}</div>`;
}

function card(title: string, { runs, calls, tokens }: Savings, baseline: Baseline): string {
  const [direct, program] = [tokens.direct[baseline], tokens.code_mode];
  const saved = direct.total - program.total;
  const share = direct.total === 0 ? '' : ` · ${percent(Math.abs((100 * saved) / direct.total))}`;
  const headline = saved < 0 ? l10n.t('cost {0} tokens more', whole(-saved)) : l10n.t('saved {0} tokens', whole(saved));
  const rows: [string, keyof SideTokens][] = [
    [l10n.t('definitions'), 'definitions'],
    [l10n.t('written by the model'), 'output'],
    [l10n.t('results'), 'results'],
    [l10n.t('model turns'), 'turns'],
    [l10n.t('total, over all turns'), 'total'],
  ];
  const cells = rows.map(([name, figure]) => {
    const label = weakest(
      tokens.labels,
      `code_mode.${figure}`,
      `direct.${figure}`,
      `direct.${baseline}`,
      'direct',
      'total',
    );
    return `<tr><th scope="row">${html(name)}</th><td>${whole(program[figure])}</td><td>${whole(direct[figure])}</td><td class="label">${html(label)}</td></tr>`;
  });
  return `<section class="card" aria-label="${html(title)}">
<h2>${html(title)}</h2>
<p class="saved${saved < 0 ? ' loss' : ''}">${html(headline + share)}</p>
<p>${html(`${runs === 1 ? l10n.t('1 run') : l10n.t('{0} runs', whole(runs))}, ${callCount(calls)}`)}</p>
${table([l10n.t('tokens'), l10n.t('program'), l10n.t('direct'), l10n.t('basis')], cells, [])}
</section>`;
}

/** How well a row is known: as well as the worst of what stands in it. */
function weakest(labels: Readonly<Record<string, string>>, ...figures: string[]): string {
  const texts = figures.flatMap((figure) => labels[figure] ?? []);
  const words: [string, string][] = [
    ['estimated', l10n.t('estimated')],
    ['computed', l10n.t('computed')],
    ['measured', l10n.t('measured')],
  ];
  return words.find(([word]) => texts.some((text) => text.startsWith(word)))?.[1] ?? '';
}

function runTable(runs: readonly Run[]): string {
  const head = [
    l10n.t('Program'),
    l10n.t('Ended'),
    l10n.t('Calls'),
    l10n.t('Time'),
    ...baselines().map(() => l10n.t('Saved')),
  ];
  const rows = runs.map((run) => {
    const { id, label, status, calls, wallMs, tokens } = run;
    const saved = BASELINES.map((baseline) => {
      const tokensSaved = tokens && tokens.direct[baseline].total - tokens.code_mode.total;
      const shown = tokensSaved === undefined ? '—' : whole(tokensSaved);
      return `<td class="${baseline}${tokensSaved !== undefined && tokensSaved < 0 ? ' loss' : ''}">${shown}</td>`;
    });
    const name = html(oneLine(label, 80));
    const first =
      status === undefined
        ? name
        : `<button type="button" data-run="${html(id)}" title="${html(l10n.t('Open its receipt'))}">${name}</button>`;
    return `<tr><th scope="row">${first}</th><td class="word">${html(status === undefined ? l10n.t('running') : statusText(status))}</td><td>${whole(calls)}</td><td>${wallMs === undefined ? '—' : duration(wallMs)}</td>${saved.join('')}</tr>`;
  });
  const classes = ['', 'word', '', '', ...BASELINES];
  return table(head, rows, classes);
}

function serverTable(servers: readonly ServerStatus[]): string {
  const rows = servers.map((server) => {
    const { name, tools, definition_tokens: tokens } = server;
    const shown = (count: number | undefined): string => (count === undefined ? '—' : whole(count));
    return `<tr><th scope="row"><button type="button" data-server="${html(name)}" title="${html(l10n.t('Show its tools'))}">${html(oneLine(name, 80))}</button></th><td class="word">${html(stateFacts(server))}</td><td>${shown(tools)}</td><td>${shown(tokens)}</td></tr>`;
  });
  return table([l10n.t('Server'), l10n.t('State'), l10n.t('Tools'), l10n.t('Definition tokens (computed)')], rows, [
    '',
    'word',
  ]);
}

function table(head: readonly string[], rows: readonly string[], classes: readonly string[]): string {
  const cells = head.map((title, index) => `<th scope="col" class="${classes[index] ?? ''}">${html(title)}</th>`);
  return `<table><thead><tr>${cells.join('')}</tr></thead><tbody>${rows.join('')}</tbody></table>`;
}

function labels({ tokens }: Savings): string {
  const items = Object.entries(tokens.labels).map(
    ([figure, label]) => `<dt>${html(figure)}</dt><dd>${html(label)}</dd>`,
  );
  const tokenizer = l10n.t('Tokens are counted with {0}.', tokens.encoding);
  return `<dl>${items.join('')}</dl><p>${html(tokenizer)}</p>`;
}

function section(title: string, body: string): string {
  return `<section><h2>${html(title)}</h2>${body}</section>`;
}

function empty(text: string): string {
  return `<p>${html(text)}</p>`;
}
