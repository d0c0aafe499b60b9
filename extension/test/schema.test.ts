import assert from 'node:assert/strict';
import test from 'node:test';
import { parametersOf, type Parameter } from '../src/schema';

/** Name, type and kind, with `*` where it is required. */
function brief(schema: Record<string, unknown>): string[] {
  return parametersOf(schema).map(({ name, required, type, kind }) => `${name}${required ? '*' : ''} ${type} ${kind}`);
}

test('every kind of parameter has its field, and required ones come first', () => {
  const properties = {
    text: { type: 'string' },
    count: { type: 'integer' },
    ratio: { type: 'number' },
    flag: { type: 'boolean' },
    mode: { enum: ['a', 'b'] },
    names: { type: 'array', items: { type: 'string' } },
    modes: { type: 'array', items: { enum: ['a', 'b'] } },
    rows: { type: 'array', items: { type: 'object' } },
    grid: { type: 'array', items: { type: 'array', items: { type: 'integer' } } },
    where: { type: 'object' },
    any: {},
  };
  assert.deepEqual(brief({ properties, required: ['flag', 'where'] }), [
    'flag* boolean boolean',
    'where* object json',
    'text string text',
    'count integer integer',
    'ratio number number',
    'mode "a" | "b" choice',
    'names string[] list',
    'modes ("a" | "b")[] list',
    'rows object[] json',
    'grid array[] json',
    'any any json',
  ]);
});

test('references within the schema are followed, and “or null” is looked through', () => {
  const schema = {
    properties: {
      size: { $ref: '#/$defs/Size', description: 'how large' },
      limit: { anyOf: [{ type: 'integer', minimum: 1 }, { type: 'null' }], default: null },
      name: { type: ['string', 'null'] },
      both: { anyOf: [{ type: 'integer' }, { type: 'string' }] },
    },
    $defs: { Size: { type: 'string', enum: ['s', 'm'], description: 'not this one' } },
  };
  assert.deepEqual(brief(schema), [
    'size "s" | "m" choice',
    'limit integer integer',
    'name string text',
    'both any json',
  ]);
  const [size, limit] = parametersOf(schema);
  assert.equal(size?.doc, 'how large');
  assert.deepEqual([limit?.default, limit?.bounds], [undefined, { least: 1 }]);
});

test('a schema that refers to itself, to nothing, or elsewhere ends', () => {
  const node = {
    type: 'object',
    properties: { next: { $ref: '#' }, gone: { $ref: '#/no' }, away: { $ref: 'http://x' } },
  };
  let depth = 0;
  for (let at: readonly Parameter[] = parametersOf(node); at.length > 0; at = at[0]?.children ?? []) {
    depth += 1;
  }
  assert.equal(depth, 7);
  assert.deepEqual(brief({ properties: { a: { $ref: '#/properties/a' } } }), ['a any json']);
});

test('what is no schema at all has no parameters, and names of Object’s own are names', () => {
  assert.deepEqual(brief({ properties: [] as unknown, required: 'x' }), []);
  assert.deepEqual(
    brief(JSON.parse('{"properties":{"__proto__":{"type":"string"},"toString":5}}') as Record<string, unknown>),
    ['__proto__ string text', 'toString any json'],
  );
});

test('a list of objects opens to what each holds', () => {
  const items = { type: 'object', properties: { oldText: { type: 'string' } }, required: ['oldText'] };
  const [edits] = parametersOf({ properties: { edits: { type: 'array', items } } });
  assert.deepEqual(
    edits?.children.map(({ name, required }) => [name, required]),
    [['oldText', true]],
  );
});

test('a schema of ten thousand parameters is cut', () => {
  const properties = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`p${index}`, {}]));
  assert.equal(parametersOf({ properties }).length, 200);
});

test('a schema that holds itself a hundred times over costs no more than what is looked at', () => {
  const properties = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`p${index}`, { $ref: '#' }]));
  const [first] = parametersOf({ type: 'object', properties });
  assert.equal(first?.children[99]?.children.length, 100);
});
