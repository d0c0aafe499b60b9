/** Where the page is at home: whom it asks, how it hears of changes, and where it keeps what is looked at. */

import type { CallRow, Explanation, ReportRequest, RunId, SavingsReport } from '../lsp_ext';

/** What the page needs of the place that it is shown in. Every promise fails with a message fit for people. */
export interface Home {
  /** Whether another period or narrowing can be asked for; else there is one report, and it does not change. */
  readonly asks: boolean;
  report(request: ReportRequest): Promise<SavingsReport>;
  calls(run: RunId): Promise<readonly CallRow[]>;
  /** How a run's figures were computed; absent where nobody can say. */
  explain?(run: RunId, model?: string): Promise<Explanation>;
  /** Opens what the editor knows of a run; absent elsewhere. */
  openReceipt?(run: RunId): void;
  /** Tells of changes from now on, and whether there is somebody to ask. */
  follow(listener: Listener): void;
  readonly address: Address;
}

/** Who hears of changes. */
export interface Listener {
  changed(): void;
  connected(yes: boolean): void;
}

/** The place of the view: a fragment, and the way back. */
export interface Address {
  fragment(): string;
  /** A step that can be taken back, or one that only moves on. */
  go(fragment: string, how: 'step' | 'replace'): void;
  back(): void;
  canGoBack(): boolean;
  /** Told when the person went back or on. */
  onMoved(moved: () => void): void;
}

/** Why something could not be had, and whether the page's key was refused. */
export class Refused extends Error {
  constructor(
    message: string,
    readonly status: number,
  ) {
    super(message);
  }
}
