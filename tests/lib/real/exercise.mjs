// Exercises one real server over one transport: it is started and listed, its program runs, and each check of what came out is
// made and named in the table.
import assert from 'node:assert/strict';
import { cpSync } from 'node:fs';
import { extname, join } from 'node:path';
import { root } from '../../../scripts/lib/step.mjs';
import { configure, runJson, workspace } from '../tta.mjs';
import { versionOf } from './install.mjs';
import { listening } from './process.mjs';
import { SERVERS } from './servers.mjs';
import { checkedIn, fixed, handIn } from './table.mjs';

const LONGEST_MS = 300_000;
/** Some servers in Python take seconds to import what they need. */
const START = { startup_timeout_ms: 120_000 };

/** Every server over every transport that it offers. */
export const CASES = Object.entries(SERVERS).flatMap(([server, { http, sse }]) => [
  { server, transport: 'stdio' },
  ...(http ? [{ server, transport: 'http' }] : []),
  ...(sse ? [{ server, transport: 'sse' }] : []),
]);
/** The one that the workbench exercises, as a server that only the editor has. */
export const BY_EDITOR = { server: 'pyright', transport: 'editor' };

/** Exercises `server` over `transport`, and compares its row of the table with the one that is checked in. */
export async function exercise(t, { server, transport }) {
  const { program } = SERVERS[server];
  const folder = workspace(t);
  const world = await worldOf(t, server, folder);
  if (typeof world === 'string') return t.skip(world);
  configure(folder, { [server]: await entry(t, server, transport, world, folder) });

  const { json: listing, stderr } = await runJson(folder, ['servers', '--trust'], { longestMs: LONGEST_MS });
  const [status] = listing.servers;
  assert.equal(status.state, 'ready', `${status.last_error}\n${stderr}`);
  const run = await runProgram(folder, program, { folder, ...world?.input });
  assert.equal(run.code, 0, `${run.stderr}\n${JSON.stringify(run.json.error)}`);
  const checked = check(server, run.json.result, world);
  const { protocol, tools } = status;
  record('integration', {
    server,
    transport,
    era: protocol,
    tools,
    calls: run.json.calls.map(({ tool }) => tool),
    checked,
  });
}

/** Makes the checks of what a server's program gave; what was checked, in words. */
export function check(server, result, world) {
  const checks = Object.entries(SERVERS[server].checks);
  for (const [, holds] of checks) holds(result, world);
  return checks.map(([what]) => what);
}

/** Runs `program` of the fixtures in the workspace `folder`, on a machine that may be slow. */
export function runProgram(folder, program, input) {
  // Under another name: Python servers would take a module `git` or `time` of their working directory for their own.
  const file = `program${extname(program)}`;
  cpSync(programs(program), join(folder, file));
  const limits = ['--timeout-ms', String(LONGEST_MS)];
  return runJson(folder, ['run', file, '--trust', ...limits, '--input', JSON.stringify(input)], {
    longestMs: LONGEST_MS,
  });
}

/** Where a program of the fixtures lies. */
export function programs(name) {
  return join(root, 'tests', 'fixtures', 'real', name);
}

/** Hands in the row of a server, and compares it with the one that is checked in. */
export function record(kind, { server, transport, calls, ...rest }) {
  const version = versionOf(SERVERS[server].package);
  const cells = handIn(kind, { server, version, transport, calls: tally(calls), ...rest });
  const known = checkedIn().find((other) => other[0] === server && other[2] === transport) ?? [];
  assert.deepEqual(fixed(cells), fixed(known), 'where this is meant: node tests/lib/real/table.mjs');
}

/** What stands behind a server, or a text that says why there is none. */
export async function worldOf(t, server, folder) {
  return SERVERS[server].world(t, folder);
}

/** Each tool that was called, with how often where that is more than once. */
function tally(calls) {
  const counts = new Map();
  for (const tool of calls) counts.set(tool, (counts.get(tool) ?? 0) + 1);
  return [...counts].map(([tool, count]) => (count === 1 ? tool : `${tool} ×${count}`));
}

/** A server's entry in mcp.json; over HTTP it is started here, as a remote one is started by somebody else. */
export async function entry(t, server, transport, world, folder) {
  const { start, host = '127.0.0.1', headers = {}, ...offers } = SERVERS[server];
  const { command, args, env } = start(world, folder);
  if (transport === 'stdio') return { type: 'stdio', command, args, env, ...START };
  const port = await listening(t, server, (free) => {
    const served = offers[transport](args, String(free));
    return { command, args: served.args ?? served, env: { ...env, ...served.env } };
  });
  const path = { http: 'mcp', sse: 'sse' }[transport];
  return { type: transport, url: `http://${host}:${port}/${path}`, headers, ...START };
}
