/**
 * Additions to JSON with comments that leave every character there is where it is: a comment stays on its line, a one-line
 * table stays on one, and a trailing comma is kept. Pure.
 */

import { createScanner, findNodeAtLocation, parseTree, type Node, type ParseError } from 'jsonc-parser';

const OPTIONS = { allowTrailingComma: true };

/** Text with an indentation and line ends of its own. */
interface Style {
  readonly unit: string;
  readonly eol: string;
}

/** The first thing that keeps `text` from being read: its error's number, and where. */
export function errorIn(text: string): ParseError | undefined {
  const errors: ParseError[] = [];
  parseTree(text, errors, OPTIONS);
  return errors[0];
}

/** The root of a text, which must hold a value. */
export function rootOf(text: string): Node | undefined {
  return parseTree(text, [], OPTIONS);
}

/** `text`, an object, with `value` as the last property of the table `table`, which is made where it is missing. */
export function withProperty(text: string, table: string, key: string, value: unknown): string {
  return withLast(text, table, 'object', (style) => `${JSON.stringify(key)}: ${written(value, style)}`, {
    [key]: value,
  });
}

/** `text`, an object, with `value` as the last item of the array `table`, which is made where it is missing. */
export function withItem(text: string, table: string, value: unknown): string {
  return withLast(text, table, 'array', (style) => written(value, style), [value]);
}

function withLast(
  text: string,
  table: string,
  type: 'object' | 'array',
  entry: (style: Style) => string,
  alone: unknown,
): string {
  const root = rootOf(text);
  if (root?.type !== 'object') {
    return text;
  }
  const style = styleOf(text);
  const node = findNodeAtLocation(root, [table]);
  if (node?.type === type) {
    return inserted(text, node, entry(style), style);
  }
  return inserted(text, root, `${JSON.stringify(table)}: ${written(alone, style)}`, style);
}

/** `text` with `entry` as the last child of `node`. */
function inserted(text: string, node: Node, entry: string, style: Style): string {
  const last = node.children?.at(-1);
  if (!last) {
    return intoEmpty(text, node, entry, style);
  }
  const end = last.offset + last.length;
  const comma = commaAfter(text, end);
  const from = comma ?? end;
  const lineEnd = endOfLine(text, from);
  if (lineEnd === undefined) {
    const flat = entry.replace(/\s*\r?\n\s*/g, ' ');
    return `${text.slice(0, from)}${comma === undefined ? ',' : ''} ${flat}${text.slice(from)}`;
  }
  const lead = indentationAt(text, (node.children?.[0] ?? last).offset);
  const own = indented(entry, lead, style);
  const between = text.slice(from, lineEnd);
  const trailing = comma === undefined ? '' : ',';
  return `${text.slice(0, from)}${comma === undefined ? ',' : ''}${between}${style.eol}${lead}${own}${trailing}${text.slice(lineEnd)}`;
}

function intoEmpty(text: string, node: Node, entry: string, style: Style): string {
  const outer = indentationAt(text, node.offset);
  const lead = outer + style.unit;
  const begin = node.offset + 1;
  const rest = text.slice(begin, node.offset + node.length - 1);
  const closing = rest.includes('\n') ? '' : style.eol + outer;
  return `${text.slice(0, begin)}${style.eol}${lead}${indented(entry, lead, style)}${closing}${rest.trim() === '' && closing !== '' ? '' : rest}${text.slice(begin + rest.length)}`;
}

/** Where the comma after `end` ends; undefined where none follows. */
function commaAfter(text: string, end: number): number | undefined {
  const scanner = createScanner(text, true);
  scanner.setPosition(end);
  scanner.scan();
  return text[scanner.getTokenOffset()] === ',' ? scanner.getTokenOffset() + 1 : undefined;
}

/** Where the line of `from` ends, comments included; undefined where its table ends on it. */
function endOfLine(text: string, from: number): number | undefined {
  const scanner = createScanner(text, false);
  scanner.setPosition(from);
  for (;;) {
    scanner.scan();
    const first = text[scanner.getTokenOffset()] ?? '';
    if (first === '\n' || first === '\r') {
      return scanner.getTokenOffset();
    }
    if (first === '' || !' \t/'.includes(first)) {
      return undefined;
    }
  }
}

function indentationAt(text: string, offset: number): string {
  const line = text.slice(text.lastIndexOf('\n', offset - 1) + 1, offset);
  return /^[ \t]*/.exec(line)?.[0] ?? '';
}

function indented(entry: string, lead: string, { eol }: Style): string {
  return entry.split('\n').join(eol + lead);
}

function written(value: unknown, { unit }: Style): string {
  return JSON.stringify(value, null, unit);
}

/** The indentation of the first line that has one; two spaces where none has. */
function styleOf(text: string): Style {
  return { unit: /\n([ \t]+)["/]/.exec(text)?.[1] ?? '  ', eol: text.includes('\r\n') ? '\r\n' : '\n' };
}
