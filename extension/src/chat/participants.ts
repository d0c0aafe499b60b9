/**
 * The chat participants `@tta` and `@workspace`. The second is there only while no other extension has a participant of that
 * name: package.json shows it by a context key, which is set here.
 */

import * as vscode from 'vscode';
import type { Ctx } from '../ctx';
import { answering } from './answer';
import { keptIn } from './history';

/** The context key of package.json. */
const FREE = 'tta.workspaceParticipant';

/** Registers the participants where the editor has a chat. */
export function registerParticipants(ctx: Ctx): vscode.Disposable {
  // Editors built on VS Code may lack it.
  if ((vscode as Partial<typeof vscode>).chat === undefined) {
    return new vscode.Disposable(() => undefined);
  }
  let workspace: vscode.ChatParticipant | undefined;
  const decide = (): void => {
    const free = !isTaken('workspace', vscode.extensions.all, ctx.extensionId);
    if (free !== (workspace !== undefined)) {
      void vscode.commands.executeCommand('setContext', FREE, free);
      workspace?.dispose();
      workspace = free ? participant(ctx, 'tta.workspace', 'workspace') : undefined;
    }
  };
  decide();
  return vscode.Disposable.from(
    participant(ctx, 'tta.tta', 'tta'),
    vscode.extensions.onDidChange(decide),
    new vscode.Disposable(() => {
      workspace?.dispose();
    }),
  );
}

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

/** What may be asked next, from what happened in a turn. */
export function followups(metadata: unknown): vscode.ChatFollowup[] {
  const { ending, calls, callCount } = keptIn(metadata);
  const ran = calls.some(({ name }) => name.endsWith('run_code'));
  return [
    ...(ending === 'rounds' ? [{ prompt: vscode.l10n.t('Go on.') }] : []),
    ...(ran ? [{ prompt: '', command: 'savings', label: vscode.l10n.t('What did this save?') }] : []),
    ...(ending === 'answered' && callCount === 0
      ? [{ prompt: vscode.l10n.t('Which tools of my servers could help with this?') }]
      : []),
  ];
}

function participant(ctx: Ctx, id: string, name: string): vscode.ChatParticipant {
  const made = vscode.chat.createChatParticipant(id, answering(ctx, id, name));
  made.iconPath = new vscode.ThemeIcon('zap');
  made.followupProvider = { provideFollowups: ({ metadata }) => followups(metadata) };
  return made;
}
