/** What the participants decide from what they are told: whether a name is free, and what may be asked next. Pure. */

import * as vscode from 'vscode';
import { keptIn } from './history';
import type { Call } from './loop';

/** Whether an extension other than `ours` contributes a participant that is called `name`. */
export function isTaken(
  name: string,
  extensions: readonly Pick<vscode.Extension<unknown>, 'id' | 'packageJSON'>[],
  ours: string,
): boolean {
  return extensions.some(({ id, packageJSON }) => {
    const { contributes } = packageJSON as { contributes?: { chatParticipants?: unknown } };
    const participants = contributes?.chatParticipants;
    return (
      id.toLowerCase() !== ours.toLowerCase() &&
      Array.isArray(participants) &&
      participants.some((one: { name?: unknown } | null) => one?.name === name)
    );
  });
}

/** What may be asked next, from what happened in a turn and in those before it. */
export function followups(metadata: unknown, earlier: readonly Call[]): vscode.ChatFollowup[] {
  const { ending, calls } = keptIn(metadata);
  const ran = calls.some(({ name }) => name.endsWith('run_code'));
  return [
    ...(ending === 'rounds' ? [{ prompt: vscode.l10n.t('Go on.') }] : []),
    ...(ran ? [{ prompt: '', command: 'savings', label: vscode.l10n.t('What did this save?') }] : []),
    ...(ending === 'answered' && calls.length + earlier.length === 0
      ? [{ prompt: vscode.l10n.t('Which tools of my servers could help with this?') }]
      : []),
  ];
}
