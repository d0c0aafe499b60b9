/**
 * The editor's own tools for programs: those of MCP servers that the editor or another extension manages, and of
 * extensions. The editor tells nobody when they change; they are compared now and then, while the window has the focus
 * and a daemon is there to care.
 */

import * as vscode from 'vscode';
import type { EditorTool, EditorToolCall, EditorToolReply } from '../lsp_ext';
import { Gateway } from './gateway';
import { contentOf, fingerprint, offered } from './offered';

const COMPARE_EVERY_MS = 5_000;

export class EditorTools implements vscode.Disposable {
  private timer: NodeJS.Timeout | undefined;
  private told = '';
  private changed: (() => void) | undefined;
  private gateway: Gateway | undefined;
  private readonly focus = vscode.window.onDidChangeWindowState(() => {
    this.schedule();
  });

  constructor(private readonly log: (line: string) => void) {}

  /** The tools that programs may call. */
  async list(): Promise<EditorTool[]> {
    if (!this.enabled) {
      this.gateway?.dispose();
      this.gateway = undefined;
    } else {
      this.gateway ??= new Gateway(() => this.changed?.(), this.log);
    }
    const addresses = await this.gateway?.addresses();
    this.told = this.now;
    return offered(this.tools, addresses);
  }

  /** Calls one of them. What goes wrong is the reply's error. */
  async call({ name, arguments: input }: EditorToolCall, token: vscode.CancellationToken): Promise<EditorToolReply> {
    // Asked anew at every call: a tool of ours, or one that was switched off, is not called whatever the daemon says.
    if (!offered(this.tools).some((tool) => tool.name === name)) {
      return { content: [], error: vscode.l10n.t('The editor offers no tool “{0}” any more.', name) };
    }
    try {
      const { content } = await vscode.lm.invokeTool(name, { input, toolInvocationToken: undefined }, token);
      return { content: contentOf(content) };
    } catch (error) {
      return { content: [], error: error instanceof Error ? error.message : String(error) };
    }
  }

  /** Tells `changed` from now on, or nobody where it is undefined. */
  tell(changed: (() => void) | undefined): void {
    this.changed = changed;
    // A daemon asks for the list at its start.
    this.told = this.now;
    this.schedule();
  }

  dispose(): void {
    this.tell(undefined);
    this.focus.dispose();
    this.gateway?.dispose();
  }

  private get tools(): readonly vscode.LanguageModelToolInformation[] {
    return this.enabled ? vscode.lm.tools : [];
  }

  private get now(): string {
    return fingerprint(this.tools);
  }

  private get enabled(): boolean {
    return vscode.workspace.getConfiguration('tta').get('editorTools', true);
  }

  private schedule(): void {
    clearInterval(this.timer);
    this.timer = undefined;
    if (this.changed && vscode.window.state.focused) {
      this.timer = setInterval(() => {
        this.compare();
      }, COMPARE_EVERY_MS);
      this.compare();
    }
  }

  private compare(): void {
    const { now } = this;
    if (now !== this.told) {
      this.told = now;
      this.changed?.();
    }
  }
}
