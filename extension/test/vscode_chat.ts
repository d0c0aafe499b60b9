/** What the units under test need of the editor's chat: parts and messages that carry what they are given. */

export class CancellationError extends Error {}

export class LanguageModelTextPart {
  constructor(readonly value: string) {}
}

export class LanguageModelToolCallPart {
  constructor(
    readonly callId: string,
    readonly name: string,
    readonly input: object,
  ) {}
}

export class LanguageModelToolResultPart {
  constructor(
    readonly callId: string,
    readonly content: unknown[],
  ) {}
}

export class LanguageModelChatMessage {
  readonly content: unknown[];
  constructor(
    readonly role: number,
    content: string | unknown[],
  ) {
    this.content = typeof content === 'string' ? [new LanguageModelTextPart(content)] : content;
  }

  static User(content: string | unknown[]): LanguageModelChatMessage {
    return new LanguageModelChatMessage(1, content);
  }

  static Assistant(content: string | unknown[]): LanguageModelChatMessage {
    return new LanguageModelChatMessage(2, content);
  }
}

export class LanguageModelError extends Error {
  static readonly NoPermissions = { name: 'NoPermissions' };
  static readonly NotFound = { name: 'NotFound' };
  static readonly Blocked = { name: 'Blocked' };
  constructor(
    message: string,
    readonly code: string,
    cause?: Error,
  ) {
    super(message, { cause });
  }
}

export class ChatRequestTurn {
  constructor(
    readonly prompt: string,
    readonly participant: string,
    readonly command?: string,
  ) {}
}

export class ChatResponseMarkdownPart {
  readonly value: { value: string };
  constructor(value: string) {
    this.value = { value };
  }
}

export class ChatResponseTurn {
  constructor(
    readonly response: unknown[],
    readonly result: object,
    readonly participant: string,
  ) {}
}

/** The tools of the editor, and the commands it was given; tests set what they answer. */
export const lm: { tools: unknown[] } = { tools: [] };
export const commands = {
  executeCommand: (..._: unknown[]): Promise<unknown> => Promise.reject(new Error('command not found')),
};
