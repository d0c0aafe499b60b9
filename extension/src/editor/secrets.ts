/**
 * `tta/secret/get` and `set`: values of `${input:…}`, asked for once, and logins to servers, both kept in the editor's
 * SecretStorage. A value goes to the daemon that asked and nowhere else. What is remembered beside them are their names, so that they can be forgotten.
 */

import * as vscode from 'vscode';
import type { InputRequest, KeptRequest } from '../lsp_ext';
import { cut, forPick, visible } from './plain';
import type { Questions } from './questions';

const NAMES = 'tta.inputs';
/** What the daemon keeps stands beside the inputs, and is no workspace's. */
const KEPT = 'tta.kept:';
/** So many values are kept in a workspace; the oldest goes first. */
const MOST = 200;

/** The same id in another file, or the same file in another workspace, is another value. */
interface Stored {
  readonly file: string;
  readonly id: string;
}

export class Secrets {
  constructor(
    private readonly context: vscode.ExtensionContext,
    private readonly questions: Questions,
  ) {}

  /** The value of an input; none where the person gave none. */
  async get(request: InputRequest | KeptRequest, token: vscode.CancellationToken): Promise<{ value?: string }> {
    if ('key' in request) {
      const value = await this.context.secrets.get(KEPT + request.key);
      return value === undefined ? {} : { value };
    }
    const stored = async (): Promise<string | undefined> =>
      request.again ? undefined : await this.context.secrets.get(keyOf(request));
    // Two servers may want the same input at once: the second finds what the first was given.
    const value =
      (await stored()) ??
      (await this.questions.ask(async (withdrawn) => (await stored()) ?? this.prompt(request, withdrawn), token));
    return value === undefined ? {} : { value };
  }

  /** Keeps what the daemon was given by somebody else than the person, such as the login to a server; or forgets it. */
  async keep({ key, value }: KeptRequest & { value?: string | null }): Promise<null> {
    if (typeof value === 'string') {
      await this.context.secrets.store(KEPT + key, value);
    } else {
      await this.context.secrets.delete(KEPT + key);
    }
    return null;
  }

  /** Lets the person choose which values of this workspace to forget. */
  async forget(): Promise<void> {
    const items = this.names.map(({ file, id }) => ({
      label: forPick(id, 100),
      description: forPick(vscode.workspace.asRelativePath(file), 200),
      stored: { file, id },
    }));
    if (items.length === 0) {
      void vscode.window.showInformationMessage(vscode.l10n.t('TTA: no input of this workspace is stored.'));
      return;
    }
    const chosen = await vscode.window.showQuickPick(items, {
      title: vscode.l10n.t('Forget stored inputs'),
      placeHolder: vscode.l10n.t('Choose the inputs to be asked for again'),
      canPickMany: true,
    });
    for (const { stored } of chosen ?? []) {
      await this.context.secrets.delete(keyOf(stored));
    }
    await this.rename(this.names.filter((name) => !chosen?.some(({ stored }) => same(stored, name))));
  }

  private async prompt(request: InputRequest, token: vscode.CancellationToken): Promise<string | undefined> {
    const value = await ask(request, token);
    if (value !== undefined) {
      await this.context.secrets.store(keyOf(request), value);
      const { file, id } = request;
      const others = this.names.filter((name) => !same(name, request));
      for (const oldest of others.slice(0, Math.max(0, others.length - MOST + 1))) {
        await this.context.secrets.delete(keyOf(oldest));
      }
      await this.rename([...others.slice(1 - MOST), { file, id }]);
    }
    return value;
  }

  private get names(): readonly Stored[] {
    return this.context.workspaceState.get<Stored[]>(NAMES, []);
  }

  private rename(names: readonly Stored[]): Thenable<void> {
    return this.context.workspaceState.update(NAMES, names);
  }
}

function ask(request: InputRequest, token: vscode.CancellationToken): Thenable<string | undefined> {
  const title = vscode.l10n.t(
    'Input “{0}” for the MCP server “{1}”',
    cut(visible(request.id), 60).text,
    cut(visible(request.server), 60).text,
  );
  const wanted = cut(visible(request.description ?? request.id), 300).text;
  const prompt = request.again ? vscode.l10n.t('The value given before did not work. {0}', wanted) : wanted;
  if (request.options.length > 0) {
    const items = request.options.map((option) => ({
      label: forPick(option, 200),
      description: option === request.default ? vscode.l10n.t('default') : '',
      option,
    }));
    const options = { title, placeHolder: prompt, ignoreFocusOut: true };
    return vscode.window.showQuickPick(items, options, token).then((chosen) => chosen?.option);
  }
  const options = { title, prompt, password: request.password, ignoreFocusOut: true };
  return vscode.window.showInputBox({ ...options, ...(request.default ? { value: request.default } : {}) }, token);
}

function keyOf({ file, id }: Stored): string {
  const { workspaceFile, workspaceFolders } = vscode.workspace;
  const workspace = (workspaceFile ?? workspaceFolders?.[0]?.uri)?.toString() ?? '';
  return `tta.input:${JSON.stringify([workspace, file, id])}`;
}

function same(one: Stored, other: Stored): boolean {
  return one.file === other.file && one.id === other.id;
}
