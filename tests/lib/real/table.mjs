// The table of what was exercised on each real server: every passed test hands in its row, the run prints them as Markdown, and
// `tests/real-servers.md` is a copy that tests compare. `node tests/lib/real/table.mjs` writes that copy anew, after a whole run.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../../scripts/lib/step.mjs';

const artifacts = join(root, 'tests', 'artifacts');
const copy = join(root, 'tests', 'real-servers.md');
const HEAD = ['server', 'version', 'transport', 'era', 'tools', 'calls', 'what was checked'];
/** What depends on what both sides offer, not on what the test does. */
const NEGOTIATED = ['era', 'tools'].map((name) => HEAD.indexOf(name));

const INTRODUCTION = `# Real servers

What \`npm test\` does with real MCP servers from npm and PyPI, all through the daemon. Behind those of remote services stand small
loopback stubs of their APIs; behind Grafana's proxy of datasources a real Prometheus that scrapes itself. The tests wrote this
(\`tests/lib/real/table.mjs\`), and fail where they do something else. *era* is the revision of the protocol that was agreed on:
a server over stdio whose start takes long is not asked for the newest.
`;

/** Takes away what an earlier run of `kind`, integration or e2e, handed in. */
export function clear(kind) {
  rmSync(join(artifacts, kind), { recursive: true, force: true });
}

/** Hands in a row, and returns it as its cells. */
export function handIn(kind, { server, version, transport, era, tools, calls, checked }) {
  const cells = [server, version, transport, era, tools, calls.join(', '), checked.join('; ')].map(String);
  put(kind, `${server}-${transport}.row`, line(cells));
  return cells;
}

/** Hands in a text that stands below the table. */
export function handInText(kind, name, text) {
  put(kind, `${name}.md`, `${text.trimEnd()}\n`);
}

/** The rows that are checked in, as their cells. */
export function checkedIn() {
  const lines = readFileSync(copy, 'utf8').split('\n');
  return lines
    .filter((found) => found.startsWith('| '))
    .map((found) => found.slice(2, -2).split(' | '))
    .slice(2);
}

/** The cells that a row has by its test alone. */
export function fixed(cells) {
  return cells.filter((_, at) => !NEGOTIATED.includes(at));
}

/** What was handed in by the last run of `kinds`, as Markdown, which is also written to the artifacts; nothing if nothing was. */
export function table(...kinds) {
  const rows = parts(kinds, '.row');
  if (rows.length === 0) return undefined;
  const lines = [line(HEAD), line(HEAD.map(() => '---')), ...rows].join('\n');
  const text = [INTRODUCTION, `${lines}\n`, ...parts(kinds, '.md')].join('\n');
  writeFileSync(join(artifacts, `real-servers-${kinds.join('-')}.md`), text);
  return text;
}

function put(kind, name, text) {
  mkdirSync(join(artifacts, kind), { recursive: true });
  writeFileSync(join(artifacts, kind, name), text);
}

function parts(kinds, ending) {
  const folders = kinds.map((kind) => join(artifacts, kind)).filter(existsSync);
  const files = folders.flatMap((folder) =>
    readdirSync(folder)
      .sort()
      .map((name) => join(folder, name)),
  );
  return files.filter((file) => file.endsWith(ending)).map((file) => readFileSync(file, 'utf8'));
}

function line(cells) {
  return `| ${cells.join(' | ')} |`;
}

if (process.argv[1] === import.meta.filename) writeFileSync(copy, table('integration', 'e2e'));
