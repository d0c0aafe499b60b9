import assert from 'node:assert/strict';
import test from 'node:test';
import { duration, percent, tokens, whole } from '../src/format';

test('tokens are short, signed, and never 1000.0k', () => {
  const cases: [number, string][] = [
    [0, '0'],
    [999, '999'],
    [1_000, '1.0k'],
    [41_234, '41.2k'],
    [999_949, '999.9k'],
    [999_950, '1.0M'],
    [1_250_000, '1.3M'],
    [-1_234, '−1.2k'],
  ];
  assert.deepEqual(
    cases.map(([count]) => tokens(count)),
    cases.map(([, text]) => text),
  );
});

test('whole numbers keep their digits', () => {
  assert.deepEqual([0, 41_234, -1_234_567].map(whole), ['0', '41,234', '−1,234,567']);
});

test('percentages never claim more than there is', () => {
  assert.deepEqual([0, 87.9, 99.99, 0.25, -12.4, -0.4].map(percent), [
    '0 %',
    '87 %',
    '99 %',
    '0.3 %',
    '−12 %',
    '−0.4 %',
  ]);
});

test('durations change their unit as they grow', () => {
  assert.deepEqual([0.94, 41.4, 1_234, 180_000].map(duration), ['0.9 ms', '41 ms', '1.2 s', '3 min']);
});
