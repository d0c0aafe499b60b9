/**
 * Commands about runs. Show Last Runs lists the newest with what each saved, and choosing one opens its receipt; the others
 * take a line of the tree of runs.
 */

import * as vscode from 'vscode';
import type { Ctx } from '../ctx';
import { duration, whole } from '../format';
import type { LiveRun, RunSummary } from '../lsp_ext';
import { baselineTable, callCount, headline, labelList } from '../receipt';
import type { Parts } from '../parts';
import { statusText } from '../transcript';
import { runIcon, type Run, type RunsNode } from '../views/runs_model';
import { iconless, markdown, oneLine } from '../views/untrusted';
import * as wire from '../wire';

const SHOWN = 50;

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
    await showReceipt(chosen.run);
  }
}

/** Stops a run: the one of the subject, else the only one, else the one that is picked. */
export async function stopRun(ctx: Ctx, subject: unknown): Promise<void> {
  // The daemon knows which there are: what it tells the tree may still be on its way.
  const run = runIn(subject) ?? (await pickLive(await ctx.request(wire.liveRuns, {})));
  if (run && !(await ctx.request(wire.stopRun, { run_id: run.id }))) {
    void vscode.window.showInformationMessage(vscode.l10n.t('{0} has ended already.', run.label));
  }
}

/** Opens a run's receipt. */
export async function openReceipt(ctx: Ctx, subject: unknown): Promise<void> {
  const id = runIn(subject)?.id;
  const run = (await ctx.request(wire.runs, { limit: SHOWN })).find(({ run_id }) => run_id === id);
  if (!run) {
    throw new Error(vscode.l10n.t('The ledger has no receipt for this run yet.'));
  }
  await showReceipt(run);
}

/** Opens how a run's figures came about: of the subject, else of the newest run. */
export async function explainRun(_: Ctx, subject: unknown, { documents }: Parts): Promise<void> {
  const run = runIn(subject);
  const title = vscode.l10n.t('How this was computed');
  await documents.preview(`${run?.label ?? ''} ${title}.md`.trim(), {
    kind: 'explanation',
    ...(run ? { run: run.id } : {}),
  });
}

/** Opens the program of a run. */
export async function openProgram(_: Ctx, subject: unknown, { documents }: Parts): Promise<void> {
  const run = runIn(subject);
  if (run) {
    await documents.show(run.label, { kind: 'program', run: run.id }, run.language);
  }
}

/** Opens what a run returned, or why it failed. */
export async function openResult(_: Ctx, subject: unknown, { documents }: Parts): Promise<void> {
  const run = runIn(subject);
  if (run) {
    const ending = run.status === 'ok' ? 'json' : 'txt';
    await documents.show(`${run.label} → result.${ending}`, { kind: 'result', run: run.id });
  }
}

/** Opens what a run printed. */
export async function openOutput(_: Ctx, subject: unknown, { documents }: Parts): Promise<void> {
  const run = runIn(subject);
  if (run) {
    await documents.show(`${run.label} → output.txt`, { kind: 'output', run: run.id }, 'plaintext');
  }
}

/** Opens a call's arguments and what answered them. */
export async function openCall(_: Ctx, subject: unknown, { documents }: Parts): Promise<void> {
  const node = subject as RunsNode;
  if (node.kind === 'call') {
    const { run, index, call } = node;
    await documents.show(
      `${call.server}.${call.tool} ${index + 1}.txt`,
      { kind: 'call', run: run.id, index },
      'plaintext',
    );
  }
}

/** Opens the file that keeps what was too long to return. */
export async function openArtifact(_: Ctx, subject: unknown): Promise<void> {
  const node = subject as RunsNode;
  if (node.kind === 'artifact') {
    await vscode.commands.executeCommand('vscode.open', vscode.Uri.file(node.file));
  }
}

function runIn(subject: unknown): Run | undefined {
  return typeof subject === 'object' && subject !== null && 'run' in subject ? (subject.run as Run) : undefined;
}

async function pickLive(runs: readonly LiveRun[]): Promise<Pick<Run, 'id' | 'label'> | undefined> {
  if (runs.length === 0) {
    throw new Error(vscode.l10n.t('No program is running.'));
  }
  const items = runs.map(({ run_id: id, label, calls }) => ({
    label: iconless(oneLine(label)),
    description: callCount(calls),
    run: { id, label },
  }));
  const chosen =
    items.length === 1
      ? items[0]
      : await vscode.window.showQuickPick(items, { title: vscode.l10n.t('Stop which run?') });
  return chosen?.run;
}

function item(run: RunSummary): vscode.QuickPickItem & { run: RunSummary } {
  return {
    label: `$(${runIcon(run.status)}) ${iconless(oneLine(run.label))}`,
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

async function showReceipt(run: RunSummary): Promise<void> {
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
    const explained = await this.ctx.request(wire.explain, { run_id: run.run_id }).catch(() => undefined);
    return [
      `# ${headline(tokens)}`,
      `**${markdown(oneLine(run.label))}** · ${facts(run).join(' · ')}`,
      baselineTable(tokens),
      ...(explained === undefined ? [] : [`${markdown(oneLine(explained.why, 1_000))} ${howTo()}`]),
      ...(results.length > 0 ? [`## ${vscode.l10n.t('Results, by call')}`, resultTable(results)] : []),
      `## ${vscode.l10n.t('What the figures rest on')}`,
      labelList(tokens),
      vscode.l10n.t('Tokens are counted with {0}. Run {1}.', tokens.encoding, run.run_id),
    ].join('\n\n');
  }
}

/** Where the explanation is. A preview opens no documents of ours, so that the way there is said. */
function howTo(): string {
  return vscode.l10n.t('*How Was This Computed?* in the menu of the run shows every turn.');
}

function resultTable(results: number[]): string {
  const rows = results.map((count, index) => `| ${index + 1} | ${whole(count)} |`);
  return [`| ${vscode.l10n.t('call')} | ${vscode.l10n.t('tokens')} |`, '|--:|--:|', ...rows].join('\n');
}
