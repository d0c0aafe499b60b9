/**
 * The daemon as this window sees it: one child process, spoken to over its stdin and stdout, started again when it
 * crashes. Its state is one value, {@link DaemonState}; every change of it is told. Leaves out what is done with it.
 */

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import * as vscode from 'vscode';
import {
  CloseAction,
  ErrorAction,
  LanguageClient,
  State,
  type CloseHandlerResult,
  type DocumentSelector,
  type ErrorHandler,
} from 'vscode-languageclient/node';
import { CrashLog } from './backoff';
import { duration } from './format';
import { endpointOf, type McpEndpoint } from './endpoint';
import { withoutSecrets } from './redact';
import type { InitializationOptions, NotificationType, RequestType } from './wire';

/** What the daemon is doing. */
export type DaemonState =
  | { readonly kind: 'restricted' }
  | { readonly kind: 'starting' }
  | { readonly kind: 'ready'; readonly mcp: McpEndpoint }
  | { readonly kind: 'restarting' }
  | { readonly kind: 'stopped'; readonly why: string };

const PROGRAMS = ['python', 'typescript', 'javascript'];
/** Every file that servers are configured in; the daemon says which features it has for which. */
const CONFIGS = [
  '**/tta.toml',
  '**/{mcp,.mcp,mcp_config,mcp_settings,claude_desktop_config,.claude}.json',
  '**/.mcp/config.json',
  '**/.codex/config.toml',
  '**/{.vscode,.gemini,.zed,zed,.amazonq,Code/User}/settings.json',
];

/** The documents that the daemon is told of. They are opened anew by the client when the daemon was started again. */
const DOCUMENTS: DocumentSelector = [
  ...PROGRAMS.flatMap((language) => ['file', 'untitled'].map((scheme) => ({ language, scheme }))),
  ...CONFIGS.map((pattern) => ({ scheme: 'file', pattern })),
];

/** How long the daemon may take to count what is pending and to stop its servers. */
const LONGEST_END_MS = 5_000;

/** The client's own messages go to the log alone: what users should know is the {@link DaemonState}, told once. */
class QuietClient extends LanguageClient {
  override error(message: string, data?: unknown): void {
    super.error(message, data, false);
  }
}

/** A child process and the language client on it. */
export class Daemon implements vscode.Disposable {
  private readonly client: LanguageClient;
  private readonly crashes = new CrashLog();
  private readonly changed = new vscode.EventEmitter<DaemonState>();
  private child: ChildProcess | undefined;
  private current: DaemonState = { kind: 'starting' };
  private readonly stopping = new AbortController();

  /** Told after every change of {@link state}. */
  readonly onDidChangeState = this.changed.event;

  constructor(
    private readonly path: string,
    options: InitializationOptions,
    private readonly log: vscode.LogOutputChannel,
  ) {
    const cwd = options.workspace ?? options.dataDir ?? '.';
    this.client = new QuietClient('tta', 'TTA', () => this.spawn(cwd), {
      documentSelector: DOCUMENTS,
      outputChannel: log,
      traceOutputChannel: withoutSecrets(log),
      initializationOptions: options,
      initializationFailedHandler: () => false,
      errorHandler: this.errorHandler(),
      stdioOptions: { stdout: this.forward, stderr: this.forward },
    });
    this.client.onDidChangeState(({ newState }) => {
      if (newState === State.Running) {
        this.connected();
      }
    });
  }

  /** What the daemon is doing now. */
  get state(): DaemonState {
    return this.current;
  }

  /** Listens to a notification of the daemon's, from {@link start} on and over its restarts. */
  onNotification<P>(type: NotificationType<P>, listener: (params: P) => void): void {
    this.client.onNotification(type.method, (...params: unknown[]) => {
      // Typed by the daemon's own types: lsp_ext.ts.
      listener((type.isList ? params : params[0]) as P);
    });
  }

  /** Answers a request of the daemon's, from {@link start} on and over its restarts. */
  onRequest<P, R>(type: RequestType<P, R>, answer: (params: P, token: vscode.CancellationToken) => Promise<R>): void {
    this.client.onRequest(type.method, answer);
  }

  /** Tells the daemon; one that is not there misses nothing, since it asks at its start. */
  async notify<P>(type: NotificationType<P>, params: P): Promise<void> {
    if (this.current.kind === 'ready') {
      await this.client.sendNotification(type.method, params).catch(() => undefined);
    }
  }

  /** Starts the process. Never throws: what went wrong is the state, told by {@link spawn} or {@link closed}. */
  async start(): Promise<void> {
    await this.client.start().catch((error: unknown) => {
      this.log.error(error instanceof Error ? error : String(error));
    });
  }

  /** Asks the daemon, as soon as it is ready. Fails with a clear message where it is not going to be. */
  async request<P, R>(type: RequestType<P, R>, params: P, token?: vscode.CancellationToken): Promise<R> {
    await this.settled();
    if (this.current.kind === 'stopped') {
      throw new Error(this.current.why);
    }
    const process = this.current;
    try {
      // An undefined token would be sent as one more parameter.
      return await (token
        ? this.client.sendRequest<R>(type.method, params, token)
        : this.client.sendRequest<R>(type.method, params));
    } catch (error) {
      if (this.current !== process) {
        throw new Error(vscode.l10n.t('The daemon ended before it answered. Its log says why.'), { cause: error });
      }
      throw error;
    }
  }

  /** Stops the process and waits until it has gone. */
  async stop(): Promise<void> {
    this.stopping.abort();
    if (this.current.kind !== 'stopped') {
      this.become({ kind: 'stopped', why: vscode.l10n.t('The daemon was stopped.') });
    }
    // A client that is between two starts refuses to be disposed of; there is no process then.
    await this.client.dispose().catch(() => undefined);
    await this.gone();
  }

  dispose(): void {
    void this.stop().then(() => {
      this.changed.dispose();
    });
  }

  private async spawn(cwd: string): Promise<ChildProcess> {
    const child = spawn(this.path, ['lsp'], { cwd });
    try {
      await once(child, 'spawn');
      child.once('exit', (code, signal) => {
        this.log.info(`The daemon ended (${signal ?? `exit code ${code ?? '?'}`}).`);
      });
      this.child = child;
      return child;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.become({ kind: 'stopped', why: vscode.l10n.t('The daemon could not be started: {0}.', reason) });
      throw error;
    }
  }

  /** Waits until the process has ended; one that does not end in time is killed. */
  private async gone(): Promise<void> {
    const { child } = this;
    if (child?.exitCode === null && child.signalCode === null) {
      const timer = setTimeout(() => child.kill('SIGKILL'), LONGEST_END_MS);
      await once(child, 'exit');
      clearTimeout(timer);
    }
  }

  /** Copies what the daemon prints to the log; its lines carry a level and a time of their own. */
  private readonly forward = (stream: Readable): void => {
    createInterface(stream).on('line', (line) => {
      this.log.appendLine(line);
    });
  };

  private settled(): Promise<void> {
    if (this.current.kind !== 'starting' && this.current.kind !== 'restarting') {
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      const listener = this.onDidChangeState((state) => {
        if (state.kind === 'ready' || state.kind === 'stopped') {
          listener.dispose();
          resolve();
        }
      });
    });
  }

  private connected(): void {
    const mcp = endpointOf(this.client.initializeResult?.capabilities.experimental);
    if (mcp) {
      this.become({ kind: 'ready', mcp });
    } else {
      this.become({
        kind: 'stopped',
        why: vscode.l10n.t('The program that was started is not a tta daemon, or of another version.'),
      });
      void this.stop();
    }
  }

  private errorHandler(): ErrorHandler {
    return {
      error: () => ({ action: ErrorAction.Continue, handled: true }),
      closed: () => this.closed(),
    };
  }

  private async closed(): Promise<CloseHandlerResult> {
    if (this.current.kind === 'stopped') {
      return { action: CloseAction.DoNotRestart, handled: true };
    }
    const verdict = this.crashes.crashed();
    if ('giveUp' in verdict) {
      const { crashes, withinMs } = verdict.giveUp;
      const why = vscode.l10n.t(
        'The daemon crashed {0} times within {1} and is left stopped.',
        crashes,
        duration(withinMs),
      );
      this.become({ kind: 'stopped', why });
      return { action: CloseAction.DoNotRestart, message: why, handled: true };
    }
    this.become({ kind: 'restarting' });
    // Rejects when the daemon is stopped meanwhile, which the client takes for "do not restart".
    await sleep(verdict.restartInMs, undefined, { signal: this.stopping.signal });
    return { action: CloseAction.Restart, handled: true };
  }

  private become(state: DaemonState): void {
    this.current = state;
    this.changed.fire(state);
  }
}
