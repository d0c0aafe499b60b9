import assert from 'node:assert/strict';
import test from 'node:test';
import { beginning, changed, expectation, missing, parse, typed } from '../src/form';
import { parametersOf, type Parameter } from '../src/schema';

function field(schema: Record<string, unknown>): Parameter {
  const [only] = parametersOf({ properties: { it: schema } });
  assert.ok(only);
  return only;
}

const STRINGS = field({ type: 'array', items: { type: 'string' } });

test('what is typed becomes the value of its kind', () => {
  const cases: [Record<string, unknown>, string, unknown][] = [
    [{ type: 'string' }, ' as it is ', ' as it is '],
    [{ type: 'number' }, ' -1.5e2 ', -150],
    [{ type: 'integer' }, '7', 7],
    [{ type: 'boolean' }, 'false', false],
    [{ enum: ['a', 2] }, '2', 2],
    [{ type: 'array', items: { type: 'integer' } }, '1, 2,3', [1, 2, 3]],
    [{ type: 'array', items: { type: 'string' } }, '["a,b", ""]', ['a,b', '']],
    [{ type: 'array', items: { type: 'string' } }, '', []],
    [{ type: 'object' }, '{"a": [1]}', { a: [1] }],
    [{}, 'null', null],
  ];
  for (const [schema, text, value] of cases) {
    assert.deepEqual(parse(field(schema), text), { value }, JSON.stringify(schema));
  }
});

test('what is wrong is said in a sentence', () => {
  const cases: [Record<string, unknown>, string, RegExp][] = [
    [{ type: 'string', minLength: 3 }, 'ab', /^At least 3 characters, not 2\.$/],
    [{ type: 'number', maximum: 9 }, '10', /^At most 9, not 10\.$/],
    [{ type: 'number' }, '1,5', /“1,5” is not a number/],
    [{ type: 'number' }, '', /is not a number/],
    [{ type: 'number' }, 'Infinity', /is not a number/],
    [{ type: 'integer' }, '1.5', /not a whole number/],
    [{ type: 'integer' }, '9007199254740993', /not a whole number/],
    [{ type: 'boolean' }, 'yes', /true or false/],
    [{ enum: ['a', 'b'] }, 'c', /one of: a, b/],
    [{ type: 'array', items: { type: 'integer' }, maxItems: 1 }, '1, 2', /^At most 1 items, not 2\.$/],
    [{ type: 'array', items: { type: 'integer' } }, '1, x', /“x” is not a number/],
    [{ type: 'array', items: { type: 'integer' } }, '[1.5]', /1.5 does not belong into integer\[\]/],
    [{ type: 'array', items: { enum: ['a'] } }, 'a, z', /Choose from: a/],
    [{ type: 'object' }, '[]', /JSON object/],
    [{ type: 'array', items: { type: 'object' } }, '{}', /JSON array/],
    [{ type: 'object' }, '{', /not JSON/],
  ];
  for (const [schema, text, problem] of cases) {
    const parsed = parse(field(schema), text);
    assert.ok('problem' in parsed, JSON.stringify(schema));
    assert.match(parsed.problem, problem);
  }
});

test('a value comes back from how it is shown', () => {
  const cases: [Parameter, unknown][] = [
    [STRINGS, ['a', 'b c']],
    [STRINGS, ['a,b', ' c', '', '[d']],
    [STRINGS, []],
    [field({ type: 'array', items: { type: 'boolean' } }), [true, false]],
    [field({ type: 'object' }), { a: { b: null } }],
    [field({ type: 'string' }), '{"not": "read"}'],
    [field({ type: 'number' }), 0],
    [field({ enum: ['x', 2] }), 2],
  ];
  for (const [one, value] of cases) {
    assert.deepEqual(parse(one, typed(one, value)), { value }, typed(one, value));
  }
});

test('a form begins with what was given last, else with the defaults of what is required', () => {
  const fields = parametersOf({
    properties: {
      a: { type: 'string', default: 'x' },
      b: { type: 'string', default: 'y' },
      toString: { type: 'string' },
    },
    required: ['a', 'toString'],
  });
  assert.deepEqual(beginning(fields, undefined), { a: 'x' });
  assert.deepEqual(beginning(fields, { b: 'last' }), { b: 'last' });
  assert.deepEqual(
    missing(fields, { a: 'x' }).map(({ name }) => name),
    ['toString'],
  );
  assert.deepEqual(changed({ a: 1, b: 2 }, 'a', undefined), { b: 2 });
  assert.deepEqual(changed({ a: 1 }, 'b', null), { a: 1, b: null });
});

test('a field says what it expects', () => {
  assert.equal(expectation(field({ type: 'integer', minimum: 1, maximum: 9 })), 'integer, 1 to 9');
  assert.equal(expectation(STRINGS), 'string[]: apart by commas, or a JSON array');
  assert.equal(expectation(field({ type: 'object' })), 'object: as JSON');
});
