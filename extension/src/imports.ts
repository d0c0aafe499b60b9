/**
 * Servers of other tools' configuration files, as entries of `.vscode/mcp.json`: read in any of their spellings, written
 * with the least edits so that comments and formatting stay. A value that may be a secret is never copied unasked: it is
 * found, and can be turned into a question of the editor's (`${input:…}`). Pure: reads and writes no file.
 */

import { parse, printParseErrorCode } from 'jsonc-parser';
import { parse as parseToml } from 'smol-toml';
import { l10n } from 'vscode';
import { errorIn, rootOf, withItem, withProperty } from './jsonc';

/** A server as `.vscode/mcp.json` has it. */
export interface Entry {
  readonly type: 'stdio' | 'http';
  readonly command?: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly envFile?: string;
  readonly cwd?: string;
  readonly url?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A value written out in an entry, which others would read in the workspace's file. */
export interface Literal {
  readonly server: string;
  readonly place: 'env' | 'headers' | 'args' | 'url';
  /** The variable, the header, or the position of the argument. */
  readonly key: string;
  readonly value: string;
  /** It looks like a secret: by its name, its form, or its chance letters. */
  readonly secret: boolean;
}

/** What the editor asks for in the place of a value. */
export interface Input {
  readonly type: 'promptString';
  readonly id: string;
  readonly description: string;
  readonly password: true;
}

type Raw = Readonly<Record<string, unknown>>;

/** Where a file may keep its servers. */
const TABLES = [['mcpServers'], ['servers'], ['mcp', 'servers'], ['context_servers'], ['mcp_servers']] as const;

/** Files whose servers the editor knows already: its own, and ours. */
const OWN =
  /[/\\](\.vscode[/\\](mcp|settings)\.json|Code[/\\]User[/\\](mcp|settings)\.json|tta[/\\]mcp\.json|tta\.toml)$/;

/** Whether the servers of `file` are another tool's. */
export function isForeign(file: string): boolean {
  return !OWN.test(file) && /\.(json|toml)$/.test(file);
}

/** The server `name` of a file with `text`; undefined where it is not there, or is nothing that can be started. */
export function entryIn(file: string, text: string, name: string): Entry | undefined {
  const root: unknown = file.endsWith('.toml') ? parseToml(text) : parse(text, [], { allowTrailingComma: true });
  for (const table of TABLES) {
    const raw = table.reduce<unknown>((at, key) => own(at, key), root);
    const found = object(own(raw, name));
    if (found) {
      return entryOf(found);
    }
  }
  return undefined;
}

function entryOf(raw: Raw): Entry | undefined {
  const url = text(raw['httpUrl'] ?? raw['url'] ?? raw['serverUrl']);
  const inner = object(raw['command']);
  if (inner) {
    return entryOf({ ...inner, command: inner['path'] ?? inner['command'] });
  }
  const words = [...texts(raw['command']), ...texts(raw['args'])].map(variables);
  const [command, ...args] = words;
  if (command !== undefined) {
    const named = Object.fromEntries(texts(raw['env_vars']).map((name) => [name, `\${env:${name}}`]));
    const env = { ...named, ...record(raw['env'] ?? raw['environment']) };
    return {
      type: 'stdio',
      command,
      ...(args.length > 0 ? { args } : {}),
      ...(Object.keys(env).length > 0 ? { env } : {}),
      ...part('envFile', text(raw['envFile'])),
      ...part('cwd', text(raw['cwd'])),
    };
  }
  if (url === undefined) {
    return undefined;
  }
  const bearer = text(raw['bearer_token_env_var']);
  const headers = {
    ...record(raw['headers'] ?? raw['http_headers']),
    ...(bearer === undefined ? {} : { Authorization: `Bearer \${env:${bearer}}` }),
  };
  return { type: 'http', url: variables(url), ...(Object.keys(headers).length > 0 ? { headers } : {}) };
}

/** The editor reads `${env:X}` where others write `${X}` or `${X:-default}`. */
function variables(value: string): string {
  return value.replace(/\$\{([A-Za-z_]\w*)(:-[^}]*)?\}/g, (whole: string, name: string) =>
    EDITORS_OWN.has(name) ? whole : `\${env:${name}}`,
  );
}

const EDITORS_OWN = new Set(['workspaceFolder', 'workspaceFolderBasename', 'userHome', 'pathSeparator']);

/** Every value of an entry's environment and headers that is written out, and whatever else looks like a secret. */
export function literalsOf(server: string, entry: Entry): Literal[] {
  const named = (['env', 'headers'] as const).flatMap((place) =>
    Object.entries(entry[place] ?? {})
      .filter(([, value]) => writtenOut(value))
      .map(([key, value]): Literal => ({ server, place, key, value, secret: NAMES.test(key) || looksSecret(value) })),
  );
  const args = (entry.args ?? []).flatMap((value, index, all): Literal[] =>
    writtenOut(value) && secretArgument(value, all[index - 1])
      ? [{ server, place: 'args', key: String(index), value, secret: true }]
      : [],
  );
  const { url } = entry;
  const secretUrl = url !== undefined && writtenOut(url) && (CREDENTIALS.test(url) || QUERY.test(url));
  return [
    ...named,
    ...args,
    ...(secretUrl ? [{ server, place: 'url', key: 'url', value: url, secret: true } as const] : []),
  ];
}

const NAMES =
  /token|secret|passw|passphrase|api[-_]?key|auth|credential|private|session|cookie|bearer|(^|[-_])(key|pat|pwd)$/i;
const FORMS = /^(gh[pousr]_|github_pat_|glpat-|sk-|xox[abprs]-|AKIA|AIza|eyJ|ntn_|hf_|npm_|Bearer |Basic )/;
const CREDENTIALS = /:\/\/[^/\s:@]*:[^/\s@]+@/;
const QUERY = /[?&][^=&]*(token|key|secret|passw|auth|sig)[^=&]*=[^&]/i;

function writtenOut(value: string): boolean {
  return (
    value
      .replace(/\$\{[^}]*\}/g, '')
      .replace(/^(Bearer|Basic|Token)\s*$/i, '')
      .trim() !== ''
  );
}

/** A known form, or twenty and more letters and digits that no word would have side by side. */
function looksSecret(value: string): boolean {
  return (
    FORMS.test(value) ||
    CREDENTIALS.test(value) ||
    (/^[\w+/=-]{20,}$/.test(value) && /\d/.test(value) && /[A-Za-z]/.test(value))
  );
}

function secretArgument(value: string, before: string | undefined): boolean {
  const [, flag] = /^--?([\w-]+)=./.exec(value) ?? [];
  const [, flagBefore] = /^--?([\w-]+)$/.exec(before ?? '') ?? [];
  return (
    FORMS.test(value) ||
    CREDENTIALS.test(value) ||
    (flag !== undefined && NAMES.test(flag)) ||
    (flagBefore !== undefined && NAMES.test(flagBefore) && !value.startsWith('-'))
  );
}

/** `entry` with `literal` asked for, and the question. The id is the server's name and the value's. */
export function asked(entry: Entry, literal: Literal): { readonly entry: Entry; readonly input: Input } {
  const { server, place, key, value } = literal;
  const [, lead = ''] = /^((?:Bearer|Basic|Token)\s+|--?[\w-]+=)/i.exec(value) ?? [];
  const id = `${server}-${place === 'args' ? `argument-${Number(key) + 1}` : key}`
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-');
  const stands = `${lead}\${input:${id}}`;
  const description =
    place === 'args'
      ? l10n.t('An argument of the MCP server {0}', server)
      : l10n.t('{0} of the MCP server {1}', key, server);
  return { entry: replaced(entry, literal, stands), input: { type: 'promptString', id, description, password: true } };
}

function replaced(entry: Entry, { place, key }: Literal, stands: string): Entry {
  switch (place) {
    case 'url':
      return { ...entry, url: stands };
    case 'args':
      return { ...entry, args: (entry.args ?? []).map((arg, index) => (index === Number(key) ? stands : arg)) };
    default:
      return { ...entry, [place]: { ...entry[place], [key]: stands } };
  }
}

/** Edits that put `servers` and `inputs` into the text of an mcp.json, or why it cannot be edited. */
export function additions(
  mcpJson: string,
  servers: ReadonlyMap<string, Entry>,
  inputs: readonly Input[],
): { readonly text: string } | { readonly problem: string } {
  const begun = mcpJson.trim() === '' ? '{}\n' : mcpJson;
  const error = errorIn(begun);
  if (error || rootOf(begun)?.type !== 'object') {
    const line = begun.slice(0, error?.offset ?? 0).split('\n').length;
    const why = error ? printParseErrorCode(error.error) : l10n.t('it is not an object');
    return { problem: l10n.t('It cannot be edited: {0} in line {1}. Mend it first.', why, line) };
  }
  const there = new Set(idsIn(begun));
  const withInputs = inputs
    .filter(({ id }) => !there.has(id))
    .reduce((text, input) => withItem(text, 'inputs', input), begun);
  return { text: [...servers].reduce((text, [name, entry]) => withProperty(text, 'servers', name, entry), withInputs) };
}

/** The names of the servers in an mcp.json. */
export function serversIn(mcpJson: string): string[] {
  const root: unknown = parse(mcpJson, [], { allowTrailingComma: true });
  return Object.keys(object(own(root, 'servers')) ?? {});
}

function idsIn(mcpJson: string): string[] {
  const root: unknown = parse(mcpJson, [], { allowTrailingComma: true });
  const inputs = own(root, 'inputs');
  return Array.isArray(inputs) ? inputs.flatMap((input) => text(own(input, 'id')) ?? []) : [];
}

function part<K extends string>(key: K, value: string | undefined): Partial<Record<K, string>> {
  return value === undefined ? {} : ({ [key]: variables(value) } as Record<K, string>);
}

function record(value: unknown): Record<string, string> {
  const entries = Object.entries(object(value) ?? {}).flatMap(([key, one]): [string, string][] => {
    const written = text(one);
    return written === undefined ? [] : [[key, variables(written)]];
  });
  return Object.fromEntries(entries);
}

function texts(value: unknown): string[] {
  return (Array.isArray(value) ? value : [value]).flatMap((one: unknown) => text(one) ?? []);
}

function text(value: unknown): string | undefined {
  return typeof value === 'string'
    ? value
    : typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint'
      ? String(value)
      : undefined;
}

function own(value: unknown, key: string): unknown {
  const found = object(value);
  return found && Object.hasOwn(found, key) ? found[key] : undefined;
}

function object(value: unknown): Raw | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Raw) : undefined;
}
