/**
 * Import Servers: those that other tools configured, chosen by the person, into the workspace's `.vscode/mcp.json`. The daemon
 * reads the tools' files and writes this one: here it is only asked what, and what becomes of secrets.
 */

import * as vscode from 'vscode';
import type { Ctx } from '../ctx';
import type { ImportedServer, ImportReply, SecretHandling } from '../lsp_ext';
import { iconless, oneLine } from '../views/untrusted';
import * as wire from '../wire';

const PROBLEMS_SHOWN = 5;

/** Copies servers of other tools into this workspace's mcp.json. */
export async function importServers(ctx: Ctx): Promise<void> {
  const target = vscode.Uri.joinPath(await pickFolder(), '.vscode', 'mcp.json');
  const to = target.fsPath;
  const found = await ctx.request(wire.importServers, { to, dry_run: true });
  const chosen = await pickServers(found);
  const secrets = chosen && (await settleSecrets(chosen));
  if (!secrets) {
    return;
  }
  if (vscode.workspace.textDocuments.some(({ uri, isDirty }) => isDirty && uri.toString() === target.toString())) {
    throw new Error(vscode.l10n.t('{0} has changes that are not saved. Save it first.', to));
  }
  const names = chosen.map(({ name }) => name);
  // Only what the person chose is named, and a row said so of what it would replace.
  const { servers } = await ctx.request(wire.importServers, { to, names, secrets, force: true });
  await show(target, names[0] ?? '');
  const done = servers.filter(({ outcome }) => outcome !== 'exists').map(({ name }) => iconless(name));
  void vscode.window.showInformationMessage(vscode.l10n.t('Imported: {0}.', done.join(', ')));
}

async function pickFolder(): Promise<vscode.Uri> {
  const [first, ...others] = vscode.workspace.workspaceFolders ?? [];
  const folder = others.length === 0 ? first : await vscode.window.showWorkspaceFolderPick();
  if (!folder) {
    throw new Error(vscode.l10n.t('Open a folder first: servers are imported into its .vscode/mcp.json.'));
  }
  return folder.uri;
}

/** The servers to take over; undefined where there is none, or none was chosen. */
async function pickServers({ servers, problems }: ImportReply): Promise<readonly ImportedServer[] | undefined> {
  const there = servers.filter(({ outcome }) => outcome !== 'same');
  const refused = problems.filter(({ severity }) => severity !== 'info').slice(0, PROBLEMS_SHOWN);
  const why = refused.map(({ message, file, line }) => iconless(oneLine(`${message} (${file}:${line})`, 160)));
  if (there.length === 0) {
    const none = vscode.l10n.t('No server of another tool was found that this workspace does not have already.');
    void vscode.window.showInformationMessage([none, ...why].join(' '));
    return undefined;
  }
  const separators = why.map((label) => ({ label, kind: vscode.QuickPickItemKind.Separator }));
  const picked = await vscode.window.showQuickPick<vscode.QuickPickItem & { server?: ImportedServer }>(
    [...there.map(serverItem), ...separators],
    {
      title: vscode.l10n.t('Import servers into .vscode/mcp.json'),
      placeHolder: vscode.l10n.t('Choose servers; each line names the file they come from'),
      canPickMany: true,
      matchOnDetail: true,
    },
  );
  const chosen = picked?.flatMap(({ server }) => server ?? []);
  return chosen?.length === 0 ? undefined : chosen;
}

function serverItem(server: ImportedServer): vscode.QuickPickItem & { server: ImportedServer } {
  const { name, source, outcome, secrets } = server;
  const asks =
    secrets.length === 0 ? '' : ` — ${vscode.l10n.t('secrets: {0}', secrets.map(({ place }) => place).join(', '))}`;
  return {
    label: iconless(name),
    description: outcome === 'exists' ? vscode.l10n.t('replaces another one of this name') : '',
    detail: iconless(oneLine(`${source.file}:${source.line}${asks}`, 300)),
    server,
  };
}

/** What becomes of the secrets of these servers; undefined: given up. */
async function settleSecrets(servers: readonly ImportedServer[]): Promise<SecretHandling | undefined> {
  const places = servers.flatMap(({ name, secrets }) => secrets.map(({ place }) => `${name} › ${place}`));
  if (places.length === 0) {
    return 'input';
  }
  const items: readonly (vscode.QuickPickItem & { handling: SecretHandling })[] = [
    {
      label: vscode.l10n.t('Ask for them'),
      description: vscode.l10n.t('the editor asks once and keeps them safe'),
      detail: iconless(oneLine(places.join(', '), 300)),
      handling: 'input',
    },
    {
      label: vscode.l10n.t('Read them from the environment'),
      description: vscode.l10n.t('the file names the variables'),
      handling: 'env',
    },
    {
      label: vscode.l10n.t('Copy them'),
      description: vscode.l10n.t('whoever reads the workspace reads them'),
      handling: 'copy',
    },
  ];
  const picked = await vscode.window.showQuickPick(items, {
    title: vscode.l10n.t('Values that stand in the other tool’s file and look like secrets'),
    placeHolder: vscode.l10n.t('What is written in their place?'),
    ignoreFocusOut: true,
  });
  return picked?.handling;
}

async function show(target: vscode.Uri, name: string): Promise<void> {
  const document = await vscode.workspace.openTextDocument(target);
  const at = document.positionAt(Math.max(document.getText().indexOf(JSON.stringify(name)), 0));
  await vscode.window.showTextDocument(document, { selection: new vscode.Range(at, at) });
}
