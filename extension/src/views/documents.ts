/**
 * Read-only documents: what a run was, what a server logged, what a tool answered. A document's URI says what it shows, so
 * that an open one survives a reload where the daemon still knows it. Leaves out remembering: only answers of tools called
 * by hand are kept here, the newest few.
 */

import * as vscode from 'vscode';
import type { Ctx } from '../ctx';
import type { CallDetail, RunDetail, RunId } from '../lsp_ext';
import { doctorReport } from './doctor_report';
import { fileName } from './untrusted';
import * as wire from '../wire';

export const SCHEME = 'tta';

/** What a document shows. */
export type Subject =
  | { readonly kind: 'program' | 'result' | 'output'; readonly run: RunId }
  | { readonly kind: 'call'; readonly run: RunId; readonly index: number }
  | { readonly kind: 'explanation'; readonly run?: RunId }
  | { readonly kind: 'log'; readonly server: string }
  | {
      readonly kind: 'stub';
      readonly server: string;
      readonly tool: string;
      readonly language: 'python' | 'typescript';
    }
  | { readonly kind: 'answer'; readonly number: number }
  | { readonly kind: 'doctor' };

const MOST_ANSWERS = 20;

export class Documents implements vscode.TextDocumentContentProvider, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<vscode.Uri>();
  private readonly provider = vscode.workspace.registerTextDocumentContentProvider(SCHEME, this);
  private readonly answers = new Map<number, string>();
  private answered = 0;

  readonly onDidChange = this.changed.event;

  constructor(private readonly ctx: Ctx) {}

  /** Opens a document in a tab named `title`, coloured as `language` where its ending does not say it. */
  async show(title: string, subject: Subject, language?: string): Promise<void> {
    const document = await vscode.workspace.openTextDocument(uriOf(title, subject));
    if (language !== undefined && document.languageId !== language) {
      await vscode.languages.setTextDocumentLanguage(document, language);
    }
    await vscode.window.showTextDocument(document, { preview: true });
  }

  /** Opens a document as its rendered Markdown. */
  async preview(title: string, subject: Subject): Promise<void> {
    const uri = uriOf(title, subject);
    this.changed.fire(uri);
    await vscode.commands.executeCommand('markdown.showPreview', uri);
  }

  /** Opens what a tool answered. */
  async showAnswer(title: string, text: string): Promise<void> {
    this.answered += 1;
    this.answers.set(this.answered, text);
    this.answers.delete(this.answered - MOST_ANSWERS);
    await this.show(title, { kind: 'answer', number: this.answered }, 'json');
  }

  /** Asks anew for what `uri` shows. */
  refresh(uri: vscode.Uri): void {
    this.changed.fire(uri);
  }

  async provideTextDocumentContent(uri: vscode.Uri): Promise<string> {
    const subject = JSON.parse(uri.query) as Subject;
    switch (subject.kind) {
      case 'log': {
        const log = await this.ctx.request(wire.serverLog, { server: subject.server });
        return log === '' ? vscode.l10n.t('{0} has written nothing to its log yet.', subject.server) : log;
      }
      case 'stub': {
        const tools = await this.ctx.request(wire.serverTools, { server: subject.server });
        return tools.find(({ name }) => name === subject.tool)?.[subject.language] ?? '';
      }
      case 'doctor':
        return doctorReport(await this.ctx.request(wire.doctor, {}));
      case 'explanation': {
        const { run } = subject;
        return (await this.ctx.request(wire.explain, run === undefined ? {} : { run_id: run })).text;
      }
      case 'answer':
        return this.answers.get(subject.number) ?? vscode.l10n.t('This answer is no longer kept. Call the tool again.');
      default:
        return this.ofRun(subject);
    }
  }

  dispose(): void {
    this.provider.dispose();
    this.changed.dispose();
  }

  private async ofRun(subject: Extract<Subject, { kind: 'program' | 'result' | 'output' | 'call' }>): Promise<string> {
    const detail = await this.ctx.request(wire.runDetail, { run_id: subject.run });
    if (detail === null) {
      return vscode.l10n.t('The details of this run went with the window that ran it. Its receipt is kept.');
    }
    switch (subject.kind) {
      case 'program':
        return detail.code;
      case 'result':
        return resultText(detail);
      case 'output':
        return outputText(detail);
      case 'call':
        return callText(detail.calls[subject.index]);
    }
  }
}

function uriOf(title: string, subject: Subject): vscode.Uri {
  return vscode.Uri.from({ scheme: SCHEME, path: `/${fileName(title)}`, query: JSON.stringify(subject) });
}

/** JSON with its lines; text that was cut in the middle stays as it is. */
export function pretty(json: string): string {
  try {
    return JSON.stringify(JSON.parse(json), null, 2);
  } catch {
    return json;
  }
}

function resultText({ result, error }: RunDetail): string {
  if (error) {
    return [error.traceback, `${error.kind}: ${error.message}`, error.hint].filter((part) => part).join('\n');
  }
  return result === '' ? vscode.l10n.t('The program returned nothing.') : pretty(result);
}

function outputText({ stdout, stderr }: RunDetail): string {
  const text = [stdout, stderr].filter((part) => part !== '').join('\n');
  return text === '' ? vscode.l10n.t('The program printed nothing.') : text;
}

function callText(call: CallDetail | undefined): string {
  if (!call) {
    return vscode.l10n.t('The call is not there yet. Refresh when the run has ended.');
  }
  const { record, result } = call;
  const parts: [string, string][] = [
    [vscode.l10n.t('arguments'), pretty(call.arguments)],
    [record.error === undefined ? vscode.l10n.t('answer') : vscode.l10n.t('error'), record.error ?? pretty(result)],
  ];
  const title = `${record.server}.${record.tool}`;
  return [title, ...parts.map(([name, text]) => `── ${name}\n${text}`), ''].join('\n\n');
}
