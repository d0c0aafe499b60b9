/** What the tree of servers shows: servers, their problems, their tools, and each tool's parameters. Pure. */

import { l10n } from 'vscode';
import { whole } from '../format';
import type { Problem, ServerState, ServerStatus, Severity, ToolInfo } from '../lsp_ext';
import { parametersOf, type Parameter } from '../schema';
import { signature } from '../skeleton';
import type { Row } from './row';
import { codeBlock, cut, markdown, oneLine } from './untrusted';

/** One line of the tree. */
export type ServersNode =
  | { readonly kind: 'server'; server: ServerStatus }
  | { readonly kind: 'problem'; readonly server: string; readonly index: number; readonly problem: Problem }
  | { readonly kind: 'list'; readonly server: string }
  | { readonly kind: 'message'; readonly server: string; readonly text: string; readonly failed: boolean }
  | { readonly kind: 'tool'; readonly server: string; readonly tool: ToolInfo }
  | { readonly kind: 'parameter'; readonly id: string; readonly parameter: Parameter };

/** Each state's codicon, with its colour. */
const ICONS: Readonly<Record<ServerState, readonly [name: string, color?: string]>> = {
  untrusted: ['workspace-untrusted'],
  unapproved: ['question', 'list.warningForeground'],
  disabled: ['circle-slash', 'disabledForeground'],
  stopped: ['circle-outline'],
  starting: ['loading~spin'],
  ready: ['pass', 'testing.iconPassed'],
  degraded: ['warning', 'list.warningForeground'],
  failed: ['error', 'list.errorForeground'],
  quarantined: ['stop-circle', 'list.errorForeground'],
};

const SEVERITIES: Readonly<Record<Severity, readonly [name: string, color: string]>> = {
  error: ['error', 'list.errorForeground'],
  warning: ['warning', 'list.warningForeground'],
  info: ['info', 'descriptionForeground'],
};

/** A state's codicon without its colour. */
export function stateIcon(state: ServerState): string {
  return ICONS[state][0];
}

/** A state in the user's language. */
export function stateText(state: ServerState): string {
  switch (state) {
    case 'untrusted':
      return l10n.t('not trusted');
    case 'unapproved':
      return l10n.t('asks before it starts');
    case 'disabled':
      return l10n.t('switched off');
    case 'stopped':
      return l10n.t('starts when needed');
    case 'starting':
      return l10n.t('starting');
    case 'ready':
      return l10n.t('ready');
    case 'degraded':
      return l10n.t('leaves calls without an answer');
    case 'failed':
      return l10n.t('failed');
    case 'quarantined':
      return l10n.t('crashes: waits for a restart');
  }
}

/** Whether a person may log in to it. */
export function isRemote({ transport, source }: ServerStatus): boolean {
  return transport !== 'stdio' && source.scope !== 'editor';
}

/** “ready · 12 tools · 1,834 tokens”, with what is known. */
export function serverFacts({ state, tools, definition_tokens: tokens, problems }: ServerStatus): string {
  return [
    stateText(state),
    ...(tools === undefined ? [] : [tools === 1 ? l10n.t('1 tool') : l10n.t('{0} tools', whole(tools))]),
    ...(tokens === undefined ? [] : [l10n.t('{0} tokens', whole(tokens))]),
    ...troubles(problems),
  ].join(' · ');
}

/** “ready”, “failed · 1 problem”. */
export function stateFacts({ state, problems }: ServerStatus): string {
  return [stateText(state), ...troubles(problems)].join(' · ');
}

function troubles(problems: readonly Problem[]): string[] {
  const trouble = problems.filter(({ severity }) => severity !== 'info').length;
  return trouble === 0 ? [] : [trouble === 1 ? l10n.t('1 problem') : l10n.t('{0} problems', whole(trouble))];
}

/** Whether the server's tools can be asked for without starting what was never started. */
export function toolsKnown({ state, tools }: ServerStatus): boolean {
  return state === 'ready' || state === 'degraded' || (tools !== undefined && tools > 0);
}

/** What stands below a server before its tools: what is wrong with it, and the way to its tools where they are unknown. */
export function besideTools(server: ServerStatus): ServersNode[] {
  const { name, state, problems, last_error: error } = server;
  return [
    ...problems.map((problem, index) => ({ kind: 'problem', server: name, index, problem }) as const),
    ...(error === undefined ? [] : [message(name, error, true)]),
    ...(toolsKnown(server) ? [] : [unlisted(name, state)]),
  ];
}

/** A line that only says something. */
export function message(server: string, text: string, failed = false): ServersNode {
  return { kind: 'message', server, text, failed };
}

function unlisted(server: string, state: ServerState): ServersNode {
  switch (state) {
    case 'untrusted':
      return message(server, l10n.t('Starts once the workspace is trusted.'));
    case 'disabled':
      return message(server, l10n.t('Its configuration switches it off.'));
    case 'starting':
      return message(server, l10n.t('Its tools are listed once it has started.'));
    case 'quarantined':
      return message(server, l10n.t('It crashed too often and is not started again until you restart it.'));
    default:
      return { kind: 'list', server };
  }
}

/** What stands below a tool or a parameter. */
export function parameterNodes(node: ServersNode): ServersNode[] {
  if (node.kind === 'tool') {
    const id = `${node.server}\n${node.tool.name}`;
    return parametersOf(node.tool.input_schema).map((one) => parameterNode(id, one));
  }
  return node.kind === 'parameter' ? node.parameter.children.map((one) => parameterNode(node.id, one)) : [];
}

function parameterNode(parent: string, parameter: Parameter): ServersNode {
  return { kind: 'parameter', id: `${parent}\n${parameter.name}`, parameter };
}

/** The line of a node. */
export function serversRow(node: ServersNode): Row {
  switch (node.kind) {
    case 'server':
      return serverRow(node.server);
    case 'problem':
      return problemRow(node.server, node.index, node.problem);
    case 'list':
      return {
        id: `list\n${node.server}`,
        label: l10n.t('List its tools'),
        description: l10n.t('starts the server'),
        icon: ['play'],
        command: 'tta.startServer',
      };
    case 'message':
      return {
        id: `message\n${node.server}\n${node.text}`,
        label: oneLine(node.text),
        icon: node.failed ? SEVERITIES.error : ['info'],
        tooltip: markdown(node.text),
        ...(node.failed ? { command: 'tta.showLog' } : {}),
      };
    case 'tool':
      return toolRow(node.server, node.tool);
    case 'parameter':
      return parameterRow(node.id, node.parameter);
  }
}

function serverRow(server: ServerStatus): Row {
  return {
    id: `server\n${server.name}`,
    label: oneLine(server.name, 80),
    description: serverFacts(server),
    icon: ICONS[server.state],
    tooltip: serverTooltip(server),
    context: `server.${server.state}${isRemote(server) ? '.remote' : ''}`,
    children: 'closed',
  };
}

function serverTooltip(server: ServerStatus): string {
  const { name, identifier, target, transport, source, last_error: error } = server;
  return [
    `**${markdown(name)}** ${markdown(serverFacts(server))}`,
    `${transport}: ${markdown(target, 500)}`,
    l10n.t('In programs: {0}', markdown(`from servers import ${identifier}`)),
    l10n.t('Configured in {0}, line {1}', markdown(source.file), source.line),
    ...(error === undefined ? [] : [l10n.t('Failed: {0}', markdown(error, 500))]),
  ].join('\n\n');
}

function problemRow(server: string, index: number, problem: Problem): Row {
  const { message: what, hint, file, line, severity } = problem;
  return {
    id: `problem\n${server}\n${index}`,
    label: oneLine(what),
    description: l10n.t('line {0}', line),
    icon: SEVERITIES[severity],
    tooltip: [markdown(what), markdown(hint), markdown(`${file}:${line}`)].join('\n\n'),
    command: 'tta.openConfiguration',
  };
}

function toolRow(server: string, tool: ToolInfo): Row {
  const nature = tool.destructive ? l10n.t('may destroy') : tool.read_only ? l10n.t('changes nothing') : undefined;
  return {
    id: `tool\n${server}\n${tool.name}`,
    label: oneLine(tool.name, 80),
    description: oneLine(tool.title ?? tool.description ?? '', 120),
    icon: tool.destructive ? ['flame', 'list.warningForeground'] : ['symbol-method', 'symbolIcon.methodForeground'],
    tooltip: [
      `**${markdown(tool.title ?? tool.name)}**${nature === undefined ? '' : ` · ${l10n.t('the server says: {0}', nature)}`}`,
      markdown(tool.description ?? '', 1_000),
      codeBlock(signature('python', tool), 'python'),
    ].join('\n\n'),
    context: 'tool',
    ...(parametersOf(tool.input_schema).length > 0 ? { children: 'closed' as const } : {}),
  };
}

function parameterRow(id: string, parameter: Parameter): Row {
  const { name, type, required, doc, default: value, children } = parameter;
  const facts = [
    cut(oneLine(type), 60),
    ...(required ? [l10n.t('required')] : []),
    ...(value === undefined ? [] : [`= ${oneLine(JSON.stringify(value), 40)}`]),
  ];
  return {
    id: `parameter\n${id}`,
    label: oneLine(name, 80),
    description: `${facts.join(' · ')}${doc === '' ? '' : ` — ${oneLine(doc, 120)}`}`,
    icon: ['symbol-parameter'],
    tooltip: [`**${markdown(name)}** ${markdown(type, 500)}`, ...(doc === '' ? [] : [markdown(doc)])].join('\n\n'),
    ...(children.length > 0 ? { children: 'closed' as const } : {}),
  };
}
