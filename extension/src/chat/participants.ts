/**
 * The chat participants `@tta` and `@workspace`. The second is there only while no other extension has a participant of that
 * name: package.json shows it by a context key, which is set here.
 */

import * as vscode from 'vscode';
import type { Ctx } from '../ctx';
import { answering } from './answer';
import { introduceToolSet } from './introduce';
import { followups, isTaken } from './rules';
import { callsOf } from './savings';

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
    introduceToolSet(ctx),
    vscode.extensions.onDidChange(decide),
    new vscode.Disposable(() => {
      workspace?.dispose();
    }),
  );
}

function participant(ctx: Ctx, id: string, name: string): vscode.ChatParticipant {
  const made = vscode.chat.createChatParticipant(id, answering(ctx, id, name));
  made.iconPath = new vscode.ThemeIcon('zap');
  made.followupProvider = {
    provideFollowups: ({ metadata }, { history }) => followups(metadata, callsOf(history, id)),
  };
  return made;
}
