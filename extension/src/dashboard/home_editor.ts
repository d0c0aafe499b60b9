/** The page in the editor's webview: asks by messages, and keeps what is looked at in the webview's own state. */

import type { CallRow, Explanation, ReportRequest, RunId, SavingsReport } from '../lsp_ext';
import type { Address, Home, Listener } from './home';
import type { Question, ToEditor, ToPage } from './protocol';

/** What the editor gives a webview, once. */
export interface EditorApi {
  postMessage(message: ToEditor): void;
  getState(): unknown;
  setState(state: unknown): void;
}

const STEPS_MAX = 50;

export class EditorHome implements Home {
  readonly asks = true;
  readonly address: Address;
  private readonly open = new Map<number, PromiseWithResolvers>();
  private asked = 0;
  private listener: Listener | undefined;

  constructor(private readonly api: EditorApi) {
    this.address = new WebviewAddress(api);
    window.addEventListener('message', ({ data }: MessageEvent<ToPage>) => {
      this.hear(data);
    });
  }

  report(request: ReportRequest): Promise<SavingsReport> {
    return this.ask({ what: 'report', request });
  }

  calls(run: RunId): Promise<readonly CallRow[]> {
    return this.ask({ what: 'calls', run_id: run });
  }

  explain(run: RunId, model?: string): Promise<Explanation> {
    return this.ask({ what: 'explain', request: { run_id: run, ...(model === undefined ? {} : { model }) } });
  }

  openReceipt(run: RunId): void {
    this.api.postMessage({ open: 'receipt', run_id: run });
  }

  follow(listener: Listener): void {
    this.listener = listener;
  }

  private ask<T>(question: Question): Promise<T> {
    this.asked += 1;
    const ask = this.asked;
    return new Promise<unknown>((resolve, reject) => {
      this.open.set(ask, { resolve, reject });
      this.api.postMessage({ ...question, ask });
    }) as Promise<T>;
  }

  private hear(message: ToPage): void {
    if ('changed' in message) {
      this.listener?.changed();
    } else if ('connected' in message) {
      this.listener?.connected(message.connected);
    } else {
      const asked = this.open.get(message.answer);
      this.open.delete(message.answer);
      if ('error' in message) {
        asked?.reject(new Error(message.error));
      } else {
        asked?.resolve(message.value);
      }
    }
  }
}

interface PromiseWithResolvers {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** A webview has no address and no buttons to go back: both are kept here. */
class WebviewAddress implements Address {
  private readonly steps: string[];
  private moved: () => void = () => undefined;

  constructor(private readonly api: EditorApi) {
    const kept = (api.getState() as { steps?: unknown } | undefined)?.steps;
    this.steps = Array.isArray(kept) && kept.length > 0 ? kept.map(String) : [''];
  }

  fragment(): string {
    return this.steps.at(-1) ?? '';
  }

  go(fragment: string, how: 'step' | 'replace'): void {
    if (how === 'replace') {
      this.steps.pop();
    }
    this.steps.push(fragment);
    this.steps.splice(0, this.steps.length - STEPS_MAX);
    this.api.setState({ steps: this.steps });
  }

  back(): void {
    if (this.canGoBack()) {
      this.steps.pop();
      this.api.setState({ steps: this.steps });
      this.moved();
    }
  }

  canGoBack(): boolean {
    return this.steps.length > 1;
  }

  onMoved(moved: () => void): void {
    this.moved = moved;
  }
}
