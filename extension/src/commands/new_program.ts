/**
 * New Program: which servers, which language, and where; the document begins with their imports and their tools in
 * comments, and the cursor where the program begins.
 */

import * as vscode from 'vscode';
import type { Ctx } from '../ctx';
import type { Language, ServerStatus } from '../lsp_ext';
import type { Parts } from '../parts';
import { ENDINGS, skeleton, type Module } from '../skeleton';
import { known, serverItem } from './servers';

const FOLDER = '.tta/programs';

/** Opens a new program. */
export async function newProgram(ctx: Ctx, _: unknown, parts: Parts): Promise<void> {
  const servers = await pickServers(await known(ctx, parts));
  const language = servers && (await pickLanguage());
  const place = language && (await pickPlace(language));
  if (!servers || !language || place === undefined) {
    return;
  }
  const modules = await vscode.window.withProgress(
    { location: vscode.ProgressLocation.Window, title: vscode.l10n.t('Listing tools') },
    () => Promise.all(servers.map((server) => moduleOf(ctx, parts, server))),
  );
  const document = await (place === 'untitled'
    ? vscode.workspace.openTextDocument({ language, content: '' })
    : vscode.workspace.openTextDocument(place));
  const editor = await vscode.window.showTextDocument(document);
  await editor.insertSnippet(new vscode.SnippetString(skeleton(language, modules)));
}

async function pickServers(servers: readonly ServerStatus[]): Promise<ServerStatus[] | undefined> {
  const usable = servers.filter(({ state }) => state !== 'disabled' && state !== 'untrusted');
  if (usable.length === 0) {
    return [];
  }
  const picked = await vscode.window.showQuickPick(
    usable.map((server) => ({
      ...serverItem(server),
      picked: server.state === 'ready' && server.source.scope !== 'editor',
    })),
    {
      title: vscode.l10n.t('New program (1 of 3): which servers does it call?'),
      placeHolder: vscode.l10n.t('Their tools stand in the program as comments; none is fine'),
      canPickMany: true,
      matchOnDetail: true,
    },
  );
  return picked?.map(({ server }) => server);
}

async function pickLanguage(): Promise<Language | undefined> {
  const items: (vscode.QuickPickItem & { language: Language })[] = [
    { label: 'Python', description: 'CPython 3.14', language: 'python' },
    { label: 'TypeScript', description: 'QuickJS-NG', language: 'typescript' },
    { label: 'JavaScript', description: 'QuickJS-NG', language: 'javascript' },
  ];
  const title = vscode.l10n.t('New program (2 of 3): in which language?');
  return (await vscode.window.showQuickPick(items, { title }))?.language;
}

/** The file to make, which must not be there yet; `untitled` where no name is given. */
async function pickPlace(language: Language): Promise<vscode.Uri | 'untitled' | undefined> {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
  if (!folder) {
    return 'untitled';
  }
  const uriFor = (name: string): vscode.Uri => {
    const ending = `.${ENDINGS[language]}`;
    return vscode.Uri.joinPath(folder, FOLDER, name.endsWith(ending) ? name : name + ending);
  };
  const name = await vscode.window.showInputBox({
    title: vscode.l10n.t('New program (3 of 3): what is it called?'),
    prompt: vscode.l10n.t('Its file goes to {0}. Without a name it stays untitled.', FOLDER),
    placeHolder: vscode.l10n.t('untitled'),
    validateInput: async (typed) => {
      if (typed === '') {
        return undefined;
      }
      if (!/^[\w-][\w.-]*$/.test(typed)) {
        return vscode.l10n.t('Use letters, digits, “.”, “_” and “-”.');
      }
      const there = await exists(uriFor(typed));
      return there ? vscode.l10n.t('There is such a file already.') : undefined;
    },
  });
  return name === undefined ? undefined : name === '' ? 'untitled' : uriFor(name).with({ scheme: 'untitled' });
}

async function exists(uri: vscode.Uri): Promise<boolean> {
  try {
    await vscode.workspace.fs.stat(uri);
    return true;
  } catch {
    return false;
  }
}

/** A server that cannot be asked leaves its reason in the log, and its tools out. */
async function moduleOf(ctx: Ctx, { servers }: Parts, { name, identifier }: ServerStatus): Promise<Module> {
  try {
    return { identifier, tools: await servers.toolsOf(name) };
  } catch (error) {
    ctx.logError(error);
    return { identifier, tools: [] };
  }
}
