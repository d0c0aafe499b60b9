/**
 * Import Servers: those that other tools configured, chosen by the person, into the workspace's `.vscode/mcp.json`. What may
 * be a secret is shown by its name alone, and is asked for later unless the person says that it may be copied.
 */

import * as vscode from 'vscode';
import type { Ctx } from '../ctx';
import {
  additions,
  asked,
  entryIn,
  isForeign,
  literalsOf,
  serversIn,
  type Entry,
  type Input,
  type Literal,
} from '../imports';
import type { ServerStatus } from '../lsp_ext';
import { stateText } from '../views/servers_model';
import { iconless } from '../views/untrusted';
import * as wire from '../wire';

/** Other tools keep more than servers in some of these files. */
const LONGEST_FILE = 16 * 1024 * 1024;

/** Copies servers of other tools into this workspace's mcp.json. */
export async function importServers(ctx: Ctx): Promise<void> {
  const folder = await pickFolder();
  const all = await ctx.request(wire.servers, {});
  const target = vscode.Uri.joinPath(folder, '.vscode', 'mcp.json');
  const before = await readText(target);
  const there = new Set(serversIn(before ?? ''));
  const foreign = all.filter(
    ({ name, source }) => isForeign(source.file) && source.scope !== 'editor' && !there.has(name),
  );
  if (foreign.length === 0) {
    void vscode.window.showInformationMessage(
      vscode.l10n.t('No server of another tool was found that this workspace does not have already.'),
    );
    return;
  }
  const chosen = await pickServers(foreign);
  const entries = chosen && (await readEntries(chosen));
  if (!entries || entries.size === 0) {
    return;
  }
  const inputs = await settleSecrets(entries);
  if (!inputs) {
    return;
  }
  const added = additions(before ?? '', entries, inputs);
  if ('problem' in added) {
    throw new Error(`${target.fsPath}: ${added.problem}`);
  }
  await write(target, before, added.text, [...entries.keys()]);
}

async function pickFolder(): Promise<vscode.Uri> {
  const [first, ...others] = vscode.workspace.workspaceFolders ?? [];
  const folder = others.length === 0 ? first : await vscode.window.showWorkspaceFolderPick();
  if (!folder) {
    throw new Error(vscode.l10n.t('Open a folder first: servers are imported into its .vscode/mcp.json.'));
  }
  return folder.uri;
}

async function pickServers(foreign: readonly ServerStatus[]): Promise<ServerStatus[] | undefined> {
  const items = foreign.map((server) => ({
    label: iconless(server.name),
    description: stateText(server.state),
    detail: `${server.source.file}:${server.source.line} — ${iconless(server.target)}`,
    server,
  }));
  const picked = await vscode.window.showQuickPick(items, {
    title: vscode.l10n.t('Import servers into .vscode/mcp.json'),
    placeHolder: vscode.l10n.t('Choose servers; each line names the file they come from'),
    canPickMany: true,
    matchOnDetail: true,
  });
  return picked?.map(({ server }) => server);
}

async function readEntries(servers: readonly ServerStatus[]): Promise<Map<string, Entry>> {
  const entries = new Map<string, Entry>();
  for (const { name, source } of servers) {
    const text = await readText(vscode.Uri.file(source.file));
    const entry = entryIn(source.file, text ?? '', name);
    if (!entry) {
      throw new Error(vscode.l10n.t('{0} no longer holds the server {1}.', source.file, name));
    }
    entries.set(name, entry);
  }
  return entries;
}

/** Asks which written-out values are to be asked for, and puts the questions in their places; undefined: given up. */
async function settleSecrets(entries: Map<string, Entry>): Promise<Input[] | undefined> {
  const literals = [...entries].flatMap(([name, entry]) => literalsOf(name, entry));
  if (literals.length === 0) {
    return [];
  }
  const picked = await vscode.window.showQuickPick(literals.map(literalItem), {
    title: vscode.l10n.t('Values that stand in the other tool’s file'),
    placeHolder: vscode.l10n.t('Those selected are not copied: the editor asks for them once and keeps them safe'),
    canPickMany: true,
    matchOnDescription: true,
    ignoreFocusOut: true,
  });
  return picked?.flatMap(({ literal }) => {
    const held = entries.get(literal.server);
    if (!held) {
      return [];
    }
    const { entry, input } = asked(held, literal);
    entries.set(literal.server, entry);
    return [input];
  });
}

function literalItem(literal: Literal): vscode.QuickPickItem & { literal: Literal } {
  const { server, place, key, value, secret } = literal;
  const where =
    place === 'args' ? vscode.l10n.t('argument {0}', Number(key) + 1) : place === 'url' ? 'url' : `${place}.${key}`;
  return {
    label: `${iconless(server)} › ${iconless(where)}`,
    description: secret ? vscode.l10n.t('looks like a secret, {0} characters', value.length) : iconless(value),
    picked: secret,
    literal,
  };
}

/** Through the editor, so that it can be undone; a document that was changed meanwhile stays unsaved. */
async function write(target: vscode.Uri, before: string | undefined, text: string, names: string[]): Promise<void> {
  const edit = new vscode.WorkspaceEdit();
  if (before === undefined) {
    edit.createFile(target, { contents: new TextEncoder().encode(text) });
    await vscode.workspace.applyEdit(edit);
  } else {
    const document = await vscode.workspace.openTextDocument(target);
    const clean = !document.isDirty;
    edit.replace(target, new vscode.Range(0, 0, document.lineCount, 0), text);
    await vscode.workspace.applyEdit(edit);
    if (clean) {
      await document.save();
    }
  }
  const document = await vscode.workspace.openTextDocument(target);
  const at = document.positionAt(Math.max(document.getText().indexOf(JSON.stringify(names[0])), 0));
  await vscode.window.showTextDocument(document, { selection: new vscode.Range(at, at) });
  void vscode.window.showInformationMessage(vscode.l10n.t('Imported: {0}.', names.join(', ')));
}

/** An open document's text, else the file's; undefined where there is none. */
async function readText(uri: vscode.Uri): Promise<string | undefined> {
  const open = vscode.workspace.textDocuments.find((document) => document.uri.toString() === uri.toString());
  if (open) {
    return open.getText();
  }
  try {
    const { size } = await vscode.workspace.fs.stat(uri);
    if (size > LONGEST_FILE) {
      throw new Error(vscode.l10n.t('{0} is too long to be read.', uri.fsPath));
    }
    return new TextDecoder().decode(await vscode.workspace.fs.readFile(uri));
  } catch (error) {
    if (error instanceof vscode.FileSystemError && error.code === 'FileNotFound') {
      return undefined;
    }
    throw error;
  }
}
