/**
 * Call a Tool: server, tool, then its parameters as a list that is the form, for the keyboard alone. Choosing a parameter
 * asks for its value and says at once what is wrong with it; what is required is asked for first. The answer opens in a tab.
 */

import * as vscode from 'vscode';
import type { Ctx } from '../ctx';
import { beginning, changed, expectation, missing, parse, typed, type Values } from '../form';
import type { CallReply, ToolInfo } from '../lsp_ext';
import type { Parts } from '../parts';
import { parametersOf, type Parameter } from '../schema';
import type { ServersNode } from '../views/servers_model';
import { iconless, oneLine } from '../views/untrusted';
import * as wire from '../wire';
import { chosen } from './servers';

/** What is called. */
interface Target {
  readonly server: string;
  readonly tool: ToolInfo;
}

/** Calls one tool with what a form asks for. The subject is a tool or a server of the tree, or a server's name. */
export async function callTool(ctx: Ctx, subject: unknown, parts: Parts): Promise<void> {
  const target = await targetOf(ctx, subject, parts);
  if (!target) {
    return;
  }
  const fields = parametersOf(target.tool.input_schema);
  let values = beginning(fields, parts.lastArguments(target.server, target.tool.name));
  let trouble: string | undefined;
  for (;;) {
    const filled = await fill(target, fields, values, trouble);
    if (!filled) {
      return;
    }
    values = filled;
    parts.remember(target.server, target.tool.name, values);
    const reply = await call(ctx, target, values);
    if (!reply) {
      return;
    }
    if (reply.error?.kind !== 'arguments') {
      return show(target, reply, parts);
    }
    trouble = reply.error.message;
  }
}

async function targetOf(ctx: Ctx, subject: unknown, parts: Parts): Promise<Target | undefined> {
  const node = subject as ServersNode | undefined;
  if (typeof node === 'object' && node.kind === 'tool') {
    return { server: node.server, tool: node.tool };
  }
  const usable = new Set(['stopped', 'starting', 'ready', 'degraded', 'failed', 'unapproved']);
  const title = vscode.l10n.t('Call a tool of which server?');
  const server = await chosen(ctx, subject, parts, title, ({ state }) => usable.has(state));
  if (server === undefined) {
    return undefined;
  }
  const items = parts.servers.toolsOf(server).then((tools) =>
    tools.map((tool) => ({
      label: `$(${tool.destructive ? 'flame' : 'symbol-method'}) ${iconless(tool.name)}`,
      description: tool.read_only ? vscode.l10n.t('changes nothing') : '',
      detail: iconless(oneLine(tool.description ?? '', 300)),
      tool,
    })),
  );
  const picked = await vscode.window.showQuickPick(items, {
    title: vscode.l10n.t('Call which tool of {0}?', server),
    matchOnDetail: true,
  });
  return picked && { server, tool: picked.tool };
}

/** Asks for what is required and missing, then shows all; undefined where the person gave up. */
async function fill(
  target: Target,
  fields: readonly Parameter[],
  begun: Values,
  trouble: string | undefined,
): Promise<Values | undefined> {
  let values = begun;
  for (const field of missing(fields, values)) {
    const answer = await ask(target, field, undefined);
    if (!answer) {
      break;
    }
    values = changed(values, field.name, answer.value);
  }
  let at: string | undefined;
  for (;;) {
    const next = await overview(target, fields, values, trouble, at);
    if (next === undefined || next === 'call') {
      return next && values;
    }
    const answer = await ask(target, next, values[next.name]);
    if (answer) {
      values = changed(values, next.name, answer.value);
    }
    at = next.name;
  }
}

type Line = vscode.QuickPickItem & { readonly field?: Parameter };

/** The form: every parameter with its value, and the line that calls. */
async function overview(
  { server, tool }: Target,
  fields: readonly Parameter[],
  values: Values,
  trouble: string | undefined,
  at: string | undefined,
): Promise<Parameter | 'call' | undefined> {
  const lacking = missing(fields, values);
  const lines: Line[] = [
    lacking.length === 0
      ? { label: `$(play) ${vscode.l10n.t('Call {0}', `${server}.${tool.name}`)}`, detail: iconless(trouble ?? '') }
      : {
          label: `$(circle-slash) ${vscode.l10n.t('Cannot be called yet')}`,
          detail: vscode.l10n.t('Missing: {0}', lacking.map(({ name }) => name).join(', ')),
        },
    ...(fields.length === 0 ? [] : [{ label: vscode.l10n.t('Parameters'), kind: vscode.QuickPickItemKind.Separator }]),
    ...fields.map((field) => fieldLine(field, values)),
  ];
  const pick = vscode.window.createQuickPick<Line>();
  pick.title = `${server}.${tool.name}`;
  pick.placeholder = trouble ?? vscode.l10n.t('Choose a parameter to change it, or call the tool');
  pick.matchOnDescription = true;
  pick.ignoreFocusOut = true;
  pick.items = lines;
  const active = lines.find(({ field }) => field !== undefined && field.name === at && lacking.length > 0);
  pick.activeItems = active ? [active] : lines.slice(0, 1);
  const line = await new Promise<Line | undefined>((resolve) => {
    pick.onDidAccept(() => {
      const [chosenLine] = pick.selectedItems;
      if (chosenLine?.field || lacking.length === 0) {
        resolve(chosenLine);
        pick.hide();
      }
    });
    pick.onDidHide(() => {
      resolve(undefined);
      pick.dispose();
    });
    pick.show();
  });
  return line && (line.field ?? 'call');
}

function fieldLine(field: Parameter, values: Values): Line {
  const { name, required, doc, type } = field;
  const given = Object.hasOwn(values, name);
  const icon = given ? 'check' : required ? 'error' : 'dash';
  const value = given ? oneLine(JSON.stringify(values[name]), 120) : oneLine(type, 80);
  return {
    label: `$(${icon}) ${iconless(name)}${required ? ' *' : ''}`,
    description: iconless(value),
    ...(doc === '' ? {} : { detail: iconless(oneLine(doc, 300)) }),
    field,
  };
}

/** Asks for one value; undefined where the question was left, a value of undefined where it is to be left out. */
function ask(target: Target, field: Parameter, now: unknown): Promise<{ value: unknown } | undefined> {
  return field.kind === 'choice' || field.kind === 'boolean' ? choose(target, field, now) : write(target, field, now);
}

async function choose({ tool }: Target, field: Parameter, now: unknown): Promise<{ value: unknown } | undefined> {
  const options = field.kind === 'boolean' ? [true, false] : (field.options ?? []);
  const items = options.map((value) => ({
    label: iconless(String(value)),
    description: value === (now ?? field.default) ? vscode.l10n.t('as it is') : '',
    value: value,
  }));
  const none = { label: `$(dash) ${vscode.l10n.t('Leave it out')}`, description: '', value: undefined };
  return vscode.window.showQuickPick(field.required ? items : [...items, none], {
    title: titleOf(tool, field),
    placeHolder: oneLine(field.doc, 200) || expectation(field),
    ignoreFocusOut: true,
  });
}

async function write({ tool }: Target, field: Parameter, now: unknown): Promise<{ value: unknown } | undefined> {
  const { required, doc } = field;
  // An empty text is a value where a text is required, and no value otherwise.
  const leavesOut = (text: string): boolean => text === '' && !(required && field.kind === 'text');
  const text = await vscode.window.showInputBox({
    title: titleOf(tool, field),
    value: typed(field, now ?? (required ? field.default : undefined)),
    placeHolder:
      field.default === undefined
        ? expectation(field)
        : vscode.l10n.t('as the tool does: {0}', typed(field, field.default)),
    prompt: [oneLine(doc, 300), expectation(field)].filter((part) => part !== '').join(' — '),
    ignoreFocusOut: true,
    validateInput: (value) => {
      if (leavesOut(value)) {
        return required ? vscode.l10n.t('{0} is required.', field.name) : undefined;
      }
      const parsed = parse(field, value);
      return 'problem' in parsed ? parsed.problem : undefined;
    },
  });
  if (text === undefined) {
    return undefined;
  }
  const parsed = leavesOut(text) ? { value: undefined } : parse(field, text);
  return 'value' in parsed ? parsed : undefined;
}

function titleOf(tool: ToolInfo, { name, required }: Parameter): string {
  return `${tool.name}: ${name}${required ? ' *' : ''}`;
}

/** Makes the call under a notification that can cancel it; undefined where the person did. */
function call(ctx: Ctx, { server, tool }: Target, values: Values): Thenable<CallReply | undefined> {
  const title = vscode.l10n.t('Calling {0}', `${server}.${tool.name}`);
  return vscode.window.withProgress(
    { location: vscode.ProgressLocation.Notification, title, cancellable: true },
    async (_, token) => {
      try {
        return await ctx.request(wire.call, { server, tool: tool.name, arguments: { ...values } }, token);
      } catch (error) {
        if (token.isCancellationRequested) {
          return undefined;
        }
        throw error;
      }
    },
  );
}

async function show({ server, tool }: Target, { value, error }: CallReply, { documents }: Parts): Promise<void> {
  if (error) {
    throw new Error(
      [`${server}.${tool.name}: ${error.message}`, ...(error.hint === undefined ? [] : [error.hint])].join(' '),
    );
  }
  await documents.showAnswer(`${server}.${tool.name}.json`, JSON.stringify(value ?? null, null, 2));
}
