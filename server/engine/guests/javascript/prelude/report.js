// An exception as the error of a run: its kind, one sentence, the program's line and frames, and how to mend it.
// Frames of the sandbox never show.
import { hintForGlobal } from 'sandbox/absent';
import { unknownExport, unknownTool } from 'sandbox/modules';
import { knownOf } from 'sandbox/told';
import { ToolError } from 'sandbox/calls';

let file = '';
let source = '';

export function setProgram(name, text) {
  file = name;
  source = text;
}

/** JSON text of `{ kind, message, line?, traceback?, hint? }`. */
export function report(thrown) {
  const error = better(thrown);
  const frames = framesOf(error);
  const { kind, hint } = kindAndHint(error);
  const message = named(sentence(error), frames[0]);
  const line = lineOf(frames[0], knownOf(error)) ?? lineOfImport(thrown, error);
  const traceback = frames.length ? `${message}\n${frames.join('\n')}` : undefined;
  return JSON.stringify({ kind, message, line: line || undefined, traceback, hint });
}

/** The engine gives some of what happens inside of a statement, as destructuring, the place 1:1. */
function lineOf(frame, known) {
  const at = frame && positionIn(frame);
  return known?.line && (!at || (at.line === 1 && at.column === 1)) ? known.line : at?.line;
}

/** `not a function` with the name of what is none, as the program's line has it. */
function named(message, frame) {
  const at = frame && message === 'TypeError: not a function' && positionIn(frame);
  const text = at && source.split('\n')[at.line - 1];
  if (!text) return message;
  for (const call of text.matchAll(/[\w$]+(?:\??\.[\w$]+)*(?=\s*\()/g)) {
    if (call.index < at.column && at.column <= call.index + call[0].length + 1) return `TypeError: ${call[0]} is not a function`;
  }
  return message;
}

/** What an error says, in one sentence. */
export function sentence(error) {
  try {
    if (error instanceof ToolError && error.server) return `ToolError: ${error.server}.${error.tool}: ${error.message}`;
    if (error instanceof AggregateError && error.errors.length) {
      return `${error.errors.length} promises failed: ${error.errors.slice(0, 3).map(sentence).join('; ')}`;
    }
    if (error instanceof Error) return error.message ? `${error.name}: ${error.message}` : String(error.name);
    return `Uncaught ${typeof error === 'object' ? JSON.stringify(error) : String(error)}`.slice(0, 2000);
  } catch {
    return 'Uncaught error (its text cannot be made)';
  }
}

/** The program's frames, innermost first: `    at f (program.ts:3:7)`. */
export function framesOf(error) {
  const stack = readable(error, 'stack');
  return stack.split('\n').filter((frame) => positionIn(frame)).slice(0, 30);
}

/** A text of an error; empty where there is none, or where reading it throws. */
function readable(error, property) {
  try {
    const text = error instanceof Error ? error[property] : '';
    return typeof text === 'string' ? text : '';
  } catch {
    return '';
  }
}

function positionIn(frame) {
  const at = frame.lastIndexOf(`${file}:`);
  if (at < 1 || !' ('.includes(frame[at - 1])) return undefined;
  const [line, column] = frame.slice(at + file.length + 1).split(':').map((n) => parseInt(n, 10));
  return line ? { line, column } : undefined;
}

/** The engine's own errors about imports, said with what there is instead. */
function better(error) {
  const missing = error instanceof SyntaxError && /^Could not find export '(.*)' in module '(.*)'$/.exec(readable(error, 'message'));
  if (!missing) return error;
  const [, name, specifier] = missing;
  return specifier.startsWith('servers/') ? unknownTool(specifier.slice('servers/'.length), name) : unknownExport(specifier, name);
}

function kindAndHint(error) {
  const known = knownOf(error);
  if (known) return known;
  if (error instanceof ToolError) return { kind: error.kind, hint: error.hint };
  if (error instanceof AggregateError && error.errors.length) return kindAndHint(error.errors[0]);
  const message = readable(error, 'message');
  if (error instanceof RangeError && /stack size exceeded/i.test(message)) {
    return { kind: 'stack', hint: 'the recursion does not end, or is too deep: use a loop' };
  }
  if (/^out of memory/.test(message)) {
    return { kind: 'memory', hint: 'work on less at once: page through the data, keep only what the result needs' };
  }
  const undefinedName = error instanceof ReferenceError && /^'?([\w$]+)'? is not defined/.exec(message)?.[1];
  const hint = undefinedName && hintForGlobal(undefinedName);
  if (hint) return { kind: 'import', hint };
  // The host parses every program before; what is left are errors of linking.
  if (error instanceof SyntaxError && framesOf(error).length === 0) return { kind: 'syntax' };
  return { kind: 'exception' };
}

/** Linking has no frames: the line is that of the import which names what does not exist. */
function lineOfImport(thrown, error) {
  const quoted = /'([^']*)' in module '([^']*)'|module "([^"]*)"|server "?([\w$-]*)/.exec(`${readable(thrown, 'message')} ${readable(error, 'message')}`);
  const wanted = quoted?.[3] ?? quoted?.[2] ?? quoted?.[4];
  if (!wanted) return undefined;
  const lines = source.split('\n');
  const index = lines.findIndex((line) => /\bimport\b|\bfrom\b/.test(line) && line.includes(wanted) && line.includes(quoted[1] ?? ''));
  return index >= 0 ? index + 1 : undefined;
}
