import assert from 'node:assert/strict';
import test from 'node:test';
import * as vscode from 'vscode';
import { Conversation, LEFT_OUT, textOfPart, TooLong } from '../src/chat/conversation';
import { converse, MOST_CALLS, MOST_ROUNDS, type Call, type Parties } from '../src/chat/loop';

type Message = vscode.LanguageModelChatMessage;

const User = (value: string) => vscode.LanguageModelChatMessage.User(value);
const text = (value: string) => new vscode.LanguageModelTextPart(value);
const call = (id: string, name = 'run_code', input = {}) => new vscode.LanguageModelToolCallPart(id, name, input);
const textsOf = (messages: readonly Message[] = []) => messages.map(({ content }) => content.map(textOfPart).join('|'));

/** A model that answers each request with the next of `answers`, the last one for ever; and what it was asked. */
function scripted(answers: unknown[][], changes: Partial<Parties & { maxInputTokens: number }> = {}) {
  const asked: Message[][] = [];
  const said: string[] = [];
  const invoked: string[] = [];
  const source = new vscode.CancellationTokenSource();
  let counted = 0;
  const parties: Parties = {
    model: {
      maxInputTokens: changes.maxInputTokens ?? 100_000,
      countTokens: (what) => {
        counted += 1;
        return Promise.resolve(typeof what === 'string' ? what.length : NaN);
      },
      sendRequest: (messages) => {
        const parts = answers[Math.min(asked.length, answers.length - 1)] ?? [];
        asked.push(messages);
        return Promise.resolve({ stream: streamOf(parts), text: streamOf([]) as AsyncIterable<string> });
      },
    },
    tools: [{ name: 'run_code', description: '' }],
    say: (value) => said.push(value),
    invoke: (name) => {
      invoked.push(name);
      return Promise.resolve({ content: [text(`answer ${invoked.length}`)] });
    },
    token: source.token,
    ...changes,
  };
  return { parties, asked, said, invoked, source, counted: () => counted };
}

async function* streamOf(parts: unknown[]) {
  for (const part of parts) {
    yield await Promise.resolve(part);
  }
}

const conversation = (past: Message[][] = []) => new Conversation('instructions', past, User('question'), '[]');

test('text is shown as it comes, calls are carried out, and their answers go back', async () => {
  const { parties, asked, said, invoked } = scripted([[text('Let me '), text('look.'), call('1')], [text('Done.')]]);
  const made: Call[] = [];
  assert.equal(await converse(parties, conversation(), made), 'answered');
  assert.deepEqual([said, invoked], [['Let me ', 'look.', 'Done.'], ['run_code']]);
  assert.deepEqual(textsOf(asked[1]), ['instructions', 'question', 'Let me look.|run_code {}', 'answer 1']);
  assert.deepEqual(
    made.map(({ name, answer }) => [name, answer]),
    [['run_code', 'answer 1']],
  );
});

test('a model that never stops calling is stopped after the last round', async () => {
  const { parties, asked, invoked } = scripted([[call('1')]]);
  assert.equal(await converse(parties, conversation(), []), 'rounds');
  assert.deepEqual([asked.length, invoked.length], [MOST_ROUNDS, MOST_ROUNDS]);
});

test('of too many calls at once the rest is answered without being carried out', async () => {
  const calls = Array.from({ length: MOST_CALLS + 2 }, (_, index) => call(`${index}`));
  const { parties, asked, invoked } = scripted([calls, [text('Done.')]]);
  await converse(parties, conversation(), []);
  assert.equal(invoked.length, MOST_CALLS);
  const answers = asked[1]?.at(-1)?.content ?? [];
  assert.equal(answers.length, calls.length);
  assert.match(textOfPart(answers.at(-1)), /at most 8 calls/);
});

test('a tool that was not offered is not called, and one that fails or is declined is an answer', async () => {
  const failures: Error[] = [new Error('disk full'), new vscode.CancellationError()];
  const { parties, asked, invoked } = scripted([[call('1', 'delete_all'), call('2'), call('3')], [text('Well.')]], {
    invoke: (name) => {
      invoked.push(name);
      return Promise.reject(failures[invoked.length - 1] ?? new Error());
    },
  });
  await converse(parties, conversation(), []);
  assert.deepEqual(invoked, ['run_code', 'run_code']);
  const [unknown, failed, declined] = (asked[1]?.at(-1)?.content ?? []).map(textOfPart);
  assert.match(unknown ?? '', /no tool delete_all: there are run_code/);
  assert.match(failed ?? '', /failed: disk full/);
  assert.match(declined ?? '', /declined/);
});

test('bytes in an answer are named, not sent', async () => {
  const image = { data: new Uint8Array(3), mimeType: 'image/png' };
  const { parties, asked } = scripted([[call('1')], [text('A picture.')]], {
    invoke: () => Promise.resolve({ content: [image, text('and words')] }),
  });
  await converse(parties, conversation(), []);
  assert.equal(textsOf(asked[1]).at(-1), '[image/png left out]\nand words');
});

test('a cancelled token ends the loop at once, though the model or the tool goes on', async () => {
  const never = new Promise<never>(() => undefined);
  const stuck = { [Symbol.asyncIterator]: () => ({ next: () => never }) };
  const ways: Partial<Parties>[] = [
    { model: { ...scripted([]).parties.model, sendRequest: () => never } },
    { model: { ...scripted([]).parties.model, sendRequest: () => Promise.resolve({ stream: stuck, text: stuck }) } },
    { invoke: () => never },
  ];
  for (const way of ways) {
    const { parties, source, asked } = scripted([[call('1')]], way);
    const made: Call[] = [];
    const ended = converse(parties, conversation(), made);
    await new Promise((resolve) => setImmediate(resolve));
    source.cancel();
    await assert.rejects(ended, vscode.CancellationError);
    assert.deepEqual([made, asked.length], [[], way.invoke ? 1 : 0]);
  }
});

test('a cancelled token asks no model', async () => {
  const { parties, source, asked } = scripted([[text('Hello')]]);
  source.cancel();
  await assert.rejects(converse(parties, conversation(), []), vscode.CancellationError);
  assert.equal(asked.length, 0);
});

test('what is surely short enough is not counted', async () => {
  const { parties, counted } = scripted([[text('Hi.')]]);
  await converse(parties, conversation([[User('before')]]), []);
  assert.equal(counted(), 0);
});

test('old turns go first, the oldest before the others', async () => {
  const past = ['a', 'b', 'c'].map((letter) => [User(letter.repeat(400))]);
  const { parties, asked } = scripted([[text('Hi.')]], { maxInputTokens: 1_000 });
  await converse(parties, conversation(past), []);
  assert.deepEqual(
    textsOf(asked[0]).map((one) => one[0]),
    ['i', 'b', 'c', 'q'],
  );
});

test('then the oldest answers of tools go, and the turn goes on', async () => {
  const { parties, asked } = scripted([[call('1')], [call('2')], [text('Done.')]], {
    maxInputTokens: 1_000,
    invoke: () => Promise.resolve({ content: [text('x'.repeat(700))] }),
  });
  assert.equal(await converse(parties, conversation(), []), 'answered');
  const [, , , first, , second] = textsOf(asked[2]);
  assert.deepEqual([first, second?.length], [LEFT_OUT, 700]);
});

test('a question that is too long by itself is refused with the number', async () => {
  const long = new Conversation('instructions', [], User('x'.repeat(2_000)), '[]');
  const { parties, asked } = scripted([[text('Hi.')]], { maxInputTokens: 1_000 });
  await assert.rejects(
    converse(parties, long, []),
    (error) => error instanceof TooLong && error.maxInputTokens === 1_000,
  );
  assert.equal(asked.length, 0);
});
