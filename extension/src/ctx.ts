/**
 * All that a window of the extension owns: the daemon, what shows its state, and where output goes. There is one; every
 * command gets it. In an untrusted workspace it starts nothing.
 */

import { mkdir } from 'node:fs/promises';
import * as vscode from 'vscode';
import { findDaemon } from './bootstrap';
import type { Daemon, DaemonState } from './client';
import { Editor } from './editor/editor';
import type { RunEvent, RunId, SavingsSummary, ServerStatus } from './lsp_ext';
import { LedgerNotice } from './ledger_notice';
import { look } from './look';
import { StatusBar } from './status';
import { ToolSetProvider } from './tools';
import * as wire from './wire';

export class Ctx implements vscode.Disposable {
  readonly output = vscode.window.createOutputChannel('TTA');
  readonly log = vscode.window.createOutputChannel('TTA Log', { log: true });
  readonly problems = vscode.languages.createDiagnosticCollection('tta');
  readonly tools = new ToolSetProvider();
  readonly editor: Editor;
  private readonly status = new StatusBar();
  private readonly runEvents = new vscode.EventEmitter<RunEvent>();
  private readonly stateChanged = new vscode.EventEmitter<DaemonState>();
  private readonly savingsChanged = new vscode.EventEmitter<SavingsSummary>();
  private readonly serversChanged = new vscode.EventEmitter<readonly ServerStatus[]>();
  private daemon: Daemon | undefined;
  private loading: Promise<unknown> | undefined;
  private restarting = Promise.resolve();
  private savings: SavingsSummary | undefined;
  private readonly live = new Set<RunId>();
  private whyNone = '';
  private readonly ledger = new LedgerNotice(
    (message, button) => vscode.window.showWarningMessage(message, button),
    () => vscode.commands.executeCommand('tta.doctor'),
  );

  /** Told of every event of every run, whichever front of this window's daemon it came through. */
  readonly onRunEvent = this.runEvents.event;
  /** Told when the daemon's state changed, and when another daemon took its place. */
  readonly onDidChangeState = this.stateChanged.event;
  /** Told of every change of the totals. */
  readonly onSavings = this.savingsChanged.event;
  /** Told of every change of any server. */
  readonly onServers = this.serversChanged.event;

  constructor(private readonly context: vscode.ExtensionContext) {
    this.editor = new Editor(
      context,
      () => {
        this.refresh();
      },
      (line) => {
        this.log.info(line);
      },
    );
    this.refresh();
  }

  /** Starts the daemon if the workspace is trusted. Never throws: what went wrong is shown. */
  async start(): Promise<void> {
    if (this.daemon || this.loading || !vscode.workspace.isTrusted) {
      return;
    }
    // The language client is half of the extension's code: it is loaded after the activation, and where there is trust.
    const client = import('./client');
    this.loading = client;
    const { Daemon } = await client.finally(() => (this.loading = undefined));
    const config = vscode.workspace.getConfiguration('tta');
    const found = findDaemon(config.get('server.path', ''), this.context.extensionPath);
    if ('problem' in found) {
      this.whyNone = found.problem;
      this.refresh();
      this.stateChanged.fire(this.state);
      void this.reportStopped(found.problem);
      return;
    }
    this.log.info(`Starting ${found.path}`);
    const daemon = new Daemon(found.path, this.initializationOptions(config), this.log);
    this.daemon = daemon;
    this.listen(daemon);
    this.refresh();
    this.stateChanged.fire(daemon.state);
    await mkdir(this.dataDir, { recursive: true });
    await daemon.start();
  }

  /** Stops the daemon, waits until it has gone, and starts it again. What is asked meanwhile, the new one answers. */
  restart(): Promise<void> {
    const replace = async (): Promise<void> => {
      const daemon = this.daemon;
      this.daemon = undefined;
      this.savings = undefined;
      await daemon?.stop();
      await this.start();
    };
    // One after the other: what changed during one restart is read by the next.
    this.restarting = this.restarting.then(replace, replace);
    return this.restarting;
  }

  /** Asks the daemon. Fails with a message fit for users where there is none. */
  async request<P, R>(type: wire.RequestType<P, R>, params: P, token?: vscode.CancellationToken): Promise<R> {
    await this.restarting;
    await this.loading;
    const { state } = this;
    if (this.daemon) {
      return this.daemon.request(type, params, token);
    }
    throw new Error(state.kind === 'stopped' ? state.why : look(state, undefined).tooltip);
  }

  dispose(): void {
    this.daemon?.dispose();
    for (const owned of [this.output, this.log, this.problems, this.tools, this.status, this.editor]) {
      owned.dispose();
    }
    for (const event of [this.runEvents, this.stateChanged, this.savingsChanged, this.serversChanged]) {
      event.dispose();
    }
  }

  /** How many programs run. */
  get running(): number {
    return this.live.size;
  }

  /** What the daemon is doing now. */
  get state(): DaemonState {
    if (!vscode.workspace.isTrusted) {
      return { kind: 'restricted' };
    }
    return this.daemon?.state ?? (this.loading ? { kind: 'starting' } : { kind: 'stopped', why: this.whyNone });
  }

  /** Where the extension's files lie. */
  get folder(): string {
    return this.context.extensionPath;
  }

  /** The extension's own name, and its folder in the person's profile. */
  get extensionId(): string {
    return this.context.extension.id;
  }
  get storage(): vscode.Uri {
    return this.context.globalStorageUri;
  }

  /** One folder for all workspaces: the daemon keeps them apart in it, and shares what is the same for all. */
  private get dataDir(): string {
    return this.context.globalStorageUri.fsPath;
  }

  private initializationOptions(config: vscode.WorkspaceConfiguration): wire.InitializationOptions {
    const [workspace, ...folders] = (vscode.workspace.workspaceFolders ?? []).map(({ uri }) => uri.fsPath);
    const timeoutMs = config.get<number | null>('limits.timeoutMs');
    const memoryMb = config.get<number | null>('limits.memoryMb');
    return {
      trusted: vscode.workspace.isTrusted,
      dataDir: this.dataDir,
      askCalls: config.get<wire.AskCalls>('approvals.calls', 'destructive'),
      askServers: config.get('approvals.servers') !== 'workspaceTrust',
      editor: true,
      folders,
      ...(workspace === undefined ? {} : { workspace }),
      ...(timeoutMs ? { timeoutMs } : {}),
      ...(memoryMb ? { memoryMb } : {}),
    };
  }

  private listen(daemon: Daemon): void {
    this.editor.answer(daemon);
    daemon.onDidChangeState((state) => {
      if (this.daemon !== daemon) {
        return;
      }
      this.tools.serveAt(state.kind === 'ready' ? state.mcp : undefined);
      if (state.kind !== 'ready') {
        this.live.clear();
      }
      this.editor.daemonIs(state, daemon);
      this.refresh();
      this.stateChanged.fire(state);
      if (state.kind === 'ready') {
        void daemon.request(wire.savings, {}).then((savings) => {
          this.show(savings);
        }, this.logError);
      } else if (state.kind === 'stopped') {
        void this.reportStopped(state.why);
      }
    });
    daemon.onNotification(wire.savingsChanged, (savings) => {
      this.show(savings);
    });
    daemon.onNotification(wire.runEvent, (event) => {
      this.count(event);
      this.runEvents.fire(event);
    });
    daemon.onNotification(wire.serversChanged, (servers) => {
      this.serversChanged.fire(servers);
    });
  }

  /** Keeps the number of live runs, so that the spinner ends with the run and not with its counting. */
  private count(event: RunEvent): void {
    const before = this.live.size;
    if (event.event === 'started') {
      this.live.add(event.run_id);
    } else if (event.event === 'finished') {
      this.live.delete(event.run_id);
    }
    if (this.live.size !== before) {
      this.refresh();
    }
  }

  private show(savings: SavingsSummary): void {
    this.savings = savings;
    this.savingsChanged.fire(savings);
    this.refresh();
    void this.ledger.saw(savings.problem).catch(this.logError);
  }

  private refresh(): void {
    this.status.show(look(this.state, this.savings, { running: this.live.size, waiting: this.editor.waiting }));
  }

  /** Notes what nobody waits for. */
  readonly logError = (error: unknown): void => {
    this.log.error(error instanceof Error ? error : String(error));
  };

  private async reportStopped(why: string): Promise<void> {
    this.log.error(why);
    const [restart, openLog] = [vscode.l10n.t('Restart'), vscode.l10n.t('Open Log')];
    const answer = await vscode.window.showErrorMessage(`TTA: ${why}`, restart, openLog);
    if (answer === restart) {
      await this.restart();
    } else if (answer === openLog) {
      this.log.show();
    }
  }
}
