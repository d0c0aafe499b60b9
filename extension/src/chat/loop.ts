/**
 * The agent's loop: the model is asked, the calls it makes are carried out, it is asked again with their answers, until it
 * makes none. Bounded in rounds and in calls of a round; ends at once when its token is cancelled; a call that fails is an
 * answer like any other. Calls nothing that the model was not offered.
 */

import * as vscode from 'vscode';
import { unlessCancelled, untilCancelled } from './cancel';
import { textOfPart, type Conversation, type Counter } from './conversation';

/** How often the model may ask for tools before it is stopped. */
export const MOST_ROUNDS = 15;
/** How many calls of one round are carried out. */
export const MOST_CALLS = 8;

/** Whom the loop speaks to. */
export interface Parties {
  readonly model: Counter & Pick<vscode.LanguageModelChat, 'sendRequest'>;
  readonly tools: readonly vscode.LanguageModelChatTool[];
  /** Shows text of the model's as it comes. */
  readonly say: (text: string) => void;
  readonly invoke: (name: string, input: object) => PromiseLike<{ readonly content: readonly unknown[] }>;
  readonly token: vscode.CancellationToken;
}

/** A call that was carried out. */
export interface Call {
  readonly name: string;
  readonly input: object;
  readonly answer: string;
  readonly fromMs: number;
  readonly toMs: number;
}

/** Why the loop ended: the model had its say, or made calls for too many rounds. */
export type Ending = 'answered' | 'rounds';

/** Runs the loop. The calls are put into `made` as they are carried out, so that a failure does not lose them. */
export async function converse(parties: Parties, conversation: Conversation, made: Call[]): Promise<Ending> {
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const { text, calls } = await ask(parties, conversation);
    if (calls.length === 0) {
      return 'answered';
    }
    const said = text === '' ? [] : [new vscode.LanguageModelTextPart(text)];
    const answers: vscode.LanguageModelToolResultPart[] = [];
    for (const [index, call] of calls.entries()) {
      answers.push(index < MOST_CALLS ? await carryOut(parties, call, made) : tooMany(call));
    }
    conversation.add(
      vscode.LanguageModelChatMessage.Assistant([...said, ...calls]),
      vscode.LanguageModelChatMessage.User(answers),
    );
  }
  return 'rounds';
}

async function ask(
  { model, tools, say, token }: Parties,
  conversation: Conversation,
): Promise<{ text: string; calls: vscode.LanguageModelToolCallPart[] }> {
  const messages = await unlessCancelled(conversation.fit(model), token);
  const { stream } = await unlessCancelled(model.sendRequest(messages, { tools: [...tools] }, token), token);
  const calls: vscode.LanguageModelToolCallPart[] = [];
  let text = '';
  for await (const part of untilCancelled(stream, token)) {
    if (part instanceof vscode.LanguageModelTextPart) {
      text += part.value;
      say(part.value);
    } else if (part instanceof vscode.LanguageModelToolCallPart) {
      calls.push(part);
    }
  }
  return { text, calls };
}

async function carryOut(
  parties: Parties,
  call: vscode.LanguageModelToolCallPart,
  made: Call[],
): Promise<vscode.LanguageModelToolResultPart> {
  const fromMs = Date.now();
  const content = await answerTo(parties, call);
  const answer = content.map(textOfPart).join('\n');
  made.push({ name: call.name, input: call.input, answer, fromMs, toMs: Date.now() });
  return new vscode.LanguageModelToolResultPart(call.callId, content);
}

async function answerTo(
  { tools, invoke, token }: Parties,
  { name, input }: vscode.LanguageModelToolCallPart,
): Promise<unknown[]> {
  if (!tools.some((tool) => tool.name === name)) {
    return said(`There is no tool ${name}: there are ${tools.map((tool) => tool.name).join(', ')}.`);
  }
  try {
    const { content } = await unlessCancelled(invoke(name, input), token);
    return content.map(passedOn);
  } catch (error) {
    if (token.isCancellationRequested) {
      throw error;
    }
    return error instanceof vscode.CancellationError
      ? said('The person declined this call. Do not repeat it: go on without, or ask what to do instead.')
      : said(`The call failed: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Every call needs an answer, one that was not carried out too. */
function tooMany({ callId }: vscode.LanguageModelToolCallPart): vscode.LanguageModelToolResultPart {
  const why = `Not carried out: at most ${MOST_CALLS} calls at a time. Write one program instead.`;
  return new vscode.LanguageModelToolResultPart(callId, said(why));
}

function said(text: string): unknown[] {
  return [new vscode.LanguageModelTextPart(text)];
}

/** Text and the editor's own elements go to the model as they are; bytes, which not every model takes, by their name. */
function passedOn(part: unknown): unknown {
  const { mimeType } = typeof part === 'object' && part !== null && 'mimeType' in part ? part : {};
  return typeof mimeType === 'string' ? new vscode.LanguageModelTextPart(`[${mimeType} left out]`) : part;
}
