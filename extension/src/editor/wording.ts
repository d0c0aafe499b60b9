/**
 * How an approval is asked for: the sentence, the choices, and the whole of it as a document. Everything that a
 * workspace, a server or a program wrote goes through plain.ts. Pure.
 */

import { l10n } from 'vscode';
import type { ApprovalReply, ApprovalRequest } from '../lsp_ext';
import { cut, forNotification, visible, visibleLines } from './plain';

/** A notification holds 1,000 characters, links included. */
const MOST_TARGET = 420;
const MOST_ARGUMENTS = 220;
const MOST_REASON = 120;
const MOST_NAME = 60;

/** What a choice does: an answer, or something more to look at first. */
export type Does = ApprovalReply | 'patterns' | 'details';

/** One way to answer. */
export interface Choice {
  readonly label: string;
  readonly does: Does;
  /** Only offered to a person who opened the details: the question does not show all that it is about. */
  readonly afterDetails?: boolean;
}

/** A question as it is shown. */
export interface Wording {
  readonly text: string;
  /** What refuses; also what Escape and a closed question mean. */
  readonly refuse: string;
  readonly choices: readonly Choice[];
  readonly details: string;
}

/** The words for `request`; `place` names a file as the person knows it. */
export function wording(request: ApprovalRequest, place: (file: string) => string): Wording {
  return request.kind === 'server' ? serverWording(request, place) : callWording(request);
}

type ServerRequest = Extract<ApprovalRequest, { kind: 'server' }>;
type CallRequest = Extract<ApprovalRequest, { kind: 'call' }>;

function serverWording(request: ServerRequest, place: (file: string) => string): Wording {
  const server = forNotification(request.server, MOST_NAME);
  const target = forNotification(request.target, MOST_TARGET);
  const where = l10n.t('{0}, line {1}', forNotification(place(request.source.file), 120), request.source.line);
  const afterDetails = cut(visible(request.target), MOST_TARGET).cut;
  const text =
    request.transport === 'stdio'
      ? l10n.t('Start the MCP server “{0}”? This workspace makes it run ▸ {1} ◂ ({2})', server, target, where)
      : l10n.t('Connect to the MCP server “{0}”? This workspace sends data to ▸ {1} ◂ ({2})', server, target, where);
  return {
    text,
    refuse: l10n.t('Don’t Allow'),
    choices: [
      { label: l10n.t('Allow'), does: { decision: 'always', pattern: 0 }, afterDetails },
      { label: l10n.t('Allow Once'), does: { decision: 'once' }, afterDetails },
      { label: l10n.t('Show Details'), does: 'details' },
    ],
    details: [
      l10n.t('MCP server: {0}', visible(request.server)),
      l10n.t('Configured in: {0}, line {1}', visible(request.source.file), request.source.line),
      l10n.t('Transport: {0}', visible(request.transport)),
      l10n.t('Hash of its configuration: {0}', visible(request.content_hash)),
      '',
      visibleLines(request.target),
    ].join('\n'),
  };
}

function callWording(request: CallRequest): Wording {
  const tool = `${forNotification(request.server, MOST_NAME)}.${forNotification(request.tool, MOST_NAME)}`;
  const program = forNotification(request.label, MOST_NAME);
  const from = request.line === undefined ? program : l10n.t('{0}, line {1}', program, request.line);
  const args = forNotification(request.arguments, MOST_ARGUMENTS);
  return {
    text: l10n.t('{0} calls {1} ▸ {2} ◂ {3}', from, tool, args, forNotification(request.reason, MOST_REASON)),
    refuse: l10n.t('Deny'),
    choices: [
      { label: l10n.t('Allow'), does: { decision: 'once' } },
      { label: l10n.t('Allow for This Run'), does: { decision: 'run' } },
      ...(request.patterns.length === 0 ? [] : [{ label: l10n.t('Always…'), does: 'patterns' as const }]),
      { label: l10n.t('Show Details'), does: 'details' },
    ],
    details: [
      l10n.t('Tool: {0} of the MCP server {1}', visible(request.tool), visible(request.server)),
      l10n.t('Program: {0}', visible(request.label)),
      ...(request.line === undefined ? [] : [l10n.t('Line: {0}', request.line)]),
      l10n.t('Why it is asked: {0}', visible(request.reason)),
      '',
      visibleLines(indented(request.arguments)),
    ].join('\n'),
  };
}

/** JSON over several lines; arguments that were cut are no JSON any more and stay as they are. */
function indented(json: string): string {
  try {
    return JSON.stringify(JSON.parse(json), null, 2);
  } catch {
    return json;
  }
}
