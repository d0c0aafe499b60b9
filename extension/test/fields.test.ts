import assert from 'node:assert/strict';
import test from 'node:test';
import { isMissing, lined, parse, shown, typed } from '../src/editor/fields';
import type { Field, FieldKind } from '../src/lsp_ext';

const field = (kind: FieldKind, required = true): Field => ({ name: 'f', required, kind });
const COLOURS: FieldKind = {
  type: 'choices',
  options: [
    { value: 'r', title: 'Red' },
    { value: 'g', title: 'Green' },
  ],
  default: ['g'],
  most: 1,
};

test('what is typed becomes the value of the field, or is refused in words', () => {
  const text: FieldKind = { type: 'text', least: 2, most: 3 };
  const cases: [Field, unknown, unknown][] = [
    [field(text), 'ab', { value: 'ab' }],
    [field(text), 'a', { problem: 'At least 2 characters, not 1.' }],
    [field(text), 'abcd', { problem: 'At most 3 characters, not 4.' }],
    [field(text), '', { problem: 'f is required.' }],
    [field(text, false), '', { value: undefined }],
    [field({ type: 'text', format: 'email' }), 'a@b.c', { value: 'a@b.c' }],
    [field({ type: 'text', format: 'email' }), 'a b@c', { problem: 'an e-mail address' }],
    [field({ type: 'text', format: 'date' }), '2026-02-30', { value: '2026-02-30' }],
    [field({ type: 'text', format: 'date' }), '2026-13-01', { problem: 'a date such as 2026-01-31' }],
    [field({ type: 'text', format: 'date-time' }), '2026-01-31T12:00:00Z', { value: '2026-01-31T12:00:00Z' }],
    [
      field({ type: 'text', format: 'date-time' }),
      '2026-01-31',
      { problem: 'date and time such as 2026-01-31T12:00:00Z' },
    ],
    [field({ type: 'text', format: 'uri' }), 'mailto:x', { value: 'mailto:x' }],
    [field({ type: 'text', format: 'uri' }), '//x', { problem: 'an address such as https://host/path' }],
    [field({ type: 'number', whole: true }), '7', { value: 7 }],
    [field({ type: 'number', whole: true }), '7.5', { problem: '“7.5” is not a whole number.' }],
    [field({ type: 'number', whole: false, most: 2 }), '2.5', { problem: 'At most 2, not 2.5.' }],
    [field(COLOURS), ['r'], { value: ['r'] }],
    [field(COLOURS), ['r', 'g'], { problem: 'Choose at most 1.' }],
    [field(COLOURS), [], { problem: 'Choose at least 1.' }],
    [field(COLOURS, false), [], { value: undefined }],
  ];
  for (const [of, given, expected] of cases) {
    assert.deepEqual(parse(of, given), expected, JSON.stringify([of.kind, given]));
  }
});

test('a form begins with its defaults, and cannot be sent without what is required', () => {
  const name = field({ type: 'text', default: 'Ada' });
  assert.equal(typed(name, new Map()), 'Ada');
  assert.equal(typed(name, new Map([['f', 'Eve']])), 'Eve');
  assert.equal(typed(field({ type: 'number', whole: true, default: 0 }), new Map()), '0');
  assert.deepEqual([isMissing(name, new Map()), isMissing(name, new Map([['f', 'x']]))], [true, false]);
});

test('values are shown by their titles, and what a server says of a field shows what it hides', () => {
  assert.equal(shown(field(COLOURS), ['r', 'g']), 'Red, Green');
  assert.equal(shown(field({ type: 'boolean' }), false), 'No');
  const odd: Field = { ...field({ type: 'text', format: 'email' }), title: 'a\u202eb', description: 'x\ny' };
  assert.equal(lined(odd), 'a\\u{202e}b *: x\\ny — an e-mail address');
});
