import assert from 'node:assert/strict';
import test from 'node:test';
import { CancellationTokenSource } from 'vscode';
import { Questions } from '../src/editor/questions';

/** A question that is answered from outside, and the order in which questions were shown. */
function asker() {
  const questions = new Questions(() => undefined);
  const shown: string[] = [];
  const answers = new Map<string, (answer: string) => void>();
  const ask = (name: string, source = new CancellationTokenSource()): Promise<string | undefined> =>
    questions.ask(
      (withdrawn) =>
        new Promise<string | undefined>((resolve) => {
          shown.push(name);
          answers.set(name, resolve);
          withdrawn.onCancellationRequested(() => {
            resolve(undefined);
          });
        }),
      source.token,
    );
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  return { questions, shown, answers, ask, turn };
}

test('questions come one after the other, in their order', async () => {
  const { questions, shown, answers, ask, turn } = asker();
  const both = [ask('first'), ask('second')];
  await turn();
  assert.deepEqual([shown, questions.waiting], [['first'], 2]);
  answers.get('first')?.('yes');
  await turn();
  assert.deepEqual(shown, ['first', 'second']);
  answers.get('second')?.('no');
  assert.deepEqual(await Promise.all(both), ['yes', 'no']);
  assert.equal(questions.waiting, 0);
});

test('a question that is withdrawn while it waits is never shown, and the next one is', async () => {
  const { shown, answers, ask, turn } = asker();
  const source = new CancellationTokenSource();
  const all = [ask('first'), ask('withdrawn', source), ask('last')];
  source.cancel();
  await turn();
  answers.get('first')?.('yes');
  await turn();
  answers.get('last')?.('yes');
  assert.deepEqual(await Promise.all(all), ['yes', undefined, 'yes']);
  assert.deepEqual(shown, ['first', 'last']);
});

test('the questions of a daemon that ended go with it, and later ones are asked', async () => {
  const { questions, answers, ask, turn } = asker();
  const gone = [ask('shown'), ask('waiting')];
  await turn();
  questions.withdraw();
  assert.deepEqual(await Promise.all(gone), [undefined, undefined]);
  const next = ask('next');
  await turn();
  answers.get('next')?.('yes');
  assert.equal(await next, 'yes');
});

test('a question that cannot be shown does not hold up the next', async () => {
  const { questions, answers, ask, turn } = asker();
  const broken = questions.ask(() => Promise.reject(new Error('no window')), new CancellationTokenSource().token);
  const next = ask('next');
  await assert.rejects(broken, /no window/);
  await turn();
  answers.get('next')?.('yes');
  assert.equal(await next, 'yes');
});

test('more than a hundred questions are not asked', async () => {
  const { questions, ask } = asker();
  const waiting = Array.from({ length: 100 }, (_, index) => ask(`q${index}`));
  assert.equal(await ask('one too many'), undefined);
  questions.withdraw();
  await Promise.all(waiting);
});
