/**
 * The turns before, as the model is told of them again. The editor keeps the prompts and the answers; what was called in
 * between is kept beside each answer, cut short. What comes back from there may be another version's: it is read with care.
 */

import * as vscode from 'vscode';
import { cut } from '../views/untrusted';
import type { Call, Ending } from './loop';

/** The last calls of a turn are remembered. */
const MOST_CALLS = 8;
/** Characters of each text of a call's input, and of its answer. */
const MOST_INPUT = 4_000;
const MOST_ANSWER = 2_000;
const MOST_DEPTH = 4;

/** What is kept beside an answer. */
export interface Kept {
  /** Absent where the turn failed or was cancelled. */
  readonly ending?: Ending;
  readonly calls: readonly Call[];
}

/** What to keep of a turn. */
export function keep(calls: readonly Call[], ending?: Ending): Kept {
  const kept = calls.slice(-MOST_CALLS).map((call) => ({
    ...call,
    input: shortened(call.input, MOST_DEPTH) as object,
    answer: cut(call.answer, MOST_ANSWER),
  }));
  return { calls: kept, ...(ending === undefined ? {} : { ending }) };
}

/** What was kept, as far as it can be read. */
export function keptIn(metadata: unknown): Kept {
  const { ending, calls } = record(metadata);
  const read = (Array.isArray(calls) ? (calls as unknown[]) : []).flatMap(readCall);
  return {
    calls: read,
    ...(ending === 'answered' || ending === 'rounds' ? { ending } : {}),
  };
}

/** The messages of each turn of `participant`, the oldest first. Turns that no model saw are none. */
export function pastTurns(
  history: vscode.ChatContext['history'],
  participant: string,
): vscode.LanguageModelChatMessage[][] {
  const turns: vscode.LanguageModelChatMessage[][] = [];
  let asked: string | undefined;
  for (const turn of history.filter((one) => one.participant === participant)) {
    if (turn instanceof vscode.ChatRequestTurn) {
      asked = turn.command === undefined && turn.prompt.trim() !== '' ? turn.prompt : undefined;
    } else if (asked !== undefined) {
      turns.push(again(asked, turn, turns.length));
      asked = undefined;
    }
  }
  return turns;
}

function again(asked: string, { response, result }: vscode.ChatResponseTurn, turn: number) {
  const messages = [vscode.LanguageModelChatMessage.User(asked)];
  const { calls } = keptIn(result.metadata);
  for (const [index, { name, input, answer }] of calls.entries()) {
    const id = `past_${turn}_${index}`;
    messages.push(
      vscode.LanguageModelChatMessage.Assistant([new vscode.LanguageModelToolCallPart(id, name, input)]),
      vscode.LanguageModelChatMessage.User([
        new vscode.LanguageModelToolResultPart(id, [new vscode.LanguageModelTextPart(answer)]),
      ]),
    );
  }
  const texts = response.flatMap((part) => (part instanceof vscode.ChatResponseMarkdownPart ? [part.value.value] : []));
  const text = texts.length > 0 ? texts.join('\n\n') : (result.errorDetails?.message ?? '(no answer)');
  messages.push(vscode.LanguageModelChatMessage.Assistant(text));
  return messages;
}

/** A value of an input with its texts cut; what is nested too deep is left out. */
function shortened(value: unknown, depth: number): unknown {
  if (typeof value === 'string') {
    return cut(value, MOST_INPUT);
  }
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  if (depth === 0) {
    return '…';
  }
  return Array.isArray(value)
    ? value.slice(0, 20).map((item) => shortened(item, depth - 1))
    : Object.fromEntries(
        Object.entries(value)
          .slice(0, 20)
          .map(([name, item]) => [name, shortened(item, depth - 1)]),
      );
}

function readCall(value: unknown): Call[] {
  const { name, input, answer, fromMs, toMs } = record(value);
  return typeof name === 'string' && typeof answer === 'string' && typeof input === 'object' && input !== null
    ? [{ name, input, answer, fromMs: Number(fromMs), toMs: Number(toMs) }]
    : [];
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
