/**
 * `tta/sample`: an MCP server asks the editor's model in the middle of a call. A person says yes first, once or for that
 * server as it is configured now; then the editor asks for its own leave. What the model says is bounded here, since not
 * every model takes a bound. Leaves out tools for the model, which are not offered.
 */

import * as vscode from 'vscode';
import type { EditorContent, SampleReply, SampleRequest } from '../lsp_ext';
import type { Approvals } from './approve';
import { cut, forNotification, visible, visibleLines } from './plain';
import type { Questions } from './questions';
import type { Wording } from './wording';

/** Hashes of the servers that may ask without asking the person. */
const ALLOWED = 'tta.sampling';
/** Vendors whose models stand for whole agent sessions of the editor's own: as models they say nothing. */
const SESSIONS = new Set(['copilotcli', 'claude-code']);
/** So many are remembered in a workspace; the oldest goes first. */
const MOST = 100;
const MOST_NAME = 60;
const MOST_PROMPT = 300;
const MOST_DETAILS = 20_000;

/** What the model said, and why it stopped. */
export interface Said {
  readonly text: string;
  readonly stop_reason: 'endTurn' | 'maxTokens' | 'stopSequence';
}

export class Sampling {
  constructor(
    private readonly context: vscode.ExtensionContext,
    private readonly questions: Questions,
    private readonly approvals: Approvals,
  ) {}

  /** The model's answer. That there is none, and why, is an error. */
  async answer(request: SampleRequest, token: vscode.CancellationToken): Promise<SampleReply> {
    const messages = messagesOf(request);
    const model = chosen(await vscode.lm.selectChatModels(), request.hints);
    if (!model) {
      throw new Error(vscode.l10n.t('the editor has no language model'));
    }
    if (!(await this.isAllowed(request, model, token))) {
      throw new Error(vscode.l10n.t('the person did not allow it'));
    }
    const stopped = new vscode.CancellationTokenSource();
    const withdrawn = token.onCancellationRequested(() => {
      stopped.cancel();
    });
    try {
      const justification = vscode.l10n.t('The MCP server “{0}” asks it for a program.', visible(request.server));
      const { text } = await model.sendRequest(
        messages,
        { justification, modelOptions: modelOptions(request) },
        stopped.token,
      );
      const said = await within(text, request, (so) => model.countTokens(so));
      if (said.text === '' && said.stop_reason === 'endTurn') {
        throw new Error(vscode.l10n.t('the model {0} said nothing', model.name));
      }
      return { model: `${model.vendor}/${model.id}`, ...said };
    } finally {
      // Also what is still being said beyond the bound.
      stopped.cancel();
      stopped.dispose();
      withdrawn.dispose();
    }
  }

  private async isAllowed(
    request: SampleRequest,
    model: vscode.LanguageModelChat,
    token: vscode.CancellationToken,
  ): Promise<boolean> {
    const allowed = (): readonly string[] => this.context.workspaceState.get<string[]>(ALLOWED, []);
    const key = `${request.server}\n${request.content_hash}`;
    if (allowed().includes(key)) {
      return true;
    }
    const reply = await this.questions.ask(
      async (withdrawn) =>
        // Another question of the same server may have been answered meanwhile.
        allowed().includes(key) ? ONCE : this.approvals.show(wording(request, model), [], withdrawn),
      token,
    );
    if (reply?.decision === 'always') {
      await this.context.workspaceState.update(ALLOWED, [...allowed(), key].slice(-MOST));
    }
    return reply !== undefined && reply.decision !== 'deny';
  }
}

const ONCE = { decision: 'once' } as const;

function wording(request: SampleRequest, { name }: vscode.LanguageModelChat): Wording {
  const { server, messages, system } = request;
  const text = (content: readonly EditorContent[]): string =>
    content.map((part) => (part.type === 'text' ? part.text : `[${part.mime_type}]`)).join('\n');
  const last = messages.at(-1);
  const details = [
    vscode.l10n.t('MCP server: {0}', visible(server)),
    vscode.l10n.t('Model: {0}', visible(name)),
    ...(system === undefined ? [] : ['', visibleLines(system)]),
    ...messages.flatMap(({ assistant, content }) => ['', assistant ? '<<<' : '>>>', visibleLines(text(content))]),
  ];
  return {
    text: vscode.l10n.t(
      'The MCP server “{0}” wants to ask the model {1} ▸ {2} ◂',
      forNotification(server, MOST_NAME),
      forNotification(name, MOST_NAME),
      forNotification(last ? text(last.content) : '', MOST_PROMPT),
    ),
    refuse: vscode.l10n.t('Don’t Allow'),
    choices: [
      { label: vscode.l10n.t('Allow Once'), does: ONCE },
      { label: vscode.l10n.t('Always Allow This Server'), does: { decision: 'always', pattern: 0 } },
      { label: vscode.l10n.t('Show Details'), does: 'details' },
    ],
    details: cut(details.join('\n'), MOST_DETAILS).text,
  };
}

/** The model whose name has the first of the hints that any has; else the editor's first. */
export function chosen<M extends Pick<vscode.LanguageModelChat, 'id' | 'name' | 'family' | 'vendor'>>(
  models: readonly M[],
  hints: readonly string[],
): M | undefined {
  const able = models.filter(({ vendor }) => !SESSIONS.has(vendor));
  for (const hint of hints.map((one) => one.toLowerCase()).filter((one) => one !== '')) {
    const found = able.find(({ id, name, family, vendor }) =>
      [id, name, family, vendor].some((one) => one.toLowerCase().includes(hint)),
    );
    if (found) {
      return found;
    }
  }
  return able[0];
}

/** What is said, up to the tokens and to the texts at which it is to end. */
export async function within(
  text: AsyncIterable<string>,
  { max_tokens, stop }: Pick<SampleRequest, 'max_tokens' | 'stop'>,
  count: (text: string) => Thenable<number>,
): Promise<Said> {
  const longest = Math.max(0, ...stop.map(({ length }) => length));
  let said = '';
  // A token is a character at least, but for signs that few texts are made of: what is shorter is not counted.
  let counted = max_tokens;
  for await (const part of text) {
    const from = Math.max(0, said.length - longest);
    said += part;
    const ends = stop.filter((one) => one !== '').map((one) => said.indexOf(one, from));
    const end = Math.min(...ends.filter((at) => at >= 0));
    if (Number.isFinite(end)) {
      return { text: said.slice(0, end), stop_reason: 'stopSequence' };
    }
    if (said.length >= counted) {
      const tokens = await count(said);
      if (tokens >= max_tokens) {
        const kept = Math.floor((said.length * max_tokens) / Math.max(1, tokens));
        return { text: said.slice(0, kept), stop_reason: 'maxTokens' };
      }
      counted = said.length + (max_tokens - tokens);
    }
  }
  return { text: said, stop_reason: 'endTurn' };
}

/** For the models that know these words. */
function modelOptions({ max_tokens, temperature, stop }: SampleRequest): Record<string, unknown> {
  return { max_tokens, ...(temperature === undefined ? {} : { temperature }), ...(stop.length === 0 ? {} : { stop }) };
}

function messagesOf({ messages, system }: SampleRequest): vscode.LanguageModelChatMessage[] {
  const { LanguageModelChatMessage: Message } = vscode;
  return [
    // The editor's models have no place of their own for it.
    ...(system === undefined ? [] : [Message.User(system)]),
    ...messages.map(({ assistant, content }) => {
      const parts = content.map(partOf) as vscode.LanguageModelTextPart[];
      return assistant ? Message.Assistant(parts) : Message.User(parts);
    }),
  ];
}

/** Newer editors take images. */
interface Images {
  LanguageModelDataPart?: { image(data: Uint8Array, mimeType: string): unknown };
}

function partOf(content: EditorContent): unknown {
  if (content.type === 'text') {
    return new vscode.LanguageModelTextPart(content.text);
  }
  const { LanguageModelDataPart: data } = vscode as Images;
  if (!data) {
    throw new Error(vscode.l10n.t('this editor’s models take no images'));
  }
  return data.image(Buffer.from(content.data, 'base64'), content.mime_type);
}
