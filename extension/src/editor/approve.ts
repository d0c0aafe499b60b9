/**
 * `tta/approve`: a question in a notification that stays until it is answered or withdrawn, and takes no focus, so that
 * nothing is approved by typing on. What is not allowed in so many words is denied. Leaves out the words (wording.ts)
 * and the order (questions.ts).
 */

import { randomBytes } from 'node:crypto';
import * as vscode from 'vscode';
import type { ApprovalPattern, ApprovalReply, ApprovalRequest } from '../lsp_ext';
import { forPick } from './plain';
import type { Questions } from './questions';
import { wording, type Does, type Wording } from './wording';

/** A choice of the open question: not contributed, and of no use without the question's random name. */
const CHOOSE = 'tta.internal.choose';
const SCHEME = 'tta-question';

const DENY: ApprovalReply = { decision: 'deny' };

/** The question that is shown; there is one at most. */
interface Open {
  readonly name: string;
  readonly details: string;
  readonly choose: (choice: number) => void;
}

export class Approvals implements vscode.TextDocumentContentProvider, vscode.Disposable {
  private shown: Open | undefined;
  private readonly owned = [
    vscode.commands.registerCommand(CHOOSE, (name: unknown, choice: unknown) => {
      if (this.shown !== undefined && name === this.shown.name && typeof choice === 'number') {
        this.shown.choose(choice);
      }
    }),
    vscode.workspace.registerTextDocumentContentProvider(SCHEME, this),
  ];

  constructor(private readonly questions: Questions) {}

  /** The person's answer; a no where there is none. */
  async answer(request: ApprovalRequest, token: vscode.CancellationToken): Promise<ApprovalReply> {
    const words = wording(request, (file) => vscode.workspace.asRelativePath(file));
    const patterns = request.kind === 'call' ? request.patterns : [];
    return (await this.questions.ask((withdrawn) => this.show(words, patterns, withdrawn), token)) ?? DENY;
  }

  /** The open question as a document. One that is gone leaves what was read of it. */
  provideTextDocumentContent(uri: vscode.Uri): string {
    const name = uri.query;
    return this.shown?.name === name ? this.shown.details : vscode.l10n.t('This question is no longer open.');
  }

  dispose(): void {
    for (const owned of this.owned) {
      owned.dispose();
    }
  }

  /** Shows a question that has its turn; what is not chosen is denied. */
  show(
    words: Wording,
    patterns: readonly ApprovalPattern[],
    withdrawn: vscode.CancellationToken,
  ): Thenable<ApprovalReply> {
    const name = randomBytes(9).toString('base64url');
    const options = {
      location: vscode.ProgressLocation.Notification,
      title: words.text,
      // The workbench takes a text for the button's label; where it does not, the button says Cancel.
      cancellable: words.refuse as unknown as true,
    };
    return vscode.window.withProgress(options, async (progress, refused) => {
      const asked = new vscode.CancellationTokenSource();
      progress.report({ message: links(words, name, false) });
      try {
        return await new Promise<ApprovalReply>((resolve) => {
          const refuse = (): void => {
            resolve(DENY);
          };
          withdrawn.onCancellationRequested(refuse);
          refused.onCancellationRequested(refuse);
          const choose = (choice: number): void => {
            const does = words.choices[choice]?.does;
            if (does === 'details') {
              progress.report({ message: links(words, name, true) });
            }
            void this.does(does, patterns, asked.token).then((reply) => {
              if (reply) {
                resolve(reply);
              }
            });
          };
          this.shown = { name, details: words.details, choose };
        });
      } finally {
        this.shown = undefined;
        asked.cancel();
        asked.dispose();
      }
    });
  }

  /** Does what was chosen; undefined where the question stays open. */
  private async does(
    does: Does | undefined,
    patterns: readonly ApprovalPattern[],
    token: vscode.CancellationToken,
  ): Promise<ApprovalReply | undefined> {
    if (does === 'patterns') {
      return choosePattern(patterns, token);
    }
    if (does === 'details') {
      const path = `/${vscode.l10n.t('Approval')}.txt`;
      const uri = vscode.Uri.from({ scheme: SCHEME, path, query: this.shown?.name ?? '' });
      await vscode.window.showTextDocument(uri, { preview: true });
      return undefined;
    }
    return does;
  }
}

/** The choices as links of the notification, which has one button alone. */
function links({ choices }: Wording, name: string, detailsSeen: boolean): string {
  return choices
    .map(({ label, afterDetails }, choice) =>
      afterDetails && !detailsSeen
        ? ''
        : `[${label}](command:${CHOOSE}?${encodeURIComponent(JSON.stringify([name, choice]))})`,
    )
    .filter((link) => link !== '')
    .join(' · ');
}

async function choosePattern(
  patterns: readonly ApprovalPattern[],
  token: vscode.CancellationToken,
): Promise<ApprovalReply | undefined> {
  const items = patterns.map(({ label }, pattern) => ({ label: forPick(label, 200), pattern }));
  const chosen = await vscode.window.showQuickPick(
    items,
    {
      title: vscode.l10n.t('Always allow, from now on'),
      placeHolder: vscode.l10n.t('TTA: Manage Approvals forgets it again'),
      ignoreFocusOut: true,
    },
    token,
  );
  return chosen && { decision: 'always', pattern: chosen.pattern };
}
