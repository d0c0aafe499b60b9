import assert from 'node:assert/strict';
import test from 'node:test';
import { Refused, type Address, type Home, type Listener } from '../src/dashboard/home';
import { Store, type State } from '../src/dashboard/store';
import type { CallRow, ReportRequest, SavingsReport } from '../src/lsp_ext';

/** A home whose answers are given by hand. */
class ByHand implements Home {
  readonly asks = true;
  readonly asked: { request: ReportRequest; answer: (of: number) => void; refuse: (error: Error) => void }[] = [];
  readonly steps: string[] = [''];
  listener: Listener | undefined;
  private moved: () => void = () => undefined;
  readonly address: Address = {
    fragment: () => this.steps.at(-1) ?? '',
    go: (fragment, how) => {
      this.steps.splice(how === 'replace' ? this.steps.length - 1 : this.steps.length, 1, fragment);
    },
    back: () => {
      this.steps.pop();
      this.moved();
    },
    canGoBack: () => this.steps.length > 1,
    onMoved: (moved) => {
      this.moved = moved;
    },
  };

  report(request: ReportRequest): Promise<SavingsReport> {
    return new Promise((resolve, reject) => {
      const answer = (at_ms: number): void => {
        resolve({ at_ms } as SavingsReport);
      };
      this.asked.push({ request, answer, refuse: reject });
    });
  }

  calls(run: string): Promise<CallRow[]> {
    return Promise.resolve([{ run_id: run } as CallRow]);
  }

  follow(listener: Listener): void {
    this.listener = listener;
  }
}

/** A store over it, and the states that it came to. */
function started(): { home: ByHand; store: Store; last: () => State; settle: () => Promise<void> } {
  const home = new ByHand();
  const store = new Store(home, () => 9);
  const states: State[] = [];
  void store.ask();
  store.start((state) => states.push(state));
  const last = (): State => {
    const state = states.at(-1);
    assert.ok(state);
    return state;
  };
  return { home, store, last, settle: () => new Promise((resolve) => setImmediate(resolve)) };
}

test('an answer to an older view is dropped', async () => {
  const { home, store, last, settle } = started();
  store.go({ only: { server: 'fs' } }, 'step');
  home.asked[1]?.answer(2);
  await settle();
  home.asked[0]?.answer(1);
  await settle();
  assert.equal(last().report?.at_ms, 2);
  assert.deepEqual(home.asked[1]?.request.only, { server: 'fs' });
  assert.equal(last().busy, false);
});

test('a failure leaves the figures that were there, and another try mends it', async () => {
  const { home, store, last, settle } = started();
  home.asked[0]?.answer(1);
  await settle();
  store.retry();
  home.asked[1]?.refuse(new Refused('locked', 401));
  await settle();
  assert.deepEqual([last().report?.at_ms, last().failure], [1, { message: 'locked', locked: true }]);
  store.retry();
  home.asked[2]?.answer(3);
  await settle();
  assert.deepEqual([last().report?.at_ms, last().failure, last().freshMs], [3, undefined, 9]);
});

test('a run is opened with its calls, and left by the way back', async () => {
  const { home, store, last, settle } = started();
  home.asked[0]?.answer(1);
  await settle();
  store.go({ run: 'r1' }, 'step');
  home.asked[1]?.answer(1);
  await settle();
  assert.deepEqual(last().calls, [{ run_id: 'r1' }]);
  store.home.address.back();
  assert.deepEqual([last().view.run, last().calls], [undefined, undefined]);
});

test('many changes are one reason to look again', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { home, settle } = started();
  home.listener?.changed();
  assert.equal(home.asked.length, 1, 'not while a look is under way');
  home.asked[0]?.answer(1);
  await settle();
  home.listener?.changed();
  home.listener?.changed();
  t.mock.timers.tick(1_000);
  assert.equal(home.asked.length, 2);
});

test('a daemon that comes back is asked anew', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { home, last, settle } = started();
  home.asked[0]?.answer(1);
  await settle();
  home.listener?.connected(false);
  assert.equal(last().connected, false);
  home.listener?.connected(true);
  t.mock.timers.tick(1_000);
  assert.deepEqual([last().connected, home.asked.length], [true, 2]);
});
