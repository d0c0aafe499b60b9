/** What the editor's features say of a document, all extensions together, through the commands that other extensions have. */

import * as vscode from 'vscode';

type Document = vscode.TextDocument;

function ask<T>(kind: string, { uri }: Document, ...args: unknown[]): Thenable<T> {
  return vscode.commands.executeCommand<T>(`vscode.execute${kind}Provider`, uri, ...args);
}

/** Every inlay hint: its line, counted from 0, and its text. */
export async function hintsOf(document: Document): Promise<[line: number, label: string][]> {
  const everywhere = new vscode.Range(0, 0, document.lineCount, 0);
  const hints = await ask<vscode.InlayHint[]>('InlayHint', document, everywhere);
  return hints.map(({ position, label }) => [position.line, label as string]);
}

/** The titles of the code lenses. */
export async function lensesOf(document: Document): Promise<string[]> {
  const lenses = await ask<vscode.CodeLens[]>('CodeLens', document);
  return lenses.map(({ command }) => command?.title ?? '');
}

/** What is shown where the mouse rests. */
export async function hoverOf(document: Document, at: vscode.Position): Promise<string> {
  const hovers = await ask<{ contents: vscode.MarkdownString[] }[]>('Hover', document, at);
  return hovers.flatMap(({ contents }) => contents.map(({ value }) => value)).join('\n');
}

/** The labels of what can be written at a place. */
export async function completionOf(document: Document, at: vscode.Position): Promise<string[]> {
  const { items } = await ask<vscode.CompletionList>('CompletionItem', document, at);
  return items.map(({ label }) => (typeof label === 'string' ? label : label.label));
}

export const signatureOf = (document: Document, at: vscode.Position): Thenable<vscode.SignatureHelp> =>
  ask<vscode.SignatureHelp>('SignatureHelp', document, at, ',');

/** Our own marks: line, counted from 0, and code or text. */
export function marksOf({ uri }: Document): [line: number, what: string][] {
  const ours = vscode.languages.getDiagnostics(uri).filter(({ source }) => source === 'tta');
  return ours
    .map(({ range, code, message }): [number, string] => [range.start.line, `${code as string}: ${message}`])
    .sort(([a], [b]) => a - b);
}
