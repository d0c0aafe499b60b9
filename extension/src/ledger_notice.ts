/** What is wrong with the ledger, told once: whoever looks at the figures should know that they may be too small. */

import { l10n } from 'vscode';
import { oneLine } from './views/untrusted';

/** Shows a warning with a button, and says whether that was pressed. */
export type Warn = (message: string, button: string) => Thenable<string | undefined>;

export class LedgerNotice {
  private told: string | undefined;

  constructor(
    private readonly warn: Warn,
    private readonly details: () => Thenable<unknown>,
  ) {}

  /** The totals came with this problem, or with none. Each is told once, however often it comes. */
  async saw(problem: string | undefined): Promise<void> {
    if (problem === undefined || problem === this.told) {
      return;
    }
    this.told = problem;
    const show = l10n.t('Show Details');
    if ((await this.warn(l10n.t('TTA: {0}', oneLine(problem, 400)), show)) === show) {
      await this.details();
    }
  }
}
