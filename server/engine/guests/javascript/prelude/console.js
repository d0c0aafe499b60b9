// console.*: values as one reads them, bounded in depth and length.
import * as host from 'sandbox/host';
import { CALL } from 'sandbox/calls';
import { framesOf, sentence } from 'sandbox/report';

const DEPTH_MAX = 6;
const ITEMS_MAX = 200;

/** One value as text; strings inside of others are quoted. */
export function format(value, depth = 0, above = []) {
  switch (typeof value) {
    case 'string': return depth ? JSON.stringify(value) : value;
    case 'bigint': return `${value}n`;
    case 'symbol': return String(value);
    case 'function': return `[function ${value.name || 'anonymous'}]`;
    case 'object': return value === null ? 'null' : formatObject(value, depth, above);
    default: return String(value);
  }
}

function formatObject(value, depth, above) {
  if (value[CALL]) return `Promise { ${value[CALL]}, not awaited }`;
  if (value instanceof Promise) return 'Promise { not awaited }';
  if (value instanceof Error) return [sentence(value), ...framesOf(value)].join('\n');
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
  if (value instanceof RegExp) return String(value);
  if (above.includes(value)) return '[circular]';
  if (depth >= DEPTH_MAX) return Array.isArray(value) ? '[…]' : '{…}';
  const inner = (item) => format(item, depth + 1, [...above, value]);
  if (Array.isArray(value) || ArrayBuffer.isView(value)) return `[${some(value, inner)}]`;
  if (value instanceof Set) return `Set {${some([...value], inner)}}`;
  if (value instanceof Map) return `Map {${some([...value], ([k, v]) => `${inner(k)} => ${inner(v)}`)}}`;
  const name = Object.getPrototypeOf(value)?.constructor?.name;
  const prefix = name && name !== 'Object' ? `${name} ` : '';
  return `${prefix}{${some(Object.keys(value), (key) => `${JSON.stringify(key)}: ${inner(value[key])}`)}}`;
}

function some(items, one) {
  const shown = Array.from(items.slice(0, ITEMS_MAX), one).join(', ');
  return items.length > ITEMS_MAX ? `${shown}, … ${items.length - ITEMS_MAX} more` : shown;
}

function formatAll([first, ...rest]) {
  if (typeof first === 'string' && first.includes('%')) {
    first = first.replace(/%[sdifjoOc%]/g, (directive) => {
      if (directive === '%%') return '%';
      if (!rest.length) return directive;
      const value = rest.shift();
      if (directive === '%c') return '';
      if (directive === '%d' || directive === '%i') return String(Math.trunc(Number(value)));
      if (directive === '%f') return String(Number(value));
      return format(value, directive === '%s' ? 0 : 1);
    });
  }
  return [first, ...rest].map((value) => format(value)).join(' ');
}

let indent = '';
const counts = Object.create(null);
const starts = Object.create(null);

/** Writes one line. */
export function write(toStderr, text) {
  host.print(toStderr, `${indent}${indent ? text.replaceAll('\n', `\n${indent}`) : text}\n`);
}

const line = (values) => (values.length === 1 ? format(values[0]) : values.length ? formatAll(values) : '');
const out = (...values) => write(false, line(values));
const err = (...values) => write(true, line(values));

function table(rows) {
  if (Object(rows) !== rows) return out(rows);
  for (const [key, row] of Object.entries(rows)) out(`${key}: ${format(row, 1)}`);
}

export const console = {
  log: out, info: out, debug: out, dir: (value) => out(value), table,
  warn: err, error: err, trace: err,
  assert: (condition, ...values) => condition || err('assertion failed:', ...values),
  group: (...values) => { if (values.length) out(...values); indent += '  '; },
  groupEnd: () => { indent = indent.slice(2); },
  count: (label = 'default') => out(`${label}: ${(counts[label] = (counts[label] ?? 0) + 1)}`),
  time: (label = 'default') => { starts[label] = host.now(); },
  timeEnd: (label = 'default') => out(`${label}: ${(host.now() - (starts[label] ?? host.now())).toFixed(3)} ms`),
};
console.groupCollapsed = console.group;
console.timeLog = console.timeEnd;
