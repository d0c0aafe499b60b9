/**
 * What stands in the page beside its markup, and what the page and the editor say to each other. Whoever hands the page out
 * puts {@link PageData} as JSON into its element `data`, every `<` in it written as `\u003c`.
 */

import type { CallRow, ExplainRequest, Explanation, ReportRequest, RunId, SavingsReport } from '../lsp_ext';

/** What is known when the page opens. */
export interface PageData {
  /** The report, in a page that asks nobody. */
  readonly report?: SavingsReport;
  /** The calls of the runs in it. */
  readonly calls?: Readonly<Record<RunId, readonly CallRow[]>>;
  /** How their figures came about. */
  readonly explained?: Readonly<Record<RunId, Explanation>>;
  /** The reader's language; the browser's where absent. */
  readonly language?: string;
  /** The texts in it, by the English ones. */
  readonly texts?: Readonly<Record<string, string>>;
}

/** What the page asks of the editor, which answers with the same number. */
export type Question =
  | { readonly what: 'report'; readonly request: ReportRequest }
  | { readonly what: 'calls'; readonly run_id: RunId }
  | { readonly what: 'explain'; readonly request: ExplainRequest };

/** From the page to the editor. */
export type ToEditor = (Question & { readonly ask: number }) | { readonly open: 'receipt'; readonly run_id: RunId };

/** From the editor to the page. */
export type ToPage =
  | { readonly answer: number; readonly value: unknown }
  | { readonly answer: number; readonly error: string }
  /** Something was counted. */
  | { readonly changed: true }
  /** Whether there is a daemon that could be asked. */
  | { readonly connected: boolean };
