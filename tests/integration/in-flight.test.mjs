// A thousand calls of one program on their way to one real server at the same time, over stdio. A call is known to be
// carried out by what its server reports of it; how many are at once does not depend on how fast the machine is.
import assert from 'node:assert/strict';
import test from 'node:test';
import { serverEntries } from '../../scripts/lib/servers.mjs';
import { runJson, workspace } from '../lib/tta.mjs';

const CALLS = 1_000;

// Each reports in its middle and at its end, seconds apart: by the end of the first all others have begun.
const PROGRAM = `
import asyncio
from servers import everything

reported = ended = most = 0

async def follow():
    global reported, ended, most
    call = everything.trigger_long_running_operation(duration=12, steps=2)
    async for _ in call.progress():
        reported += 1
        most = max(most, reported - ended)
        break
    await call
    ended += 1

await asyncio.gather(*[follow() for _ in range(${CALLS})])
[most, ended]
`;

// Whoever follows a call has two questions open, the call and how it goes.
const TOML = `
[limits]
calls_in_flight = ${2 * CALLS}
[servers.everything]
calls_in_flight = ${CALLS}
`;

/** How many calls were under way at the server at once, and how many came to their end. */
async function gathered(t, toml) {
  const servers = (folder) => ({ everything: serverEntries(folder).everything });
  const folder = workspace(t, { servers, files: () => ({ 'tta.toml': toml }) });
  const { code, json, stderr } = await runJson(folder, ['run', '-e', PROGRAM, '--lang', 'python', '--trust']);
  assert.equal(code, 0, `${stderr}\n${JSON.stringify(json.error)}`);
  return json.result;
}

test('a thousand calls are under way at one real server at once, where it may have so many', async (t) => {
  const [most, ended] = await gathered(t, TOML);
  assert.deepEqual([most, ended], [CALLS, CALLS]);
});
