/**
 * Questions to the person at the window, one after the other. A question goes when its answer is no longer wanted: its
 * token is cancelled, or the daemon that asked has ended. The queue is bounded; what does not fit is not asked, which the
 * callers take for a no. Leaves out how a question looks.
 */

import * as vscode from 'vscode';

/** So many may wait at a time; more come of a program that asks in a loop. */
const MOST = 100;

export class Questions implements vscode.Disposable {
  private last: Promise<unknown> = Promise.resolve();
  private open = new vscode.CancellationTokenSource();
  private count = 0;

  /** `changed` is told when {@link waiting} changed. */
  constructor(private readonly changed: () => void) {}

  /** How many questions wait for an answer, the one that is shown included. */
  get waiting(): number {
    return this.count;
  }

  /** Lets `show` ask when it is its turn; undefined where the question was withdrawn or one too many. */
  async ask<T>(
    show: (withdrawn: vscode.CancellationToken) => Thenable<T | undefined>,
    token: vscode.CancellationToken,
  ): Promise<T | undefined> {
    if (this.count >= MOST) {
      return undefined;
    }
    const withdrawn = either(token, this.open.token);
    this.become(this.count + 1);
    const turn = this.last.then(() => (withdrawn.token.isCancellationRequested ? undefined : show(withdrawn.token)));
    this.last = turn.then(
      () => undefined,
      () => undefined,
    );
    try {
      return await turn;
    } finally {
      withdrawn.dispose();
      this.become(this.count - 1);
    }
  }

  /** Withdraws every question. */
  withdraw(): void {
    this.open.cancel();
    this.open.dispose();
    this.open = new vscode.CancellationTokenSource();
  }

  dispose(): void {
    this.withdraw();
    this.open.dispose();
  }

  private become(count: number): void {
    this.count = count;
    this.changed();
  }
}

/** A token that is cancelled with either of the two, and what to dispose of afterwards. */
function either(
  one: vscode.CancellationToken,
  other: vscode.CancellationToken,
): { readonly token: vscode.CancellationToken; readonly dispose: () => void } {
  const source = new vscode.CancellationTokenSource();
  const listeners = [one, other].map((token) => {
    if (token.isCancellationRequested) {
      source.cancel();
    }
    return token.onCancellationRequested(() => {
      source.cancel();
    });
  });
  const dispose = (): void => {
    for (const owned of [...listeners, source]) {
      owned.dispose();
    }
  };
  return { token: source.token, dispose };
}
