// structuredClone: data, with its circles and shared parts; functions, promises and symbols are errors.
export function clone(value) {
  return copy(value, new Map());
}

function copy(value, seen) {
  if (typeof value === 'function' || typeof value === 'symbol') throw refused(value);
  if (Object(value) !== value) return value;
  if (seen.has(value)) return seen.get(value);
  const made = shell(value);
  seen.set(value, made);
  if (value instanceof Map) for (const [k, v] of value) made.set(copy(k, seen), copy(v, seen));
  else if (value instanceof Set) for (const item of value) made.add(copy(item, seen));
  else if (Array.isArray(value) || isPlain(value)) for (const key of Object.keys(value)) made[key] = copy(value[key], seen);
  else if (value instanceof Error && 'cause' in value) made.cause = copy(value.cause, seen);
  return made;
}

const isPlain = (value) => !(value instanceof Date || value instanceof RegExp || value instanceof Error
  || value instanceof ArrayBuffer || ArrayBuffer.isView(value)
  || value instanceof Number || value instanceof String || value instanceof Boolean || value instanceof BigInt);

/** A new object of the same kind, without its parts. */
function shell(value) {
  if (value instanceof Promise || value instanceof WeakMap || value instanceof WeakSet || value instanceof WeakRef) throw refused(value);
  if (Array.isArray(value)) return new Array(value.length);
  if (value instanceof Map) return new Map();
  if (value instanceof Set) return new Set();
  if (value instanceof Date) return new Date(value.getTime());
  if (value instanceof RegExp) return new RegExp(value.source, value.flags);
  if (value instanceof ArrayBuffer) return value.slice(0);
  if (value instanceof DataView) return new DataView(value.buffer.slice(0), value.byteOffset, value.byteLength);
  if (ArrayBuffer.isView(value)) return value.slice();
  if (value instanceof Error) return cloneError(value);
  if (value instanceof Number || value instanceof String || value instanceof Boolean || value instanceof BigInt) return Object(value.valueOf());
  return {};
}

const ERRORS = { Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError };

function cloneError(error) {
  const made = new (ERRORS[error.name] ?? Error)(error.message);
  Object.defineProperty(made, 'stack', { value: error.stack, writable: true, configurable: true });
  return made;
}

function refused(value) {
  return new DOMException(`a ${typeof value === 'object' ? value.constructor?.name : typeof value} cannot be cloned`, 'DataCloneError');
}
