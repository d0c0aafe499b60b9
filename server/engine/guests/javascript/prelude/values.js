// JavaScript values as JSON text, and the path to the first one that has none.
//
// As JSON.stringify has it, undefined and symbols are left out of objects and dates are ISO 8601. Beyond it: a Map becomes
// an object, a Set an array, a BigInt the number it is, an Error `{"error": "TypeError: …"}`. Functions, promises, NaN,
// binary data and circles are errors that name their place. Lone surrogates, which UTF-8 cannot carry, become U+FFFD.
import { CALL } from 'sandbox/calls';
import { told } from 'sandbox/told';

const NESTING_MAX = 200;
const { stringify, rawJSON } = JSON;

/** JSON text. `root` is what messages call the value; `kind` is the kind of the error. */
export function toJson(value, root, kind) {
  if (value === undefined) return 'null';
  let text;
  try {
    text = isFlat(value) ? stringify(value) : stringify(value, plain);
  } catch (error) {
    throw explain(value, root, kind, error);
  }
  // NaN is silently null.
  if (text === undefined || text.includes('null')) {
    const found = problem(value, root, kind);
    if (found) throw found;
  }
  return wellFormed(text ?? 'null');
}

/** A lone surrogate is written as its escape, which not every reader takes: U+FFFD stands for it. */
function wellFormed(json) {
  return json.includes('\\ud') ? json.replace(/\\(?:\\|u(d[89a-f][0-9a-f]{2}))/g, (escape, lone) => (lone ? '\uFFFD' : escape)) : json;
}

/** A plain object of strings, numbers and booleans, as most arguments are: it needs no replacer, which is slow. */
function isFlat(value) {
  if (Object(value) !== value || Object.getPrototypeOf(value) !== Object.prototype) return false;
  for (const key in value) {
    const type = typeof value[key];
    if (type !== 'string' && type !== 'number' && type !== 'boolean') return false;
  }
  return true;
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
  // An exception of the program's own toJSON stays what it is.
  return problem(value, root, kind) ?? (error instanceof NoJson ? told(new TypeError(`${root} is not JSON`), kind) : error);
}

/** The error for the first value without JSON; undefined where there is none. Slow: runs only when something is wrong. */
function problem(value, root, kind) {
  let found;
  try {
    found = check(value, root, 0, new Set());
  } catch (error) {
    return error instanceof NoJson ? undefined : error;
  }
  return found && told(new TypeError(found.message), found.kind ?? kind, found.hint);
}

const FORGOTTEN = { kind: 'forgotten_await', hint: 'write `await` before it' };

function check(value, path, depth, above) {
  const bad = (what, hint) => ({ message: `${path} ${what}`, hint });
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
  if (value[CALL]) return { message: `${path} is ${value[CALL]} that was not awaited`, ...FORGOTTEN };
  if (value instanceof Promise) return { message: `${path} is a promise that was not awaited`, ...FORGOTTEN };
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) {
    return bad('is binary data, which has no JSON', 'return text: new TextDecoder().decode(value), or value.toBase64()');
  }
  if (above.has(value)) return bad('contains itself', 'return plain data without references in a circle');
  if (depth >= NESTING_MAX) return bad(`is nested deeper than ${NESTING_MAX} levels`, 'flatten the value');
  if (typeof value.toJSON === 'function') return check(value.toJSON(), path, depth + 1, above);
  above.add(value);
  const found = checkItems(value, path, depth, above);
  above.delete(value);
  return found;
}

function checkItems(value, path, depth, above) {
  if (value instanceof Map && [...value.keys()].some((key) => Object(key) === key)) {
    return { message: `${path} is a Map with a key that is no string`, hint: 'use strings as keys, or return [...map]' };
  }
  const items = value instanceof Map || value instanceof Set ? plainOf(value) : value;
  for (const key of Object.keys(items)) {
    const place = Array.isArray(items) ? `[${key}]` : /^[\w$]{1,40}$/.test(key) ? `.${key}` : `[${JSON.stringify(key.slice(0, 40))}]`;
    const found = check(items[key], shortened(path + place), depth + 1, above);
    if (found) return found;
  }
  return undefined;
}

const shortened = (path) => (path.length <= 100 ? path : `${path.slice(0, 60)}…${path.slice(-30)}`);
