/**
 * Text for programs: the skeleton of a new one, and a call with the import it needs. What servers wrote stands in comments
 * alone, each line marked as one. Pure; a place to type is marked as in the editor's snippets.
 */

import { l10n } from 'vscode';
import { whole } from './format';
import type { Language, ToolInfo } from './lsp_ext';
import { parametersOf, type Parameter } from './schema';
import { oneLine } from './views/untrusted';

/** A server whose tools a program can call. */
export interface Module {
  readonly identifier: string;
  readonly tools: readonly ToolInfo[];
}

const PYTHON_WORDS =
  /^(False|None|True|and|as|assert|async|await|break|class|continue|def|del|elif|else|except|finally|for|from|global|if|import|in|is|lambda|nonlocal|not|or|pass|raise|return|try|while|with|yield)$/;
const MOST_STUBS = 25;
const LONGEST_STUB = 160;

/** File endings of programs. */
export const ENDINGS: Readonly<Record<Language, string>> = { python: 'py', typescript: 'ts', javascript: 'js' };

/** A new program that imports `modules`, with their tools in comments and the cursor where it begins. A snippet. */
export function skeleton(language: Language, modules: readonly Module[]): string {
  const python = language === 'python';
  const mark = python ? '#' : '//';
  const imports = modules.map(({ identifier }) => importOf(language, identifier));
  const stubs = modules.flatMap((module) => stubLines(language, module).map((line) => `${mark} ${line}`));
  const comment = l10n.t('Only what stands last reaches the model: return little.');
  const body = python
    ? ['$0', '', `${mark} ${comment}`, '{"done": True}']
    : ['$0', '', `${mark} ${comment}`, 'export default { done: true };'];
  const text = [
    ...(python ? ['import asyncio'] : []),
    ...(python && modules.length > 0
      ? [`from servers import ${modules.map(({ identifier }) => identifier).join(', ')}`]
      : []),
    ...(python ? [] : imports),
    '',
    ...stubs,
    ...(stubs.length > 0 ? [''] : []),
  ].map(escapeSnippet);
  return [...text, ...body.map((line) => (line === '$0' ? line : escapeSnippet(line))), ''].join('\n');
}

function stubLines(language: Language, { identifier, tools }: Module): string[] {
  const shown = tools.slice(0, MOST_STUBS).map((tool) => signature(language, tool));
  const more = tools.length - shown.length;
  return [
    ...(tools.length === 0
      ? [`${identifier}: ${l10n.t('its tools are not known yet; TTA: Search Tools lists them')}`]
      : shown),
    ...(more > 0 ? [`… ${l10n.t('{0} more in {1}: TTA: Search Tools', whole(more), identifier)}`] : []),
  ];
}

/** The first line of a tool's stub. */
export function signature(language: Language, tool: ToolInfo): string {
  const stub = language === 'python' ? tool.python : tool.typescript;
  const lines = stub.split(/[\r\n\u2028\u2029]+/).map((line) => line.trim());
  const first = lines.find((line) => /^(async def|def|function|export|declare)\b/.test(line)) ?? lines[0] ?? tool.name;
  return oneLine(first.replace(/:( \.\.\.)?$/, ''), LONGEST_STUB);
}

/** The statement that makes a server's module known. */
export function importOf(language: Language, identifier: string): string {
  return language === 'python'
    ? `from servers import ${identifier}`
    : `import * as ${identifier} from "servers/${identifier}";`;
}

/** A call with a place to type for each required argument. A snippet. */
export function callSnippet(language: Language, identifier: string, tool: ToolInfo): string {
  const required = parametersOf(tool.input_schema).filter((parameter) => parameter.required);
  const path = `await ${identifier}.${tool.identifier}`;
  const python = language === 'python';
  const named = python && required.every(({ name }) => /^[A-Za-z_]\w*$/.test(name) && !PYTHON_WORDS.test(name));
  const stops = required.map((parameter, index) => {
    const value = placeholder(language, parameter, index + 1);
    if (named) {
      return `${parameter.name}=${value}`;
    }
    const key = !python && /^[A-Za-z_$][\w$]*$/.test(parameter.name) ? parameter.name : JSON.stringify(parameter.name);
    return `${escapeSnippet(key)}: ${value}`;
  });
  const list = stops.join(', ');
  return named || stops.length === 0 ? `${path}(${list})$0` : `${path}({${python ? list : ` ${list} `}})$0`;
}

function placeholder(language: Language, parameter: Parameter, stop: number): string {
  const { kind, name, options } = parameter;
  const text = (inner: string): string => `"\${${stop}:${escapeSnippet(inner)}}"`;
  const bare = (inner: string): string => `\${${stop}:${escapeSnippet(inner)}}`;
  const yes = language === 'python' ? 'True' : 'true';
  switch (kind) {
    case 'text':
      return text(oneLine(name, 40).replace(/["\\]/g, ''));
    case 'choice': {
      const [first] = options ?? [];
      return typeof first === 'string'
        ? text(oneLine(first, 40).replace(/["\\]/g, ''))
        : bare(first === true ? yes : '0');
    }
    case 'number':
    case 'integer':
      return bare('0');
    case 'boolean':
      return bare(yes);
    case 'list':
      return bare('[]');
    case 'json':
      return bare(parameter.type.endsWith('[]') || parameter.type === 'array' ? '[]' : '{}');
  }
}

/** Where an import goes in a program. */
export interface Insertion {
  /** Counted from 0; the text is inserted at `column` of it. */
  readonly line: number;
  readonly column: number;
  readonly text: string;
}

/** What must be inserted so that `identifier` is imported; undefined where it is. */
export function importInto(language: Language, program: string, identifier: string): Insertion | undefined {
  const lines = program.split(/\r?\n/);
  return language === 'python' ? intoPython(lines, identifier) : intoScript(lines, language, identifier);
}

function intoPython(lines: readonly string[], identifier: string): Insertion | undefined {
  const imports = /^from servers import ([\w, \t]+?)\s*(#.*)?$/;
  const found = lines.map((line) => imports.exec(line)?.[1]);
  const names = found.flatMap((list) => (list ?? '').split(',').map((name) => name.trim()));
  if (names.includes(identifier) || lines.some((line) => /^import servers\b/.test(line) && identifier === 'servers')) {
    return undefined;
  }
  const last = found.findLastIndex((list) => list !== undefined && !/\bas\b/.test(list));
  const list = found[last];
  if (list !== undefined) {
    return { line: last, column: `from servers import ${list}`.length, text: `, ${identifier}` };
  }
  return { line: afterLast(lines, /^(import|from)\s/), column: 0, text: `${importOf('python', identifier)}\n` };
}

function intoScript(lines: readonly string[], language: Language, identifier: string): Insertion | undefined {
  const imported = lines.some((line) => line.includes(`* as ${identifier} from`) && /["']servers\//.test(line));
  return imported
    ? undefined
    : { line: afterLast(lines, /^import\b.*from\s*["']/), column: 0, text: `${importOf(language, identifier)}\n` };
}

/** The line after the last that matches; before everything but a `#!` line where none does. */
function afterLast(lines: readonly string[], pattern: RegExp): number {
  const begins = lines.findLastIndex((line) => pattern.test(line));
  // `from x import (` goes on to its closing bracket.
  const open = lines[begins]?.includes('(') === true && !lines[begins].includes(')');
  const last = open ? lines.findIndex((line, index) => index > begins && line.includes(')')) : begins;
  return last >= 0 ? last + 1 : lines[0]?.startsWith('#!') === true ? 1 : 0;
}

function escapeSnippet(text: string): string {
  return text.replace(/[\\$}]/g, '\\$&');
}
