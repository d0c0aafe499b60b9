// AbortController and AbortSignal, with the `abort` event alone.
const secret = Symbol('made by a controller');

class AbortSignal {
  #listeners = [];
  aborted = false;
  reason = undefined;
  onabort = null;

  constructor(key) {
    if (key !== secret) throw new TypeError('signals are made by an AbortController');
  }

  addEventListener(type, listener, options) {
    if (type === 'abort') this.#listeners.push({ listener, once: options?.once });
  }

  removeEventListener(type, listener) {
    this.#listeners = this.#listeners.filter((entry) => entry.listener !== listener);
  }

  throwIfAborted() {
    if (this.aborted) throw this.reason;
  }

  static _abort(signal, reason) {
    if (signal.aborted) return;
    signal.aborted = true;
    signal.reason = reason ?? new DOMException('this operation was aborted', 'AbortError');
    const event = { type: 'abort', target: signal };
    const listeners = signal.#listeners;
    signal.#listeners = listeners.filter((entry) => !entry.once);
    signal.onabort?.(event);
    for (const { listener } of listeners) (listener.handleEvent ?? listener).call(signal, event);
  }

  static abort(reason) {
    const signal = new AbortSignal(secret);
    abortSignal(signal, reason);
    return signal;
  }

  static timeout(ms) {
    const signal = new AbortSignal(secret);
    setTimeout(() => abortSignal(signal, new DOMException('the operation timed out', 'TimeoutError')), ms);
    return signal;
  }

  static any(signals) {
    const signal = new AbortSignal(secret);
    for (const other of signals) {
      if (other.aborted) abortSignal(signal, other.reason);
      else other.addEventListener('abort', () => abortSignal(signal, other.reason), { once: true });
    }
    return signal;
  }
}

const abortSignal = AbortSignal._abort;
delete AbortSignal._abort;

class AbortController {
  signal = new AbortSignal(secret);
  abort(reason) {
    abortSignal(this.signal, reason);
  }
}

export const globals = { AbortController, AbortSignal };
