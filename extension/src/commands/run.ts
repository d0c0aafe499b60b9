/**
 * Run File and Run Selection: the program goes to the daemon as it stands in the editor, saved or not; what comes back
 * goes to the output channel, and an error to its line as well.
 */

import * as vscode from 'vscode';
import type { Ctx } from '../ctx';
import type { Language, RunReply } from '../lsp_ext';
import { callCount } from '../receipt';
import { cancelled, transcript } from '../transcript';
import * as wire from '../wire';
import { asProgram, type Program } from '../program';

const LANGUAGES: Readonly<Record<string, Language>> = {
  python: 'python',
  typescript: 'typescript',
  javascript: 'javascript',
};

/** Runs the whole document. */
export function runFile(ctx: Ctx): Promise<void> {
  const { document } = activeEditor();
  return runProgram(ctx, document, { code: document.getText(), name: nameOf(document) });
}

/** Runs the selected lines, under the line numbers that they have in the document. */
export function runSelection(ctx: Ctx): Promise<void> {
  const { document, selection } = activeEditor();
  if (selection.isEmpty) {
    throw new Error(vscode.l10n.t('Nothing is selected. Select the lines to run.'));
  }
  // A selection that begins after the indentation of its first line means the whole line.
  const { firstNonWhitespaceCharacterIndex } = document.lineAt(selection.start);
  const start =
    selection.start.character <= firstNonWhitespaceCharacterIndex
      ? selection.start.with({ character: 0 })
      : selection.start;
  const selected = document.getText(new vscode.Range(start, selection.end));
  return runProgram(ctx, document, asProgram(selected, start.line, nameOf(document)));
}

async function runProgram(ctx: Ctx, document: vscode.TextDocument, program: Program): Promise<void> {
  const language = LANGUAGES[document.languageId];
  if (!language) {
    throw new Error(vscode.l10n.t('Programs are Python, TypeScript or JavaScript; this is {0}.', document.languageId));
  }
  ctx.problems.delete(document.uri);
  const reply = await withProgress(ctx, program.name, (token) =>
    ctx.request(wire.run, { ...program, language, wait_receipt: true }, token),
  );
  ctx.output.append(reply ? transcript(program.name, reply) : cancelled(program.name));
  ctx.output.show(true);
  if (reply) {
    pointAtError(ctx, document, reply);
  }
}

function activeEditor(): vscode.TextEditor {
  const editor = vscode.window.activeTextEditor;
  if (!editor) {
    throw new Error(vscode.l10n.t('No program is open. Open a Python, TypeScript or JavaScript file first.'));
  }
  return editor;
}

function nameOf(document: vscode.TextDocument): string {
  return document.uri.path.slice(document.uri.path.lastIndexOf('/') + 1);
}

/** Runs `work` under a notification that can cancel it; undefined where the user did. */
function withProgress(
  ctx: Ctx,
  name: string,
  work: (token: vscode.CancellationToken) => Promise<RunReply>,
): Thenable<RunReply | undefined> {
  const title = vscode.l10n.t('Running {0}', name);
  return vscode.window.withProgress(
    { location: vscode.ProgressLocation.Notification, title, cancellable: true },
    async (progress, token) => {
      const narrator = narrate(ctx, name, progress);
      try {
        return await work(token);
      } catch (error) {
        if (token.isCancellationRequested) {
          return undefined;
        }
        throw error;
      } finally {
        narrator.dispose();
      }
    },
  );
}

/** Says what the run of that name is doing: the first that starts from now on is ours. */
function narrate(ctx: Ctx, name: string, progress: vscode.Progress<{ message: string }>): vscode.Disposable {
  let ours: string | undefined;
  let calls = 0;
  return ctx.onRunEvent((event) => {
    if (event.event === 'started' && event.label === name) {
      ours ??= event.run_id;
    }
    if (event.run_id !== ours) {
      return;
    }
    if (event.event === 'progress') {
      progress.report({ message: event.message });
    } else if (event.event === 'call') {
      calls += 1;
      progress.report({ message: `${callCount(calls)}, ${event.call.server}.${event.call.tool}` });
    }
  });
}

function pointAtError(ctx: Ctx, document: vscode.TextDocument, { error }: RunReply): void {
  if (error?.line === undefined) {
    return;
  }
  const line = Math.min(error.line, document.lineCount) - 1;
  const text = error.hint === undefined ? error.message : `${error.message}\n${error.hint}`;
  const diagnostic = new vscode.Diagnostic(
    document.lineAt(Math.max(line, 0)).range,
    text,
    vscode.DiagnosticSeverity.Error,
  );
  diagnostic.source = 'tta';
  diagnostic.code = error.kind;
  ctx.problems.set(document.uri, [diagnostic]);
}
