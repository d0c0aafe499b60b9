/**
 * `tta/elicit`: an MCP server asks the person in the middle of a call. The question comes as a notification, which takes
 * no focus; only a yes to it opens the form, field by field, or the page. Everything that the server says is untrusted
 * text. Leaves out what a field's value must be (fields.ts), and who else may be asked, which the daemon knows.
 */

import * as vscode from 'vscode';
import type { ElicitReply, ElicitRequest, Field } from '../lsp_ext';
import type { Approvals } from './approve';
import { isMissing, label, lined, parse, prompt, shown, typed, type Values } from './fields';
import { cut, forNotification, forPick, visible, visibleLines } from './plain';
import type { Questions } from './questions';
import type { Wording } from './wording';

const MOST_MESSAGE = 400;
const MOST_NAME = 60;

const CANCEL: ElicitReply = { action: 'cancel' };
const DECLINE: ElicitReply = { action: 'decline' };

type Form = Extract<ElicitRequest, { mode: 'form' }>;
type Page = Extract<ElicitRequest, { mode: 'url' }>;

export class Elicitations {
  constructor(
    private readonly questions: Questions,
    private readonly approvals: Approvals,
  ) {}

  /** The person's answer. What is closed or withdrawn is neither a yes nor a no. */
  async answer(request: ElicitRequest, token: vscode.CancellationToken): Promise<ElicitReply> {
    return (await this.questions.ask((withdrawn) => this.put(request, withdrawn), token)) ?? CANCEL;
  }

  private async put(request: ElicitRequest, withdrawn: vscode.CancellationToken): Promise<ElicitReply> {
    const words = request.mode === 'url' ? pageWording(request) : formWording(request);
    const reply = await this.approvals.show(words, [], withdrawn);
    if (withdrawn.isCancellationRequested) {
      return CANCEL;
    }
    if (reply.decision === 'deny') {
      return DECLINE;
    }
    return request.mode === 'url' ? this.visit(request, withdrawn) : fill(request, withdrawn);
  }

  /** Opens a page; one that is awaited is answered when the person is done there, unless the server notices before. */
  private async visit(page: Page, withdrawn: vscode.CancellationToken): Promise<ElicitReply> {
    const opened = await openPage(page);
    if (!page.awaited || opened.action !== 'accept') {
      return opened;
    }
    const reply = await this.approvals.show(doneWording(page), [], withdrawn);
    return reply.decision === 'deny' || withdrawn.isCancellationRequested ? CANCEL : opened;
  }
}

function formWording(request: Form): Wording {
  const { server, message, fields } = request;
  const from = forNotification(server, MOST_NAME);
  const said = forNotification(message, MOST_MESSAGE);
  return {
    text: vscode.l10n.t('The MCP server “{0}” asks you ▸ {1} ◂', from, said),
    refuse: vscode.l10n.t('Decline'),
    choices: [
      {
        label: fields.length === 0 ? vscode.l10n.t('Accept') : vscode.l10n.t('Answer…'),
        does: { decision: 'once' },
        afterDetails: fields.length === 0 && cut(visible(message), MOST_MESSAGE).cut,
      },
      { label: vscode.l10n.t('Show Details'), does: 'details' },
    ],
    details: [
      vscode.l10n.t('MCP server: {0}', visible(server)),
      '',
      visibleLines(message),
      '',
      ...fields.map((field) => lined(field)),
    ].join('\n'),
  };
}

function pageWording({ server, message, url }: Page): Wording {
  const from = forNotification(server, MOST_NAME);
  const said = forNotification(message, MOST_MESSAGE);
  const host = forNotification(new URL(url).host, 200);
  return {
    text: vscode.l10n.t('The MCP server “{0}” wants you to open a page of ▸ {1} ◂ It says: {2}', from, host, said),
    refuse: vscode.l10n.t('Decline'),
    choices: [
      { label: vscode.l10n.t('Open Page'), does: { decision: 'once' } },
      { label: vscode.l10n.t('Show Details'), does: 'details' },
    ],
    details: pageDetails(server, message, url),
  };
}

/** Whether the person is done on a page: the notification goes by itself where the server notices. */
function doneWording({ server, message, url }: Page): Wording {
  const from = forNotification(server, MOST_NAME);
  const host = forNotification(new URL(url).host, 200);
  return {
    text: vscode.l10n.t('The MCP server “{0}” waits until you are done on the page of ▸ {1} ◂', from, host),
    refuse: vscode.l10n.t('Cancel'),
    choices: [
      { label: vscode.l10n.t('I Am Done'), does: { decision: 'once' } },
      { label: vscode.l10n.t('Show Details'), does: 'details' },
    ],
    details: pageDetails(server, message, url),
  };
}

function pageDetails(server: string, message: string, url: string): string {
  return [
    vscode.l10n.t('MCP server: {0}', visible(server)),
    vscode.l10n.t('Page: {0}', visible(url)),
    '',
    visibleLines(message),
  ].join('\n');
}

/** The daemon let only web pages through; what else it may be by now is not opened. */
async function openPage({ url }: Page): Promise<ElicitReply> {
  const { protocol } = new URL(url);
  if (protocol !== 'https:' && protocol !== 'http:') {
    return CANCEL;
  }
  // As text, which the editor hands on as it is: a `Uri` would be decoded and encoded anew, and so be another address.
  const opened = await vscode.env.openExternal(url as unknown as vscode.Uri);
  return opened ? { action: 'accept', content: {} } : CANCEL;
}

/** Asks for every field, then shows them all; a form of one field is sent as it is answered. */
async function fill({ server, fields }: Form, token: vscode.CancellationToken): Promise<ElicitReply> {
  const values: Values = new Map();
  for (const [index, field] of fields.entries()) {
    if (!(await ask(server, field, values, token, fields.length > 1 ? [index + 1, fields.length] : undefined))) {
      return CANCEL;
    }
  }
  let at: Field | undefined;
  while (fields.length > 1) {
    const next = await overview(server, fields, values, token, at);
    if (next === undefined) {
      return CANCEL;
    }
    if (next === 'send') {
      break;
    }
    if (next === 'decline') {
      return DECLINE;
    }
    await ask(server, next, values, token, undefined);
    at = next;
  }
  return { action: 'accept', content: Object.fromEntries(values) };
}

type Step = readonly [number, number] | undefined;
type Line = vscode.QuickPickItem & { readonly does: Field | 'send' | 'decline' };

/** Every field with its value, and what becomes of them. */
async function overview(
  server: string,
  fields: readonly Field[],
  values: Values,
  token: vscode.CancellationToken,
  at: Field | undefined,
): Promise<Line['does'] | undefined> {
  const lines: Line[] = [
    ...(fields.some((field) => isMissing(field, values))
      ? []
      : [{ label: `$(check) ${vscode.l10n.t('Send to “{0}”', forPick(server, MOST_NAME))}`, does: 'send' as const }]),
    { label: `$(circle-slash) ${vscode.l10n.t('Decline')}`, does: 'decline' },
    ...fields.map((field) => ({
      label: `$(edit) ${forPick(label(field), 100)}`,
      description: values.has(field.name) ? forPick(shown(field, values.get(field.name)), 200) : '',
      does: field,
    })),
  ];
  const active = lines.filter(({ does }) => does === (at ?? 'send'));
  const options = { title: title(server), placeholder: vscode.l10n.t('Choose a value to change it, or send them') };
  const [line] = (await pick(lines, active, false, options, token)) ?? [];
  return line?.does;
}

/** Asks for one value and keeps it; false where the person closed it. */
async function ask(
  server: string,
  field: Field,
  values: Values,
  token: vscode.CancellationToken,
  step: Step,
): Promise<boolean> {
  const heading = `${title(server)}: ${cut(visible(label(field)), 100).text}${field.required ? ' *' : ''}`;
  const options = {
    title: heading,
    placeholder: prompt(field),
    ...(step ? { step: step[0], totalSteps: step[1] } : {}),
  };
  const answer =
    field.kind.type === 'text' || field.kind.type === 'number'
      ? await write(field, typed(field, values), options, token)
      : await choose(field, values, options, token);
  if (answer === undefined) {
    return false;
  }
  if (answer.value === undefined) {
    values.delete(field.name);
  } else {
    values.set(field.name, answer.value);
  }
  return true;
}

interface Options {
  readonly title: string;
  readonly placeholder: string;
  readonly step?: number;
  readonly totalSteps?: number;
}

type Answer = { readonly value: unknown } | undefined;

function write(field: Field, begun: string, options: Options, token: vscode.CancellationToken): Promise<Answer> {
  const box = vscode.window.createInputBox();
  Object.assign(box, { ...options, placeholder: '', prompt: options.placeholder, value: begun, ignoreFocusOut: true });
  const check = (): Answer => {
    const parsed = parse(field, box.value);
    box.validationMessage = 'problem' in parsed ? parsed.problem : undefined;
    return 'problem' in parsed ? undefined : parsed;
  };
  box.onDidChangeValue(check);
  return until(box, check, token);
}

async function choose(
  field: Field,
  values: Values,
  options: Options,
  token: vscode.CancellationToken,
): Promise<Answer> {
  const { kind } = field;
  const now = values.get(field.name) ?? ('default' in kind ? kind.default : undefined);
  const all =
    kind.type === 'choice' || kind.type === 'choices'
      ? kind.options.map(({ value, title }) => ({ label: forPick(title, 200), value: value }))
      : [true, false].map((value) => ({ label: shown(field, value), value: value }));
  const chosen = all.filter(({ value }) => (Array.isArray(now) ? now.includes(value) : value === now));
  if (kind.type === 'choices') {
    const accepts = (items: readonly { value: unknown }[]): string | undefined => {
      const parsed = parse(
        field,
        items.map(({ value }) => value),
      );
      return 'problem' in parsed ? parsed.problem : undefined;
    };
    const picked = await pick(all, chosen, true, options, token, accepts);
    return picked && { value: picked.length === 0 && !field.required ? undefined : picked.map(({ value }) => value) };
  }
  const none = { label: `$(dash) ${vscode.l10n.t('Leave it out')}`, value: undefined as unknown };
  const [one] = (await pick(field.required ? all : [...all, none], chosen, false, options, token)) ?? [];
  return one && { value: one.value };
}

/** What is picked; undefined where it is closed. `refuses` says what is wrong with a choice of several. */
function pick<T extends vscode.QuickPickItem>(
  items: readonly T[],
  chosen: readonly T[],
  many: boolean,
  options: Options,
  token: vscode.CancellationToken,
  refuses: (items: readonly T[]) => string | undefined = () => undefined,
): Promise<readonly T[] | undefined> {
  const box = vscode.window.createQuickPick<T>();
  Object.assign(box, { ...options, canSelectMany: many, ignoreFocusOut: true, items });
  if (many) {
    box.selectedItems = chosen;
  } else if (chosen.length > 0) {
    box.activeItems = chosen;
  }
  const check = (): readonly T[] | undefined => {
    const refused = refuses(box.selectedItems);
    box.placeholder = refused ?? options.placeholder;
    return refused === undefined && (many || box.selectedItems.length > 0) ? box.selectedItems : undefined;
  };
  return until(box, check, token);
}

/** Shows `box` until `check` takes what it has; undefined where it is closed, or nobody waits any more. */
function until<T>(
  box: vscode.QuickInput & { readonly onDidAccept: vscode.Event<void> },
  check: () => T | undefined,
  token: vscode.CancellationToken,
): Promise<T | undefined> {
  return new Promise((resolve) => {
    const gone = token.onCancellationRequested(() => {
      box.hide();
    });
    box.onDidAccept(() => {
      const taken = check();
      if (taken !== undefined) {
        resolve(taken);
        box.hide();
      }
    });
    box.onDidHide(() => {
      gone.dispose();
      box.dispose();
      resolve(undefined);
    });
    if (token.isCancellationRequested) {
      box.dispose();
      resolve(undefined);
    } else {
      box.show();
    }
  });
}

function title(server: string): string {
  return vscode.l10n.t('For the MCP server “{0}”', cut(visible(server), MOST_NAME).text);
}
