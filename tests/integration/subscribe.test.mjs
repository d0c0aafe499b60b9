// Subscriptions to resources of the real server-everything, from programs in both languages, over stdio and streamable HTTP: it tells of
// a change at once when its updates are switched on, and every five seconds from then on.
import assert from 'node:assert/strict';
import test from 'node:test';
import { serverEntries } from '../../scripts/lib/servers.mjs';
import { listening } from '../lib/real/process.mjs';
import { configure, run, runJson, workspace } from '../lib/tta.mjs';

const ONE = 'demo://resource/dynamic/text/1';
const TWO = 'demo://resource/dynamic/text/2';

const PYTHON = `
import asyncio
from servers import everything

async def take(uri, count):
    told = []
    async for update in everything.resources.subscribe(uri):
        told.append([update["uri"], (await everything.resources.read(update["uri"])).split(":")[0]])
        if len(told) == count:
            return told

ready = await everything.resources.subscribe("${ONE}")
both = asyncio.gather(take("${ONE}", 1), take("${TWO}", 1))
await everything.toggle_subscriber_updates()
first = await anext(ready)
told = await both
await everything.toggle_subscriber_updates()
[first["uri"], *told]
`;

const TYPESCRIPT = `
import * as everything from "servers/everything";

async function take(uri: string, count: number) {
  const told: string[][] = [];
  for await (const update of everything.resources.subscribe(uri)) {
    told.push([update.uri, (await everything.resources.read(update.uri)).split(":")[0]]);
    if (told.length === count) break;
  }
  return told;
}

const ready = await everything.resources.subscribe("${ONE}");
const both = Promise.all([take("${ONE}", 1), take("${TWO}", 1)]);
await everything.toggleSubscriberUpdates();
const { value: first } = await ready.next();
const told = await both;
await everything.toggleSubscriberUpdates();
export default [first.uri, ...told];
`;

const EXPECTED = [ONE, [[ONE, 'Resource 1']], [[TWO, 'Resource 2']]];

for (const transport of ['stdio', 'http']) {
  for (const [language, program] of Object.entries({ python: PYTHON, typescript: TYPESCRIPT })) {
    test(`changes of a real server’s resources reach a program in ${language} over ${transport}`, async (t) => {
      const folder = workspace(t);
      configure(folder, { everything: await entry(t, transport, folder) });
      const { code, json, stderr } = await runJson(folder, ['run', '-e', program, '--lang', language, '--trust']);
      assert.equal(code, 0, `${stderr}\n${JSON.stringify(json.error)}`);
      assert.deepEqual(json.result, EXPECTED);
      const made = json.calls.filter(({ tool }) => tool === 'resources/subscribe');
      assert.deepEqual(
        made.map(({ status }) => status),
        ['ok', 'ok', 'ok'],
        'each is one call in the receipt, which ended well',
      );
      assert.ok(made.every(({ result_tokens: told }) => told > 0));
      assert.ok(!json.calls.some(({ tool }) => tool === 'updates/since'));
    });
  }
}

test('a server without subscriptions says so, and what to do', async (t) => {
  const folder = workspace(t, { servers: serverEntries });
  const program = `
from servers import fs
async for update in fs.resources.subscribe("file:///x"):
    pass
`;
  const { json } = await runJson(folder, ['run', '-e', program, '--lang', 'python', '--trust']);
  assert.equal(json.status, 'error');
  assert.match(json.error.message, /server `fs` offers no subscriptions to resources/);
  assert.match(json.error.hint, /resources\.read\(uri\)/);
});

test('a search says which server tells of changes', async (t) => {
  const folder = workspace(t, { servers: serverEntries });
  const { stdout } = await run(folder, ['tools', 'search', 'resources', '--trust']);
  assert.match(stdout, /everything\.resources\.list\(\).*resources\.subscribe\(uri\) tells of changes/);
});

async function entry(t, transport, folder) {
  const stdio = serverEntries(folder).everything;
  if (transport === 'stdio') return stdio;
  const { command, args } = stdio;
  const port = await listening(t, 'everything', (free) => ({
    command,
    args: [...args, 'streamableHttp'],
    env: { PORT: String(free) },
  }));
  return { type: 'http', url: `http://127.0.0.1:${port}/mcp` };
}
