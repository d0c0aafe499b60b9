// Real servers of both eras of the protocol over each transport, in one workspace: what is spoken with each of them is found
// out, shown, and makes no difference to a program.
import assert from 'node:assert/strict';
import { dirname } from 'node:path';
import test from 'node:test';
import { serverEntries } from '../../scripts/lib/servers.mjs';
import { listening } from '../lib/real/process.mjs';
import { configure, guestCache, runJson, tta, workspace } from '../lib/tta.mjs';

const PROGRAM = `
import asyncio
from servers import time, stdio, http, sse, found, ours

now, *echoes, tools = await asyncio.gather(
    time.get_current_time(timezone="UTC"),
    *(server.echo(message="hello") for server in (stdio, http, sse, found)),
    ours.search_tools(query="anything"),
)
{"zone": now["timezone"], "echoes": [str(echo) for echo in echoes], "tools": str(tools)}
`;

/** What each server is spoken to in: the revision, and over what it is configured. */
const SPOKEN = {
  time: ['2026-07-28', 'stdio'],
  stdio: ['2025-11-25', 'stdio'],
  http: ['2025-11-25', 'http'],
  sse: ['2025-11-25', 'sse'],
  // Configured as http: that it speaks the older transport is found out.
  found: ['2025-11-25', 'http'],
  ours: ['2026-07-28', 'http'],
};

test('servers of both eras, over stdio, streamable HTTP and HTTP+SSE', async (t) => {
  const folder = workspace(t, { files: () => ({ 'eras.py': PROGRAM }) });
  const { everything, time } = serverEntries(folder);
  const serve = async (kind) => {
    const command = (port) => ({ ...everything, args: [...everything.args, kind], env: { PORT: String(port) } });
    return `http://127.0.0.1:${await listening(t, `everything over ${kind}`, command)}`;
  };
  const [http, sse, ours] = await Promise.all([serve('streamableHttp'), serve('sse'), endpoint(t)]);
  configure(folder, {
    time,
    stdio: everything,
    http: { type: 'http', url: `${http}/mcp` },
    sse: { type: 'sse', url: `${sse}/sse` },
    found: { type: 'http', url: `${sse}/sse` },
    ours: { type: 'http', url: ours },
  });

  const { json: listing, stderr } = await runJson(folder, ['servers', '--trust']);
  const spoken = listing.servers.map(({ name, state, protocol, transport, last_error: error }) => {
    assert.equal(state, 'ready', `${name}: ${error}\n${stderr}`);
    return [name, [protocol, transport]];
  });
  assert.deepEqual(Object.fromEntries(spoken), SPOKEN);

  const run = await runJson(folder, ['run', 'eras.py', '--trust']);
  assert.equal(run.code, 0, `${run.stderr}\n${JSON.stringify(run.json.error)}`);
  const { zone, echoes, tools } = run.json.result;
  assert.equal(zone, 'UTC');
  assert.equal(echoes.length, 4);
  for (const echo of echoes) assert.match(echo, /hello/);
  assert.ok(tools.length > 0);
});

/** Our own endpoint, over a workspace without servers. */
async function endpoint(t) {
  const cwd = workspace(t);
  const command = (port) => ({
    command: tta,
    args: ['--workspace', cwd, 'mcp', '--http', `127.0.0.1:${port}`, '--insecure-no-token'],
    env: { XDG_CACHE_HOME: dirname(guestCache) },
  });
  return `http://127.0.0.1:${await listening(t, 'our endpoint', command)}/mcp`;
}
