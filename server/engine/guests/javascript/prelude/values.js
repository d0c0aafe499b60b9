// JavaScript values as JSON text, and the path to the first one that has none.
//
// As JSON.stringify has it, undefined and symbols are left out of objects and dates are ISO 8601. Beyond it: a Map becomes
// an object, a Set an array, a BigInt the number it is, an Error `{"error": "TypeError: …"}`. Functions, promises, NaN,
// binary data and circles are errors that name their place. Lone surrogates, which UTF-8 cannot carry, become U+FFFD.
import { CALL } from 'sandbox/calls';
import { told } from 'sandbox/told';

const NESTING_MAX = 500;
const { stringify, rawJSON } = JSON;

/** JSON text. `root` is what messages call the value; `kind` is the kind of the error. */
export function toJson(value, root, kind) {
  if (value === undefined) return 'null';
  let text;
  try {
    text = stringify(value, plain);
  } catch (error) {
    throw explain(value, root, kind, error);
  }
  // NaN is silently null.
  if (text === undefined || text.includes('null')) {
    const found = check(value, root, kind, 0, new Set());
    if (found) throw found;
  }
  return wellFormed(text ?? 'null');
}

/** A lone surrogate is written as its escape, which not every reader takes: U+FFFD stands for it. */
function wellFormed(json) {
  return json.includes('\\ud') ? json.replace(/\\(?:\\|u(d[89a-f][0-9a-f]{2}))/g, (escape, lone) => (lone ? '\uFFFD' : escape)) : json;
}

class NoJson extends TypeError {}

/** The replacer: what stands for a value that is not plain data. */
function plain(key, value) {
  if (typeof value !== 'object') {
    if (typeof value === 'function') throw new NoJson();
    return value;
  }
  if (value === null) return null;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || Array.isArray(value) ? value : plainOf(value);
}

function plainOf(value) {
  if (value[CALL] || value instanceof Promise) throw new NoJson();
  if (value instanceof Map) return fromEntries(value);
  if (value instanceof Set) return [...value];
  if (value instanceof Error) return { error: `${value.name}: ${value.message}` };
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) throw new NoJson();
  return value;
}

function fromEntries(map) {
  for (const key of map.keys()) if (typeof key === 'object' || typeof key === 'function') throw new NoJson();
  return Object.fromEntries(map);
}

BigInt.prototype.toJSON = function () {
  return rawJSON(this.toString());
};

function explain(value, root, kind, error) {
  let found;
  try {
    found = check(value, root, kind, 0, new Set());
  } catch (other) {
    if (!(other instanceof NoJson)) error = other;
  }
  if (found) return found;
  // An exception of the program's own toJSON stays what it is.
  return error instanceof NoJson ? told(new TypeError(`${root} is not JSON`), kind) : error;
}

/** The error for the first value without JSON; undefined where there is none. Slow: only runs when something is wrong. */
function check(value, path, kind, depth, above) {
  const bad = (what, hint, otherKind) => told(new TypeError(`${path} ${what}`), otherKind ?? kind, hint);
  switch (typeof value) {
    case 'number':
      return Number.isFinite(value) ? undefined : bad(`is ${value}, which JSON cannot hold`, 'return null or a string instead');
    case 'function':
      return bad('is a function, which has no JSON', 'return data; was a call meant?');
    case 'symbol':
      return depth ? undefined : bad('is a symbol, which has no JSON', 'return data');
    case 'object':
      if (value === null) return undefined;
      break;
    default:
      return undefined;
  }
  if (value[CALL]) return bad(`is ${value[CALL]} that was not awaited`, 'write `await` before it', 'forgotten_await');
  if (value instanceof Promise) return bad('is a promise that was not awaited', 'write `await` before it', 'forgotten_await');
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) {
    return bad('is binary data, which has no JSON', 'return text: new TextDecoder().decode(value), or value.toBase64()');
  }
  if (above.has(value)) return bad('contains itself', 'return plain data without references in a circle');
  if (depth >= NESTING_MAX) return bad(`is nested deeper than ${NESTING_MAX} levels`, 'flatten the value');
  if (typeof value.toJSON === 'function') return check(value.toJSON(), path, kind, depth + 1, above);
  above.add(value);
  const found = checkItems(value, path, kind, depth, above);
  above.delete(value);
  return found;
}

function checkItems(value, path, kind, depth, above) {
  if (value instanceof Map) {
    for (const key of value.keys()) {
      if (typeof key === 'object' || typeof key === 'function') {
        return told(new TypeError(`${path} is a Map with a key that is no string`), kind, 'use strings as keys, or return [...map]');
      }
    }
  }
  const items = value instanceof Map || value instanceof Set ? plainOf(value) : value;
  if (Array.isArray(items)) {
    for (let i = 0; i < items.length; i++) {
      const found = check(items[i], `${path}[${i}]`, kind, depth + 1, above);
      if (found) return found;
    }
    return undefined;
  }
  for (const key of Object.keys(items)) {
    const place = /^[\w$]{1,40}$/.test(key) ? `${path}.${key}` : `${path}[${JSON.stringify(key.slice(0, 40))}]`;
    const found = check(items[key], shortened(place), kind, depth + 1, above);
    if (found) return found;
  }
  return undefined;
}

const shortened = (path) => (path.length <= 100 ? path : `${path.slice(0, 60)}…${path.slice(-30)}`);
