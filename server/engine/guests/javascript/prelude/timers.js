// setTimeout and its kin, on the host's clock. The order is that of their times, and of their making where those are equal.
import * as host from 'sandbox/host';

// Empty until a run: the seed of hash tables changes at its start.
const timers = new Map(); // id -> { at, callback, args, every }
let lastId = 0;

function add(callback, ms, args, every) {
  if (typeof callback !== 'function') throw new TypeError('a timer needs a function');
  const delay = Math.max(0, Number(ms) || 0);
  timers.set(++lastId, { at: host.now() + delay, callback, args, every: every ? Math.max(1, delay) : 0 });
  return lastId;
}

const clear = (id) => void timers.delete(id);

/** Milliseconds until the next one is due; undefined without any. */
export function untilNext() {
  if (!timers.size) return undefined;
  let first = Infinity;
  for (const { at } of timers.values()) if (at < first) first = at;
  return Math.max(0, Math.ceil(first - host.now()));
}

/** Runs those that are due. One that throws is told by `uncaught` and stops no other. */
export function fire(uncaught) {
  if (!timers.size) return;
  const now = host.now();
  const due = [...timers].filter(([, timer]) => timer.at <= now).sort(([a, x], [b, y]) => x.at - y.at || a - b);
  for (const [id, timer] of due) {
    if (timers.get(id) !== timer) continue; // Cleared by one before it.
    if (timer.every) timer.at = now + timer.every;
    else timers.delete(id);
    try {
      timer.callback(...timer.args);
    } catch (error) {
      uncaught(error);
    }
  }
}

export const globals = {
  setTimeout: (callback, ms, ...args) => add(callback, ms, args, false),
  setInterval: (callback, ms, ...args) => add(callback, ms, args, true),
  clearTimeout: clear,
  clearInterval: clear,
};
