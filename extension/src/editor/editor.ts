/** The editor's side of the wire: what the daemon asks of the person and of the editor, and who answers it. */

import * as vscode from 'vscode';
import type { Daemon, DaemonState } from '../client';
import * as wire from '../wire';
import { Approvals } from './approve';
import { Elicitations } from './elicit';
import { ENTER_ADDRESS, enterAddress, openLogin } from './login';
import { Questions } from './questions';
import { Sampling } from './sample';
import { Secrets } from './secrets';
import { EditorTools } from './tools';

export class Editor implements vscode.Disposable {
  private readonly address = vscode.commands.registerCommand(ENTER_ADDRESS, enterAddress);
  private readonly questions: Questions;
  private readonly approvals: Approvals;
  private readonly elicitations: Elicitations;
  private readonly sampling: Sampling;
  private readonly tools: EditorTools;
  readonly secrets: Secrets;

  /** `changed` is told when the number of waiting questions changed, `log` what belongs in the log. */
  constructor(context: vscode.ExtensionContext, changed: () => void, log: (line: string) => void) {
    this.tools = new EditorTools(log);
    this.questions = new Questions(changed);
    this.approvals = new Approvals(this.questions);
    this.elicitations = new Elicitations(this.questions, this.approvals);
    this.sampling = new Sampling(context, this.questions, this.approvals);
    this.secrets = new Secrets(context, this.questions);
  }

  /** How many questions wait for the person. */
  get waiting(): number {
    return this.questions.waiting;
  }

  /** Answers the requests of `daemon`, from its start on. */
  answer(daemon: Daemon): void {
    daemon.onRequest(wire.approve, (request, token) => this.approvals.answer(request, token));
    daemon.onRequest(wire.elicit, (request, token) => this.elicitations.answer(request, token));
    daemon.onRequest(wire.sample, (request, token) => this.sampling.answer(request, token));
    daemon.onRequest(wire.secret, (request, token) => this.secrets.get(request, token));
    daemon.onRequest(wire.keepSecret, (kept) => this.secrets.keep(kept));
    daemon.onRequest(wire.openUrl, (page) => openLogin(page));
    daemon.onRequest(wire.editorTools, () => this.tools.list());
    daemon.onRequest(wire.callEditorTool, (call, token) => this.tools.call(call, token));
  }

  /** Follows the daemon: nobody answers the questions of one that has ended. */
  daemonIs(state: DaemonState, daemon: Daemon): void {
    if (state.kind === 'ready') {
      this.tools.tell(() => void daemon.notify(wire.editorToolsChanged, {}));
    } else {
      this.tools.tell(undefined);
      this.questions.withdraw();
    }
  }

  dispose(): void {
    for (const owned of [this.tools, this.approvals, this.questions, this.address]) {
      owned.dispose();
    }
  }
}
