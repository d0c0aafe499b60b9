import assert from 'node:assert/strict';
import test from 'node:test';
import { cut, forNotification, forPick, visible, visibleLines } from '../src/editor/plain';

test('what would act instead of being read is written as an escape', () => {
  assert.equal(visible('rm\u202e fr\u200b\u{e0041}'), 'rm\\u{202e} fr\\u{200b}\\u{e0041}');
  assert.equal(visible('a\nb\tc\r\u001b[31m\u2028'), 'a\\nb\\tc\\r\\u{1b}[31m\\u{2028}');
  assert.equal(visible('naïve 日本 😀'), 'naïve 日本 😀');
  assert.equal(visibleLines('a\n\tb\u2066'), 'a\n\tb\\u{2066}');
});

test('no link comes of a notification’s text, and no icon of a pick’s', () => {
  const LINK = /\[[^\]]+\]\((https?:\/\/|command:|file:)/;
  assert.doesNotMatch(forNotification('[Allow](command:evil) [b]](http://x)', 500), LINK);
  assert.equal(forPick('$(pass) safe', 500), '\\$(pass) safe');
});

test('a text is cut at its length, and says so', () => {
  assert.deepEqual(cut('abc', 3), { text: 'abc', cut: false });
  assert.deepEqual(cut('abcd', 3), { text: 'abc…', cut: true });
  assert.ok(forNotification('x'.repeat(10_000), 100).length <= 101);
});
