/**
 * The page at the daemon's own address. The key comes in the fragment, `#token=…`, goes out of the address at once, and is
 * sent with every request; it is kept for this tab alone, so that the page can be loaded again.
 */

import * as l10n from '@vscode/l10n';
import type { CallRow, Explanation, ReportRequest, RunId, SavingsReport } from '../lsp_ext';
import { BrowserAddress } from './address';
import { Refused, type Home, type Listener } from './home';
import { toQuery } from './view';

const KEPT = 'tta.token';
const RETRY_FIRST_MS = 500;
const RETRY_MOST_MS = 10_000;

/** Takes the key out of the address, or what was kept of it. */
export function takeToken(): string | undefined {
  const words = new URLSearchParams(location.hash.replace(/^#/, ''));
  const token = words.get('token');
  if (token === null) {
    return sessionStorage.getItem(KEPT) ?? undefined;
  }
  words.delete('token');
  const rest = words.toString();
  history.replaceState(null, '', location.pathname + (rest === '' ? '' : `#${rest}`));
  // The first figures need not wait until the browser has opened its storage.
  setTimeout(() => {
    sessionStorage.setItem(KEPT, token);
  });
  return token;
}

export class HttpHome implements Home {
  readonly asks = true;
  readonly address = new BrowserAddress();

  constructor(private readonly token: string | undefined) {}

  report(request: ReportRequest): Promise<SavingsReport> {
    return this.json(`/api/report?${toQuery(request)}`);
  }

  calls(run: RunId): Promise<readonly CallRow[]> {
    return this.json(`/api/run/calls?run_id=${encodeURIComponent(run)}`);
  }

  explain(run: RunId, model?: string): Promise<Explanation> {
    const words = new URLSearchParams({ run_id: run, ...(model === undefined ? {} : { model }) });
    return this.json(`/api/run/explain?${words.toString()}`);
  }

  follow(listener: Listener): void {
    void this.listen(listener);
  }

  private async json<T>(path: string): Promise<T> {
    return (await (await this.get(path)).json()) as T;
  }

  private async get(path: string): Promise<Response> {
    const headers = this.token === undefined ? {} : { authorization: `Bearer ${this.token}` };
    const answer = await fetch(path, { headers, cache: 'no-store' }).catch(() => {
      throw new Refused(l10n.t('The daemon does not answer. It may have ended.'), 0);
    });
    if (answer.ok) {
      return answer;
    }
    const words =
      answer.status === 401 ? l10n.t('The key of this page is missing or old.') : (await answer.text()).trim();
    throw new Refused(words || `HTTP ${answer.status}`, answer.status);
  }

  /** Follows the daemon's events for ever: each is a reason to look again, and their end a reason to ask for them anew. */
  private async listen(listener: Listener): Promise<void> {
    for (let pauseMs = RETRY_FIRST_MS; ; pauseMs = Math.min(2 * pauseMs, RETRY_MOST_MS)) {
      try {
        const { body } = await this.get('/api/events');
        listener.connected(true);
        pauseMs = RETRY_FIRST_MS;
        await read(body, listener);
      } catch (error) {
        if (error instanceof Refused && error.status === 401) {
          listener.connected(false);
          return;
        }
      }
      listener.connected(false);
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
}

/** Reads a stream of events until it ends. What an event says does not matter; comments keep the line open. */
async function read(body: ReadableStream<Uint8Array> | null, listener: Listener): Promise<void> {
  const reader = body?.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>).getReader();
  for (let rest = ''; reader;) {
    const { done, value } = await reader.read();
    if (done) {
      return;
    }
    const lines = (rest + value).split('\n');
    rest = lines.pop() ?? '';
    if (lines.some((line) => line.startsWith('data:'))) {
      listener.changed();
    }
  }
}
