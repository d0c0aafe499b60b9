/** A run as text for the output channel: what it printed, what it returned or why it failed, and what it saved. Pure. */

import { l10n } from 'vscode';
import { duration, whole } from './format';
import type { ProgramError, RunReply, RunStatus, Truncation } from './lsp_ext';
import { callCount, headline } from './receipt';

/** One run, from its title line to the empty line after it. */
export function transcript(name: string, reply: RunReply): string {
  const sections = [
    title(name, reply),
    reply.stdout.trimEnd(),
    reply.stderr.trimEnd(),
    reply.error ? failure(reply.error) : result(reply),
    ...reply.truncated.map(cut),
  ];
  return `${sections.filter((section) => section !== '').join('\n')}\n\n`;
}

/** A run that the user stopped before it answered. */
export function cancelled(name: string): string {
  return `── ${name} · ${statusText('cancelled')}\n\n`;
}

/** How a run ended, in the user's language. */
export function statusText(status: RunStatus): string {
  switch (status) {
    case 'ok':
      return l10n.t('done');
    case 'error':
      return l10n.t('failed');
    case 'limit':
      return l10n.t('ended by a limit');
    case 'denied':
      return l10n.t('denied');
    case 'cancelled':
      return l10n.t('cancelled');
    case 'fault':
      return l10n.t('the daemon failed');
  }
}

function title(name: string, reply: RunReply): string {
  const facts = [name, statusText(reply.status), duration(reply.usage.wall_ms), callCount(reply.calls.length)];
  return `── ${[...facts, ...(reply.tokens ? [headline(reply.tokens)] : [])].join(' · ')}`;
}

function result({ result }: RunReply): string {
  if (result === undefined || result === null) {
    return '';
  }
  return typeof result === 'string' ? result : JSON.stringify(result, null, 2);
}

function failure({ kind, message, line, traceback, hint }: ProgramError): string {
  const place = line === undefined ? '' : l10n.t(' (line {0})', line);
  // A traceback ends with the message already.
  const told = traceback?.includes(message) === true;
  return [traceback?.trimEnd() ?? '', told ? '' : `${kind}: ${message}${place}`, hint === undefined ? '' : `→ ${hint}`]
    .filter((part) => part !== '')
    .join('\n');
}

function cut({ what, kept_bytes, total_bytes, artifact }: Truncation): string {
  const where = artifact === undefined ? '' : l10n.t(', the whole is in {0}', artifact);
  return l10n.t('… {0}: {1} of {2} bytes shown{3}', what, whole(kept_bytes), whole(total_bytes), where);
}
