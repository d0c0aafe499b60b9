/** The page as a file of its own: one report that stands in it, nobody to ask. */

import * as l10n from '@vscode/l10n';
import type { CallRow, Explanation, RunId, SavingsReport } from '../lsp_ext';
import { BrowserAddress } from './address';
import type { Home } from './home';
import type { PageData } from './protocol';

export class FileHome implements Home {
  readonly asks = false;
  readonly address = new BrowserAddress();

  constructor(
    private readonly data: PageData,
    private readonly only: SavingsReport,
  ) {}

  report(): Promise<SavingsReport> {
    return Promise.resolve(this.only);
  }

  calls(run: RunId): Promise<readonly CallRow[]> {
    const found = this.data.calls?.[run];
    const why = l10n.t('This file holds the sums alone. Its calls are in the ledger it was made from.');
    return found ? Promise.resolve(found) : Promise.reject(new Error(why));
  }

  explain(run: RunId): Promise<Explanation> {
    const found = this.data.explained?.[run];
    const why = l10n.t('This file does not hold how it was computed.');
    return found ? Promise.resolve(found) : Promise.reject(new Error(why));
  }

  follow(): void {
    // Nothing changes in a file.
  }
}
