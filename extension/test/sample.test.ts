import assert from 'node:assert/strict';
import test from 'node:test';
import { chosen, within, type Said } from '../src/editor/sample';

const model = (id: string, family: string) => ({ id, family, name: id.toUpperCase(), vendor: 'copilot' });
const MODELS = [model('gpt-5-mini', 'gpt-5'), model('claude-sonnet', 'claude')];

async function* spoken(...parts: string[]): AsyncIterable<string> {
  for (const part of parts) {
    yield await Promise.resolve(part);
  }
}

/** As many tokens as there are pairs of characters. */
const pairs = (text: string): Promise<number> => Promise.resolve(Math.ceil(text.length / 2));

test('the first hint that any model has chooses, and without one the editor does', () => {
  const choose = (...hints: string[]): string | undefined => chosen(MODELS, hints)?.id;
  assert.equal(choose('gemini', 'Claude', 'gpt'), 'claude-sonnet');
  assert.equal(choose('gemini', ''), 'gpt-5-mini');
  assert.equal(chosen(MODELS.slice(0, 0), ['gpt']), undefined);
  const session = { id: 'auto', family: 'auto', name: 'Auto', vendor: 'copilotcli' };
  assert.equal(chosen([session, ...MODELS], ['auto'])?.id, 'gpt-5-mini', 'a session is no model');
});

test('what is said ends at the bound of its tokens, at a text, or by itself', async () => {
  const say = (max_tokens: number, stop: string[], ...parts: string[]): Promise<Said> =>
    within(spoken(...parts), { max_tokens, stop }, pairs);
  assert.deepEqual(await say(10, [], 'abc', 'def'), { text: 'abcdef', stop_reason: 'endTurn' });
  assert.deepEqual(await say(3, [], 'abcd', 'efgh', 'never'), { text: 'abcdef', stop_reason: 'maxTokens' });
  assert.deepEqual(await say(10, ['END'], 'ab E', 'ND c'), { text: 'ab ', stop_reason: 'stopSequence' });
  assert.deepEqual(await say(10, [''], 'ab'), { text: 'ab', stop_reason: 'endTurn' });
});

test('what is never said to the end is not waited for beyond its bound', async () => {
  let parts = 0;
  async function* endless(): AsyncIterable<string> {
    for (;;) {
      parts += 1;
      yield await Promise.resolve('ab');
    }
  }
  const { stop_reason } = await within(endless(), { max_tokens: 50, stop: [] }, pairs);
  assert.deepEqual([stop_reason, parts], ['maxTokens', 50]);
});
