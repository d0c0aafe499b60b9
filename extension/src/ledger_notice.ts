/** What is wrong with the ledger, told once: whoever looks at the figures should know that they may be too small. */

import { l10n } from 'vscode';
import { ledgerText } from './ledger_text';

/** Shows a warning with a button, and says whether that was pressed. */
export type Warn = (message: string, button: string) => Thenable<string | undefined>;

/** Where one problem ends and the next begins. */
const NEXT = /; (?=the ledger )/;
/** Problems that are remembered as told. */
const TOLD_MAX = 20;

export class LedgerNotice {
  private readonly told: string[] = [];

  constructor(
    private readonly warn: Warn,
    private readonly details: () => Thenable<unknown>,
  ) {}

  /**
   * The totals came with this problem, or with several, or with none. Each is told once, however often it comes, and though
   * more is said at its end once it is known what could be saved.
   */
  async saw(problem: string | undefined): Promise<void> {
    const news = (problem?.split(NEXT) ?? []).filter((one) => !this.told.some((known) => one.startsWith(known)));
    if (news.length === 0) {
      return;
    }
    this.told.push(...news);
    this.told.splice(0, this.told.length - TOLD_MAX);
    const show = l10n.t('Show Details');
    if ((await this.warn(l10n.t('TTA: {0}', ledgerText(news.join('; '), 400)), show)) === show) {
      await this.details();
    }
  }
}
