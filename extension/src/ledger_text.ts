/** What is wrong with the ledger, as it is shown: on one line, and its folder, a long one, only once. Pure. */

import { oneLine } from './views/untrusted';

const FOLDER = /the ledger (.+?[\\/])ledger\.db\b/;

/** The problem cut to `most` characters. Files beside the ledger stand there by their names. */
export function ledgerText(problem: string, most: number): string {
  const folder = FOLDER.exec(problem)?.[1];
  if (folder === undefined) {
    return oneLine(problem, most);
  }
  const [before = '', ...after] = problem.split(folder);
  return oneLine(`${before}${folder}${after.join('')}`, most);
}
