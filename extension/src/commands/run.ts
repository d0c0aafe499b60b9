/**
 * Run File, Run Selection and Rerun: the program goes to the daemon as it stands in the editor, saved or not; what comes back
 * goes to the output channel, and an error to its line as well.
 */

import * as vscode from 'vscode';
import type { Ctx } from '../ctx';
import type { Language, RunReply } from '../lsp_ext';
import type { Parts } from '../parts';
import { callCount } from '../receipt';
import { cancelled, transcript } from '../transcript';
import type { Run } from '../views/runs_model';
import * as wire from '../wire';
import { asProgram, type Program } from '../program';

/** The languages of programs, by what the editor calls them. */
export const LANGUAGES: Readonly<Record<string, Language>> = {
  python: 'python',
  typescript: 'typescript',
  javascript: 'javascript',
};

/** Runs a whole document: the one whose URI is the subject, else the one in the active editor. */
export async function runFile(ctx: Ctx, subject: unknown, parts: Parts): Promise<void> {
  const uri = uriOf(subject);
  const document = uri ? await vscode.workspace.openTextDocument(uri) : activeEditor().document;
  await runDocument(ctx, parts, document);
}

/** Runs the selected lines, under the line numbers that they have in the document. */
export async function runSelection(ctx: Ctx, _: unknown, parts: Parts): Promise<void> {
  const { document, selection } = activeEditor();
  if (selection.isEmpty) {
    throw new Error(vscode.l10n.t('Nothing is selected. Select the lines to run.'));
  }
  await runDocument(ctx, parts, document, selection);
}

/** Runs what a command of this window ran last, as it stands now; else the newest run of the workspace. */
export async function rerunLast(ctx: Ctx, _: unknown, parts: Parts): Promise<void> {
  if (parts.last) {
    const { uri, range } = parts.last;
    return runDocument(ctx, parts, await vscode.workspace.openTextDocument(uri), range);
  }
  const newest = parts.runs.list().find(({ status }) => status !== undefined);
  if (!newest) {
    throw new Error(vscode.l10n.t('No program has run in this workspace yet.'));
  }
  await rerun(ctx, { kind: 'run', run: newest }, parts);
}

/** Runs the program of a line in the tree of runs again, exactly as it was. */
export async function rerun(ctx: Ctx, subject: unknown, { runs }: Parts): Promise<void> {
  const { run } = subject as { readonly run: Run };
  const detail = await runs.detail(run.id);
  if (!detail) {
    throw new Error(
      vscode.l10n.t('The program of this run went with the window that ran it. Open its file and run that.'),
    );
  }
  // Without a name it stays without: its first line is shown, and not sent on as its name.
  const { code, language, label, name, input } = detail;
  const program = {
    code,
    language,
    ...(name === undefined ? {} : { name }),
    ...(input === undefined ? {} : { input }),
  };
  await runProgram(ctx, program, label);
}

async function runDocument(ctx: Ctx, parts: Parts, document: vscode.TextDocument, range?: vscode.Range): Promise<void> {
  const language = LANGUAGES[document.languageId];
  if (!language) {
    throw new Error(vscode.l10n.t('Programs are Python, TypeScript or JavaScript; this is {0}.', document.languageId));
  }
  parts.last = { uri: document.uri, ...(range ? { range } : {}) };
  ctx.problems.delete(document.uri);
  const program = range ? selected(document, range) : { code: document.getText(), name: nameOf(document) };
  const reply = await runProgram(ctx, { ...program, language, uri: document.uri.toString() }, program.name);
  if (reply) {
    pointAtError(ctx, document, reply);
  }
}

function selected(document: vscode.TextDocument, range: vscode.Range): Program {
  // A selection that begins after the indentation of its first line means the whole line.
  const { firstNonWhitespaceCharacterIndex } = document.lineAt(range.start);
  const start =
    range.start.character <= firstNonWhitespaceCharacterIndex ? range.start.with({ character: 0 }) : range.start;
  return asProgram(document.getText(new vscode.Range(start, range.end)), start.line, nameOf(document));
}

async function runProgram(
  ctx: Ctx,
  program: Partial<Program> & { code: string; language: Language; uri?: string; input?: unknown },
  label: string,
): Promise<RunReply | undefined> {
  const reply = await withProgress(ctx, label, (token) =>
    ctx.request(wire.run, { ...program, wait_receipt: true }, token),
  );
  ctx.output.append(reply ? transcript(label, reply) : cancelled(label));
  ctx.output.show(true);
  return reply;
}

/** A code lens hands over a URI as text or as the editor's own, which loses its class on the way. */
function uriOf(subject: unknown): vscode.Uri | undefined {
  if (typeof subject === 'string') {
    return vscode.Uri.parse(subject, true);
  }
  return typeof subject === 'object' && subject !== null && 'scheme' in subject && 'path' in subject
    ? vscode.Uri.from(subject as vscode.Uri)
    : undefined;
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
