/** What the status bar says: what was saved in this workspace so far, or why nothing can be. Pure. */

import { l10n } from 'vscode';
import type { DaemonState } from './client';
import { whole } from './format';
import { ledgerText } from './ledger_text';
import type { Savings, SavingsSummary } from './lsp_ext';
import { baselineTable, callCount, headline, labelList } from './receipt';
import { markdown } from './views/untrusted';

/** What the item shows. */
export interface Look {
  readonly text: string;
  readonly tooltip: string;
  readonly tone: 'plain' | 'warning' | 'error';
  readonly command: string;
}

/** What goes on in the window. */
export interface Activity {
  /** Live runs. */
  readonly running: number;
  /** Questions that wait for the person. */
  readonly waiting: number;
}

/** Decides what the item shows. */
export function look(
  state: DaemonState,
  savings: SavingsSummary | undefined,
  activity: Activity = { running: 0, waiting: 0 },
): Look {
  const plain = { tone: 'plain', command: 'tta.showDashboard' } as const;
  switch (state.kind) {
    case 'restricted':
      return {
        ...plain,
        text: `$(workspace-untrusted) ${l10n.t('TTA: restricted')}`,
        tooltip: l10n.t('This workspace is not trusted. Nothing of it is started until it is.'),
        command: 'workbench.trust.manage',
      };
    case 'starting':
      return { ...plain, text: `$(loading~spin) ${l10n.t('TTA: starting')}`, tooltip: '' };
    case 'restarting':
      return {
        text: `$(loading~spin) ${l10n.t('TTA: restarting')}`,
        tooltip: l10n.t('The daemon crashed and is started again. Its log says why.'),
        tone: 'warning',
        command: 'tta.openLog',
      };
    case 'stopped':
      return {
        text: `$(error) ${l10n.t('TTA: stopped')}`,
        tooltip: `${state.why}\n\n${l10n.t('Click to start it again.')}`,
        tone: 'error',
        command: 'tta.restartDaemon',
      };
    case 'ready':
      return activity.waiting > 0
        ? asking(activity.waiting)
        : savings?.problem === undefined
          ? { ...plain, ...saved(savings, activity.running) }
          : doubtful(savings.problem, savings, activity.running);
  }
}

/** A question may have been hidden with the other notifications: the item leads back to it. */
function asking(waiting: number): Look {
  const text = waiting === 1 ? l10n.t('TTA: 1 question') : l10n.t('TTA: {0} questions', waiting);
  return {
    text: `$(question) ${text}`,
    tooltip: l10n.t('A program waits for your answer. Click to see the question.'),
    tone: 'warning',
    command: 'notifications.showList',
  };
}

/** What was counted may be gone or not be kept: no figure stands there as if nothing were wrong. */
function doubtful(problem: string, savings: SavingsSummary, running: number): Look {
  const icon = running > 0 ? `$(loading~spin) ${running}` : '$(warning)';
  return {
    text: `${icon} ${l10n.t('TTA: ledger problem')}`,
    tooltip: `**${markdown(ledgerText(problem, 1_000))}**\n\n${saved(savings, running).tooltip}`,
    tone: 'warning',
    command: 'tta.doctor',
  };
}

function saved(savings: SavingsSummary | undefined, running: number): Pick<Look, 'text' | 'tooltip' | 'tone'> {
  const icon = running > 0 ? `$(loading~spin) ${running}` : '$(zap)';
  if (savings === undefined || savings.workspace.runs === 0) {
    const text = running > 0 ? l10n.t('TTA: running') : l10n.t('TTA: ready');
    return {
      text: `${icon} ${text}`,
      tooltip: l10n.t('No program has run in this workspace yet.'),
      tone: 'plain',
    };
  }
  const { workspace, session, pending } = savings;
  const lines = [
    `**${headline(workspace.tokens)}** ${l10n.t('in this workspace, {0}', counts(workspace))}`,
    baselineTable(workspace.tokens),
    session.runs > 0 && session.runs < workspace.runs
      ? l10n.t('In this session: {0}, {1}.', headline(session.tokens), counts(session))
      : '',
    pending > 0 ? l10n.t('{0} runs are not counted yet.', whole(pending)) : '',
    labelList(workspace.tokens),
  ];
  return {
    text: `${icon} ${headline(workspace.tokens)}`,
    tooltip: lines.filter((line) => line !== '').join('\n\n'),
    tone: workspace.tokens.saved < 0 ? 'warning' : 'plain',
  };
}

function counts({ runs, calls }: Savings): string {
  return runs === 1
    ? l10n.t('1 run with {0}', callCount(calls))
    : l10n.t('{0} runs with {1}', whole(runs), callCount(calls));
}
