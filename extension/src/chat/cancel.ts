/** Waiting that ends with its token: at once, whether or not what is waited for heeds the token itself. */

import * as vscode from 'vscode';

/** What `work` comes to; fails with a CancellationError as soon as the token is cancelled. */
export function unlessCancelled<T>(work: PromiseLike<T>, token: vscode.CancellationToken): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    if (token.isCancellationRequested) {
      reject(new vscode.CancellationError());
    }
    const listener = token.onCancellationRequested(() => {
      reject(new vscode.CancellationError());
    });
    // A failure that comes after the cancellation is taken here too, and changes nothing.
    void work.then(resolve, reject).then(() => {
      listener.dispose();
    });
  });
}

/** The items of `stream` until it ends or the token is cancelled. */
export async function* untilCancelled<T>(
  stream: AsyncIterable<T>,
  token: vscode.CancellationToken,
): AsyncGenerator<T, void, undefined> {
  const items = stream[Symbol.asyncIterator]();
  for (;;) {
    const next = await unlessCancelled(items.next(), token);
    if (next.done === true) {
      return;
    }
    yield next.value;
  }
}
