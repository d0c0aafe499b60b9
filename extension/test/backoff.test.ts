import assert from 'node:assert/strict';
import test from 'node:test';
import { CrashLog } from '../src/backoff';

test('pauses grow with each crash, and the fifth within three minutes is the last', () => {
  let now = 0;
  const crashes = new CrashLog(() => now);
  const verdicts = Array.from({ length: 5 }, () => {
    now += 10_000;
    return crashes.crashed();
  });
  assert.deepEqual(verdicts.slice(0, 4), [
    { restartInMs: 250 },
    { restartInMs: 1_000 },
    { restartInMs: 4_000 },
    { restartInMs: 16_000 },
  ]);
  assert.deepEqual(verdicts[4], { giveUp: { crashes: 5, withinMs: 40_000 } });
});

test('crashes that lie three minutes apart never add up', () => {
  let now = 0;
  const crashes = new CrashLog(() => now);
  for (let i = 0; i < 20; i += 1) {
    assert.deepEqual(crashes.crashed(), { restartInMs: 250 });
    now += 180_000;
  }
});

test('four crashes in a window, one that left it, and the next is still restarted', () => {
  let now = 0;
  const crashes = new CrashLog(() => now);
  for (const at of [0, 60_000, 120_000, 179_999]) {
    now = at;
    assert.ok('restartInMs' in crashes.crashed());
  }
  now = 180_001;
  assert.deepEqual(crashes.crashed(), { restartInMs: 16_000 });
});

test('what the user starts again begins afresh', () => {
  const crashes = new CrashLog(() => 0);
  for (let i = 0; i < 5; i += 1) {
    crashes.crashed();
  }
  crashes.forget();
  assert.deepEqual(crashes.crashed(), { restartInMs: 250 });
});
