// The JavaScript half of the guest. C calls what is exported here; see guest.c.
import * as abort from 'sandbox/abort';
import { areInFlight, deliver, neverAwaited, setFile, ToolError } from 'sandbox/calls';
import { clone } from 'sandbox/clone';
import { console, write } from 'sandbox/console';
import { crypto } from 'sandbox/crypto';
import { load, tta } from 'sandbox/modules';
import { framesOf, report, sentence, setProgram } from 'sandbox/report';
import * as text from 'sandbox/text';
import { told } from 'sandbox/told';
import * as timers from 'sandbox/timers';
import { URL, URLSearchParams } from 'sandbox/url';
import { toJson } from 'sandbox/values';

export { deliver, load, report };

function define(values) {
  for (const [name, value] of Object.entries(values)) {
    Object.defineProperty(globalThis, name, { value, writable: true, configurable: true });
  }
}

define({ console, crypto, structuredClone: clone, URL, URLSearchParams, ToolError });
define({ ...timers.globals, ...text.globals, ...abort.globals });
// So that `result = …` also works where the program does not declare it.
globalThis.result = undefined;

/** Starts a run; returns the program's file name. */
export function begin(contextJson, source) {
  const context = JSON.parse(contextJson);
  tta.inputs = context.input;
  setProgram(context.name, source);
  setFile(context.name);
  return context.name;
}

/** The program's value, as a promise: that of its module, once it is evaluated. */
export function value(evaluated, namespace) {
  const promise = valueOf(evaluated, namespace);
  promise.catch(() => {}); // C looks at it.
  return promise;
}

async function valueOf(evaluated, namespace) {
  await evaluated;
  const exported = 'default' in namespace ? await namespace.default : undefined;
  return exported === undefined ? await globalThis.result : exported;
}

export const resultText = (settled) => toJson(settled, 'result', 'result');

/** Milliseconds to the next timer, -1 where only calls are awaited, -2 where nothing can happen any more. */
export const nextTimeout = () => timers.untilNext() ?? (areInFlight() ? -1 : -2);

export const fireTimers = () => timers.fire(noteUncaught);

export function throwDeadlock() {
  throw told(
    new Error('the program waits for something that can never happen'),
    'deadlock',
    'nothing is in flight and no timer runs: look for a promise that nobody resolves',
  );
}

// Empty until a run: the seed of hash tables changes at its start.
const rejections = new Map(); // promise -> reason, of those that nobody has handled yet

export function noteRejection(promise, reason, isHandled) {
  if (isHandled) rejections.delete(promise);
  else rejections.set(promise, reason);
}

export function noteUncaught(error) {
  write(true, ['uncaught ' + sentence(error), ...framesOf(error)].join('\n'));
}

/** Tells what would otherwise be lost, at the end of a run. */
export function finish() {
  for (const line of neverAwaited()) write(true, line);
  for (const [promise, reason] of rejections) {
    if (promise.call) continue; // A call: told already.
    write(true, ['unhandled rejection: ' + sentence(reason), ...framesOf(reason)].join('\n'));
  }
}
