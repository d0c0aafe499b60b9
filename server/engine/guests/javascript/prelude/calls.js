// Tool calls. A call is on its way as soon as it is made and may be awaited whenever. It is a promise that, used as if it
// were its value, says that the `await` is missing.
import * as host from 'sandbox/host';
import { told } from 'sandbox/told';
import { toJson } from 'sandbox/values';

export class ToolError extends Error {
  constructor(message = '', { server = '', tool = '', kind = 'tool', hint } = {}) {
    super(message);
    Object.assign(this, { server, tool, kind });
    Object.defineProperty(this, 'hint', { value: hint });
  }
}
Object.defineProperty(ToolError.prototype, 'name', { value: 'ToolError' });

/** Reading this property of a call gives its description. */
export const CALL = Symbol('call');

// Empty until a run: the seed of hash tables changes at its start.
const inFlight = new Map(); // handle -> { resolve, reject, what }
const untouched = new Map(); // handle -> what, for calls that nobody has awaited yet

let file = '';

export function setFile(name) {
  file = name;
}

/** A call as messages tell of it. Its position reads like one in a traceback, so that the host can move it as well. */
class What {
  constructor(name, at) {
    this.name = name;
    this.at = at;
  }
  get line() {
    return Math.floor(this.at / 2 ** 20);
  }
  get position() {
    return `${file}:${this.line}:${this.at % 2 ** 20}`;
  }
  toString() {
    return `the call ${this.name}(…)${this.at ? ` at ${this.position}` : ''}`;
  }
}

const behaviour = {
  get(promise, key) {
    if (key === 'then' || key === 'catch' || key === 'finally') {
      untouched.delete(promise.handle);
      return promise[key].bind(promise);
    }
    if (key === CALL) {
      untouched.delete(promise.handle); // Whoever asks tells of it.
      return promise.what;
    }
    if (key === 'constructor') return Promise;
    if (key === Symbol.toStringTag) return 'Promise';
    throw forgotten(promise);
  },
  has(promise) {
    throw forgotten(promise);
  },
  ownKeys(promise) {
    throw forgotten(promise);
  },
};

function forgotten({ what, handle }) {
  untouched.delete(handle);
  const hint = `write \`await ${what.name}(…)\``;
  return told(new TypeError(`${what} was not awaited`), 'forgotten_await', hint, what.line);
}

/** Starts a call; `args` is a plain object. `name` is what the program calls it. */
export function start(server, tool, args, name) {
  const json = toJson(args, 'arguments', 'arguments');
  const handle = host.startCall(server, tool, json);
  const what = new What(name, host.startedAt());
  const promise = new Promise((resolve, reject) => inFlight.set(handle, { resolve, reject, what }));
  promise.handle = handle;
  promise.what = what;
  untouched.set(handle, what);
  return new Proxy(promise, behaviour);
}

/** For calls that need no await. */
export function forget(call) {
  call.catch(() => {});
  return call;
}

/** One finished call. `ok` is undefined where its answer could not be parsed: `value` is the parser's error then. */
export function deliver(handle, ok, value) {
  const call = inFlight.get(handle);
  if (!call) return;
  inFlight.delete(handle);
  if (ok) return call.resolve(value);
  const error = ok === undefined
    ? new ToolError(`the answer of ${call.what.name} cannot be read: ${value.message}`)
    : new ToolError(value.message, value);
  // It happened where the call was made; the frames of this function are nobody's concern.
  const stack = call.what.at ? `    at ${call.what.name} (${call.what.position})\n` : '';
  Object.defineProperty(error, 'stack', { value: stack, writable: true, configurable: true });
  call.reject(error);
}

export const areInFlight = () => inFlight.size > 0;

/** What to tell about calls whose value nobody asked for. */
export function neverAwaited() {
  return [...untouched.values()].map((what) => `${what} was never awaited: its result or error is lost`);
}
