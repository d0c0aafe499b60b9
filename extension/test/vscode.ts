/** What the units under test need of `vscode`: translation without a bundle, and names for the rest. */

export const l10n = {
  t: (message: string, ...args: unknown[]): string =>
    message.replace(/\{(\d+)\}/g, (_, index: string) => String(args[Number(index)])),
};
