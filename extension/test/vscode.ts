/** What the units under test need of `vscode`: translation without a bundle, and names for the rest. */

export const l10n = {
  t: (message: string, ...args: unknown[]): string =>
    message.replace(/\{(\d+)\}/g, (_, index: string) => String(args[Number(index)])),
};

type Listener = () => void;

/** A token source as the editor's: its listeners are called once, and those that are late at once. */
export class CancellationTokenSource {
  private listeners: Listener[] = [];
  readonly token = {
    isCancellationRequested: false,
    onCancellationRequested: (listener: Listener): { dispose: () => void } => {
      if (this.token.isCancellationRequested) {
        listener();
      } else {
        this.listeners.push(listener);
      }
      return {
        dispose: () => {
          this.listeners = this.listeners.filter((other) => other !== listener);
        },
      };
    },
  };

  cancel(): void {
    this.token.isCancellationRequested = true;
    for (const listener of this.listeners.splice(0)) {
      listener();
    }
  }

  dispose(): void {
    this.listeners = [];
  }
}

/** What was opened outside the editor. */
export const opened: unknown[] = [];

export const env = {
  openExternal: (target: unknown): Promise<boolean> => {
    opened.push(target);
    return Promise.resolve(true);
  },
};

export * from './vscode_chat';
