/** What the tests in the extension host share: waiting by looking, files and editors, pickers, and the ledger's own file. */

import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import * as vscode from 'vscode';
import type { RunStatus, SavingsSummary } from '../../src/lsp_ext';
import type { Api } from '../../src/main';

export const ID = 'tta.tta-mcp-code-execution';

const [root] = vscode.workspace.workspaceFolders ?? [];
assert.ok(root, 'the suite needs a folder');
export const folder = root.uri;

/** Looks until `look` returns something else than undefined and false. */
export async function until<T>(
  what: string | (() => string),
  look: () => Thenable<T | undefined | false> | T | undefined | false,
): Promise<T> {
  const end = Date.now() + 60_000;
  for (;;) {
    const seen = await look();
    if (seen !== undefined && seen !== false) {
      return seen;
    }
    assert.ok(Date.now() < end, `waited 60 s for ${typeof what === 'string' ? what : what()}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** The extension's exports, once it is active. */
export async function api(): Promise<Api> {
  const extension = vscode.extensions.getExtension<Api>(ID);
  assert.ok(extension, 'the extension is installed');
  return extension.activate();
}

export const run = (command: string, ...args: unknown[]): Thenable<unknown> =>
  vscode.commands.executeCommand(command, ...args);

/** Runs a command, and takes what each of its pickers proposes until it ends. */
export async function accepting(command: string): Promise<void> {
  let ended = false;
  const end = Promise.resolve(run(command)).finally(() => (ended = true));
  await until(`the end of ${command}`, async () => {
    // The window answers in order: a picker that was shown before has its lines then.
    await vscode.commands.getCommands();
    await run('workbench.action.acceptSelectedQuickOpenItem');
    return ended;
  });
  await end;
}

/** Writes a file of the workspace and opens it. */
export async function file(name: string, text: string): Promise<vscode.TextEditor> {
  const uri = vscode.Uri.joinPath(folder, name);
  await vscode.workspace.fs.writeFile(uri, new TextEncoder().encode(text));
  return vscode.window.showTextDocument(uri);
}

/** Selects where the last `part` of the document stands, or puts the cursor behind it. */
export function place(document: vscode.TextDocument, part: string): vscode.Range {
  const at = document.getText().lastIndexOf(part);
  assert.ok(at >= 0, `“${part}” is not in ${document.uri.path}`);
  return new vscode.Range(document.positionAt(at), document.positionAt(at + part.length));
}

/** The text of the document in front, once it is of that scheme and holds `part`. */
export function inFront(scheme: string, part = ''): Promise<string> {
  const front = (): vscode.TextDocument | undefined => vscode.window.activeTextEditor?.document;
  const seen = (): string => `${String(front()?.uri)}: ${front()?.getText().slice(0, 500) ?? ''}`;
  return until(
    () => `${scheme}: with “${part}” in front, not ${seen()}`,
    () => {
      const document = front();
      return document?.uri.scheme === scheme && document.getText().includes(part) && document.getText();
    },
  );
}

/** The text of a document that is open anywhere, once one of that scheme holds `part`. */
export function opened(scheme: string, part: string): Promise<string> {
  const holds = (document: vscode.TextDocument): boolean =>
    document.uri.scheme === scheme && document.getText().includes(part);
  return until(`${scheme}: with “${part}”`, () => vscode.workspace.textDocuments.find(holds)?.getText());
}

/** A run as the ledger keeps it; `id` and `label` are what the commands of the tree of runs take. */
export interface Recorded {
  readonly id: string;
  readonly label: string;
  readonly status: RunStatus;
  readonly calls: number;
  readonly front: string;
}

/** Asks the ledger's file itself, which the daemon keeps in the person's profile. */
export function ledger<T>(sql: string): T[] {
  const storage = join(process.env['HOME'] ?? '', 'data/User/globalStorage', ID);
  const found = readdirSync(storage, { recursive: true, encoding: 'utf8' }).find((name) => name.endsWith('ledger.db'));
  if (found === undefined) {
    return [];
  }
  const database = new DatabaseSync(join(storage, found), { readOnly: true });
  try {
    return database.prepare(sql).all() as T[];
  } finally {
    database.close();
  }
}

/** The ledger's runs, the newest first. */
export const recorded = (): Recorded[] =>
  ledger('SELECT run_id AS id, label, status, calls, front FROM runs ORDER BY at_ms DESC, run_id DESC');

/** Does `work`, waits for the one run it makes, and returns what the ledger says of it. */
export async function newRun(work: () => Thenable<unknown>): Promise<Recorded> {
  const before = new Set(recorded().map(({ id }) => id));
  await work();
  const [made, ...others] = await until('a new run in the ledger', () => {
    const news = recorded().filter(({ id }) => !before.has(id));
    return news.length > 0 && news;
  });
  assert.ok(made && others.length === 0, 'one run was made');
  return made;
}

/** What a run returned, as its read-only document shows it. */
export async function resultOf(made: Recorded): Promise<unknown> {
  await run('tta.openResult', { kind: 'run', run: made });
  assert.ok(vscode.window.activeTextEditor?.document.uri.query.includes(made.id));
  return JSON.parse(await inFront('tta'));
}

/** What the extension says was saved. */
export const savings = async (): Promise<SavingsSummary> => (await api()).savings();
