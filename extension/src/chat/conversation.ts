/**
 * What a model is sent: the instructions, the turns before, and the present turn. It always fits: what is oldest goes first,
 * whole turns of the past, then answers of tools. Leaves out what the parts say.
 */

import * as vscode from 'vscode';

type Message = vscode.LanguageModelChatMessage;

/** The part of a model that counts. */
export type Counter = Pick<vscode.LanguageModelChat, 'countTokens' | 'maxInputTokens'>;

/** Stands where a tool's answer was. The model reads it, so it says what to do. */
export const LEFT_OUT = '[left out: too long for your context. Let a program return less.]';

/** What a provider may add to each message when it writes it down. */
const TOKENS_PER_MESSAGE = 8;
/** The counting of a provider may differ from its model's. */
const SHARE = 0.95;

/** Thrown where the present turn alone is more than the model takes. */
export class TooLong extends Error {
  constructor(readonly maxInputTokens: number) {
    super(`more than ${maxInputTokens} tokens`);
  }
}

export class Conversation {
  private readonly past: Message[][];
  private readonly present: Message[];
  private readonly counts = new Map<string, number>();

  constructor(
    private readonly instructions: string,
    past: readonly (readonly Message[])[],
    question: Message,
    /** The definitions of the tools, as they are sent. */
    private readonly definitions: string,
  ) {
    this.past = past.map((turn) => [...turn]);
    this.present = [question];
  }

  /** Adds what was said last. */
  add(...messages: readonly Message[]): void {
    this.present.push(...messages);
  }

  /** All that is sent next, in at most the tokens that the model takes. What was dropped for it stays dropped. */
  async fit(model: Counter): Promise<Message[]> {
    const first = vscode.LanguageModelChatMessage.User(this.instructions);
    for (;;) {
      const messages = [first, ...this.past.flat(), ...this.present];
      if (await this.fits(messages, model)) {
        return messages;
      }
      if (this.past.shift() === undefined && !this.shorten()) {
        throw new TooLong(model.maxInputTokens);
      }
    }
  }

  private async fits(messages: readonly Message[], model: Counter): Promise<boolean> {
    const limit = model.maxInputTokens * SHARE - TOKENS_PER_MESSAGE * messages.length;
    const texts = [this.definitions, ...messages.map(textOf)];
    // No text has more tokens than bytes: what is short enough by its bytes is not counted.
    if (sum(texts.map((text) => Buffer.byteLength(text))) <= limit) {
      return true;
    }
    return sum(await Promise.all(texts.map((text) => this.count(text, model)))) <= limit;
  }

  /** A provider that cannot count leaves us with an estimate on the safe side. */
  private async count(text: string, model: Counter): Promise<number> {
    const known = this.counts.get(text);
    if (known !== undefined) {
      return known;
    }
    const estimate = Math.ceil(Buffer.byteLength(text) / 3);
    const counted = await Promise.resolve(model.countTokens(text)).catch(() => estimate);
    this.counts.set(text, counted);
    return counted;
  }

  /** Leaves out the oldest answer of a tool that still stands; false where there is none. */
  private shorten(): boolean {
    for (const [index, message] of this.present.entries()) {
      const parts = [...message.content];
      const oldest = parts.findIndex((part) => isAnswer(part) && textOfPart(part) !== LEFT_OUT);
      const part = parts[oldest];
      if (isAnswer(part)) {
        parts[oldest] = new vscode.LanguageModelToolResultPart(part.callId, [
          new vscode.LanguageModelTextPart(LEFT_OUT),
        ]);
        this.present[index] = new vscode.LanguageModelChatMessage(message.role, parts);
        return true;
      }
    }
    return false;
  }
}

function isAnswer(part: unknown): part is vscode.LanguageModelToolResultPart {
  return part instanceof vscode.LanguageModelToolResultPart;
}

function textOf({ content }: Message): string {
  return content.map(textOfPart).join('\n');
}

/** The text of a part of a message, or of a tool's answer. */
export function textOfPart(part: unknown): string {
  if (part instanceof vscode.LanguageModelTextPart) {
    return part.value;
  }
  if (part instanceof vscode.LanguageModelToolCallPart) {
    return `${part.name} ${JSON.stringify(part.input)}`;
  }
  return isAnswer(part) ? part.content.map(textOfPart).join('\n') : JSON.stringify(part);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
