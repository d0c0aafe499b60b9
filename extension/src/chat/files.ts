/**
 * The commands that lay down the tool set's files: one for editors and windows without the extension, one with the agent's
 * instructions. What is there already is never replaced without a question.
 */

import { dirname, join, sep } from 'node:path';
import * as vscode from 'vscode';
import type { Ctx } from '../ctx';
import { INSTRUCTIONS, TOOL_SET_FILE } from './texts';

type File = typeof INSTRUCTIONS;

/** The scheme of the bundled texts, for comparing. */
const SCHEME = 'tta-bundled';

/** Shows the bundled texts to the editor's comparison. */
export function registerBundled(): vscode.Disposable {
  return vscode.workspace.registerTextDocumentContentProvider(SCHEME, {
    provideTextDocumentContent: ({ path }) =>
      [INSTRUCTIONS, TOOL_SET_FILE].find(({ name }) => path === `/${name}`)?.text,
  });
}

/** Adds the tool set's file to the person's prompts folder. */
export async function addToolSet(ctx: Ctx): Promise<void> {
  await addForPerson(ctx, TOOL_SET_FILE);
}

/** Adds the instructions to a folder of the workspace, or to the person's prompts folder. */
export async function addInstructions(ctx: Ctx): Promise<void> {
  const folders = vscode.workspace.workspaceFolders ?? [];
  const where = await vscode.window.showQuickPick(
    [
      ...folders.map(({ name, uri }) => ({
        label: vscode.l10n.t('For everybody in {0}', name),
        description: `.github/instructions/${INSTRUCTIONS.name}`,
        uri,
      })),
      { label: vscode.l10n.t('For you, in all workspaces'), description: INSTRUCTIONS.name, uri: undefined },
    ],
    { title: vscode.l10n.t('Add agent instructions') },
  );
  if (where?.uri) {
    await lay(vscode.Uri.joinPath(where.uri, '.github', 'instructions', INSTRUCTIONS.name), INSTRUCTIONS);
  } else if (where) {
    await addForPerson(ctx, INSTRUCTIONS);
  }
}

/** Where the profile's folder cannot be known, the person shows it. */
async function addForPerson(ctx: Ctx, file: File): Promise<void> {
  const storage = ctx.storage.fsPath;
  const prompts = vscode.Uri.file(join(profileOf(storage), 'prompts'));
  const target = vscode.Uri.joinPath(prompts, file.name);
  if (await isThisProfile(storage)) {
    return lay(target, file);
  }
  const chosen = await vscode.window.showSaveDialog({
    defaultUri: target,
    title: vscode.l10n.t('Where are your prompts? The file belongs into the `prompts` folder of your profile.'),
  });
  if (chosen) {
    // The dialog has asked about a file that is there.
    await write(chosen, file);
  }
}

/** The profile's folder, which holds `globalStorage/<extension>`. */
export function profileOf(storage: string): string {
  return dirname(dirname(storage));
}

/**
 * Whether the folder above the storage is the one whose prompts the editor reads. A named profile may share those of the
 * default one, and an extension host elsewhere has a storage of its own: there, only what the editor itself writes tells.
 */
async function isThisProfile(storage: string): Promise<boolean> {
  if (storage.includes(`${sep}profiles${sep}`)) {
    return false;
  }
  if (vscode.env.remoteName === undefined) {
    return true;
  }
  const signs = ['settings.json', 'prompts', 'snippets', 'keybindings.json'];
  const found = signs.map((sign) => read(vscode.Uri.file(join(profileOf(storage), sign))));
  return (await Promise.all(found)).some((there) => there !== undefined);
}

/** Writes `file` to `target`, asks where another text is there, and opens it. */
async function lay(target: vscode.Uri, file: File): Promise<void> {
  const there = await read(target);
  if (there === undefined || (there !== file.text && (await mayReplace(target, file)))) {
    return write(target, file);
  }
  await vscode.window.showTextDocument(target);
}

async function mayReplace(target: vscode.Uri, file: File): Promise<boolean> {
  const [differences, replace, skip] = [
    vscode.l10n.t('Show Differences'),
    vscode.l10n.t('Replace'),
    vscode.l10n.t('Keep'),
  ];
  for (;;) {
    const question = vscode.l10n.t('{0} is there already, with another text.', vscode.workspace.asRelativePath(target));
    const answer = await vscode.window.showWarningMessage(question, differences, replace, skip);
    if (answer !== differences) {
      return answer === replace;
    }
    const ours = vscode.Uri.from({ scheme: SCHEME, path: `/${file.name}` });
    await vscode.commands.executeCommand(
      'vscode.diff',
      target,
      ours,
      vscode.l10n.t('{0}: yours and the new one', file.name),
    );
  }
}

async function write(target: vscode.Uri, { text }: File): Promise<void> {
  await vscode.workspace.fs.writeFile(target, Buffer.from(text));
  await vscode.window.showTextDocument(target);
}

/** The text of a file, empty for a folder; undefined where nothing is. */
async function read(uri: vscode.Uri): Promise<string | undefined> {
  try {
    const { type } = await vscode.workspace.fs.stat(uri);
    return type === vscode.FileType.Directory ? '' : Buffer.from(await vscode.workspace.fs.readFile(uri)).toString();
  } catch (error) {
    if (error instanceof vscode.FileSystemError && error.code === 'FileNotFound') {
      return undefined;
    }
    throw error;
  }
}
