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
const inFlight = new Map(); // handle -> Call
const ignored = []; // Calls that were over before anybody had awaited them.

let file = '';

export function setFile(name) {
  file = name;
}

/** One call. As text it is what messages say of it; its position reads like one in a traceback, so that the host can move it. */
class Call {
  isAwaited = false;
  isOver = false;

  constructor(handle, name, at, madeOf) {
    this.handle = handle;
    this.name = name;
    this.at = at; // line * 2^20 + column, 0 where unknown
    this.madeOf = madeOf; // What turns the host's answer into the value.
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    this.promise.call = this;
  }

  /** Its answer is not wanted any more. */
  giveUp() {
    if (inFlight.delete(this.handle)) host.cancelCall(this.handle);
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
      promise.call.isAwaited = true;
      return promise[key].bind(promise);
    }
    if (key === CALL) {
      promise.call.isAwaited = true; // Whoever asks tells of it.
      return promise.call;
    }
    if (key === 'progress') return () => progress(promise.call);
    if (key === 'constructor') return Promise;
    if (key === Symbol.toStringTag) return 'Promise';
    throw forgotten(promise.call);
  },
  has(promise) {
    throw forgotten(promise.call);
  },
  ownKeys(promise) {
    throw forgotten(promise.call);
  },
};

function forgotten(call) {
  call.isAwaited = true;
  const hint = `write \`await ${call.name}(…)\``;
  return told(new TypeError(`${call} was not awaited`), 'forgotten_await', hint, call.line);
}

/** Starts a call; `args` is a plain object. `name` is what the program calls the tool. */
export function start(server, tool, args, name, madeOf) {
  const handle = host.startCall(server, tool, toJson(args, 'arguments', 'arguments'));
  const call = new Call(handle, name, host.startedAt(), madeOf);
  inFlight.set(handle, call);
  return new Proxy(call.promise, behaviour);
}

/** What the server tells while a call is under way: objects with `progress`, and `total` and `message` or null. */
async function* progress(call) {
  call.isAwaited = true;
  const ended = call.promise.then(() => {}, () => {});
  for (let seen = 0, over = false; !over; ) {
    // Asked once more when the call is over: the host keeps what was not read yet.
    over = call.isOver;
    const asked = start('tta', 'progress/since', { call: call.handle, seen, now: over }, 'tta.progress');
    const told = await (over ? asked : Promise.race([asked, ended]));
    if (!told) {
      asked[CALL].giveUp();
      continue;
    }
    seen = told.seen;
    yield* told.updates;
  }
}

/** For calls that need no await. */
export function forget(promise) {
  promise.catch(() => {});
  return promise;
}

/** One finished call. `ok` is undefined where its answer could not be parsed: `value` is the parser's error then. */
export function deliver(handle, ok, value) {
  const call = inFlight.get(handle);
  if (!call) return;
  inFlight.delete(handle);
  call.isOver = true;
  if (!call.isAwaited) ignored.push(call);
  if (ok && call.madeOf) {
    try {
      value = call.madeOf(value);
    } catch (error) {
      [ok, value] = [undefined, error];
    }
  }
  if (ok) return call.resolve(value);
  const error = ok === undefined
    ? new ToolError(`the answer of ${call.name} cannot be read: ${value.message}`)
    : new ToolError(value.message, value);
  // It happened where the call was made; the frames of this function are nobody's concern.
  const stack = call.at ? `    at ${call.name} (${call.position})\n` : '';
  Object.defineProperty(error, 'stack', { value: stack, writable: true, configurable: true });
  call.reject(error);
}

export const areInFlight = () => inFlight.size > 0;

/** What to tell about calls whose value nobody asked for. */
export function neverAwaited() {
  const calls = [...ignored, ...inFlight.values()].filter((call) => !call.isAwaited);
  return calls.map((call) => `${call} was never awaited: its result or error is lost`);
}
