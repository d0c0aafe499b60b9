/**
 * Search Tools: the daemon's ranked search while you type. Choosing a tool writes a call of it, and the import it needs,
 * into the program in front; without one the call goes to the clipboard. So with prompts and resources.
 */

import * as vscode from 'vscode';
import type { Ctx } from '../ctx';
import type { HitKind, Language, ToolHit } from '../lsp_ext';
import type { Parts } from '../parts';
import { callSnippet, importInto, importOf } from '../skeleton';
import { iconless, oneLine } from '../views/untrusted';
import * as wire from '../wire';
import { LANGUAGES } from './run';

const PAUSE_MS = 120;
const SHOWN = 30;

type Item = vscode.QuickPickItem & { readonly hit: ToolHit };

/** Searches the tools of all servers. */
export async function searchTools(ctx: Ctx, _: unknown, parts: Parts): Promise<void> {
  const editor = vscode.window.activeTextEditor;
  const language = (editor && LANGUAGES[editor.document.languageId]) ?? 'python';
  const hit = await pickHit(ctx, parts, language);
  if (hit) {
    await insert(parts, hit, language, editor);
  }
}

/** Every change of the text asks anew after a short pause; an answer that was overtaken is dropped. */
function pickHit(ctx: Ctx, parts: Parts, language: Language): Promise<ToolHit | undefined> {
  const pick = vscode.window.createQuickPick<Item>();
  pick.title = vscode.l10n.t('Search tools');
  pick.placeholder = vscode.l10n.t('What do you want to do?');
  // The order is the daemon's. The property is not in the editor's typings yet.
  (pick as { sortByLabel?: boolean }).sortByLabel = false;
  let asked = new vscode.CancellationTokenSource();
  let timer: NodeJS.Timeout | undefined;
  const ask = async (): Promise<void> => {
    asked.cancel();
    asked = new vscode.CancellationTokenSource();
    const { token } = asked;
    pick.busy = true;
    try {
      const request = { query: pick.value, limit: SHOWN, language, detail: 'signature' } as const;
      const { hits, matched, unavailable } = await ctx.request(wire.searchTools, request, token);
      if (!token.isCancellationRequested) {
        pick.items = hits.map(itemOf);
        pick.title = [
          matched > hits.length
            ? vscode.l10n.t('Search tools: {0} of {1}', hits.length, matched)
            : vscode.l10n.t('Search tools: {0}', hits.length),
          ...(unavailable.length === 0 ? [] : [vscode.l10n.t('not asked: {0}', names(unavailable))]),
        ].join(' · ');
        pick.busy = false;
      }
    } catch (error) {
      if (!token.isCancellationRequested) {
        pick.busy = false;
        pick.items = [];
        pick.placeholder = error instanceof Error ? error.message : String(error);
      }
    }
  };
  pick.onDidChangeValue(() => {
    clearTimeout(timer);
    timer = setTimeout(() => void ask(), PAUSE_MS);
  });
  pick.onDidTriggerItemButton(({ item: { hit } }) => {
    const stub = language === 'python' ? 'python' : 'typescript';
    void parts.documents.show(
      `${hit.path}.${stub === 'python' ? 'py' : 'ts'}`,
      { kind: 'stub', server: hit.server, tool: hit.tool, language: stub },
      stub,
    );
  });
  return new Promise((resolve) => {
    pick.onDidAccept(() => {
      const [chosen] = pick.selectedItems;
      // Where nothing is listed yet, Enter does nothing.
      if (chosen) {
        resolve(chosen.hit);
        pick.hide();
      }
    });
    pick.onDidHide(() => {
      clearTimeout(timer);
      asked.cancel();
      resolve(undefined);
      pick.dispose();
    });
    pick.show();
    void ask();
  });
}

/** The servers in sentences that begin with their names. */
function names(unavailable: readonly string[]): string {
  return oneLine(unavailable.map((why) => why.split(':', 1)[0]).join(', '), 60);
}

const ICONS: Readonly<Record<HitKind, string>> = {
  tool: 'symbol-method',
  prompt: 'comment',
  template: 'symbol-file',
  resource: 'file',
  resources: 'files',
};

function itemOf(hit: ToolHit): Item {
  return {
    label: `$(${ICONS[hit.kind]}) ${iconless(hit.path)}`,
    description: iconless(oneLine(hit.summary, 160)),
    detail: iconless(oneLine(hit.stub, 300)),
    // What is no tool is whole in its line.
    buttons:
      hit.kind === 'tool'
        ? [{ iconPath: new vscode.ThemeIcon('open-preview'), tooltip: vscode.l10n.t('Open the whole stub') }]
        : [],
    // The words typed are a search, not a filter.
    alwaysShow: true,
    hit,
  };
}

async function insert(
  { servers }: Parts,
  hit: ToolHit,
  language: Language,
  editor: vscode.TextEditor | undefined,
): Promise<void> {
  const identifier = hit.path.slice(0, hit.path.indexOf('.'));
  const call = hit.kind === 'tool' ? await toolCall(servers, hit, language, identifier) : besideCall(hit, language);
  if (!editor || !LANGUAGES[editor.document.languageId]) {
    const text = call.replace(/\$\{\d+:((?:\\.|[^}])*)\}|\$0/g, '$1').replace(/\\([\\$}])/g, '$1');
    await vscode.env.clipboard.writeText(`${importOf(language, identifier)}\n${text}\n`);
    vscode.window.setStatusBarMessage(vscode.l10n.t('Copied a call of {0}.', hit.path), 5_000);
    return;
  }
  const addition = importInto(language, editor.document.getText(), identifier);
  if (addition) {
    await editor.edit((edit) => {
      edit.insert(new vscode.Position(addition.line, addition.column), addition.text);
    });
  }
  await vscode.window.showTextDocument(editor.document, editor.viewColumn);
  await editor.insertSnippet(new vscode.SnippetString(beginsLine(editor) ? `${call}\n` : call));
}

async function toolCall(
  servers: Parts['servers'],
  hit: ToolHit,
  language: Language,
  identifier: string,
): Promise<string> {
  const tool = (await servers.toolsOf(hit.server)).find(({ name }) => name === hit.tool);
  if (!tool) {
    throw new Error(vscode.l10n.t('{0} has gone from its server meanwhile.', hit.path));
  }
  return callSnippet(language, identifier, tool);
}

/** A prompt or a resource as it is asked for, as a snippet. */
function besideCall({ path }: ToolHit, language: Language): string {
  return `await ${path.replace(/[\\$}]/g, '\\$&')}${language === 'python' ? '' : ';'}$0`;
}

/** Whether the cursor stands before all that its line holds: what is written there gets a line of its own. */
function beginsLine({ document, selection }: vscode.TextEditor): boolean {
  const { text, isEmptyOrWhitespace, firstNonWhitespaceCharacterIndex: first } = document.lineAt(selection.active);
  return !isEmptyOrWhitespace && selection.isEmpty && selection.active.character <= first && first < text.length;
}
