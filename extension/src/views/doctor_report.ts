/** The doctor's findings as Markdown: what is wrong first, each with how to mend it. Pure. */

import { l10n } from 'vscode';
import type { Check } from '../lsp_ext';
import { markdown, oneLine } from './untrusted';

/** The report. */
export function doctorReport(checks: readonly Check[]): string {
  const wrong = checks.filter(({ ok }) => !ok);
  const right = checks.filter(({ ok }) => ok);
  const verdict =
    wrong.length === 0
      ? l10n.t('All {0} checks hold.', checks.length)
      : l10n.t('{0} of {1} checks do not hold.', wrong.length, checks.length);
  return [
    `# ${l10n.t('TTA Doctor')}`,
    verdict,
    ...wrong.map(({ name, detail, mend }) =>
      [
        `## ✗ ${markdown(oneLine(name))}`,
        markdown(detail),
        ...(mend === '' ? [] : [`**${l10n.t('To mend it')}:** ${markdown(mend)}`]),
      ].join('\n\n'),
    ),
    ...(right.length === 0 ? [] : [`## ${l10n.t('What holds')}`, table(right)]),
  ].join('\n\n');
}

function table(checks: readonly Check[]): string {
  const rows = checks.map(({ name, detail }) => `| ✓ ${markdown(oneLine(name))} | ${markdown(oneLine(detail, 400))} |`);
  return [`| ${l10n.t('check')} | ${l10n.t('seen')} |`, '|:--|:--|', ...rows].join('\n');
}
