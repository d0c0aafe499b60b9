// A tool that has to be called as a task, of the protocol's own reference server, from programs.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { createServer as createHttpServer } from 'node:http';
import { join } from 'node:path';
import test from 'node:test';
import { pathToFileURL } from 'node:url';
import { serverEntries } from '../../scripts/lib/servers.mjs';
import { root } from '../../scripts/lib/step.mjs';
import { entry } from '../lib/real/exercise.mjs';
import { configure, runJson, runOnTerminal, workspace } from '../lib/tta.mjs';

const everything = (t) => workspace(t, { servers: (folder) => ({ everything: serverEntries(folder).everything }) });

const PYTHON = `
from servers import everything

research = everything.simulate_research_query(topic="bees")
steps = [update["message"] async for update in research.progress()]
report = await research
[steps, report.splitlines()[0], report.count("✓")]
`;

const TYPESCRIPT = `
import * as everything from "servers/everything";

const research = everything.simulateResearchQuery({ topic: "bees" });
const steps: (string | undefined)[] = [];
for await (const { message } of research.progress()) steps.push(message);
const report = await research;
export default [steps, report.split("\\n")[0], report.split("✓").length - 1];
`;

// Which stages are seen depends on when the server is asked; each says what it is.
function researched({ code, json, stderr }) {
  assert.equal(code, 0, `${stderr}\n${JSON.stringify(json.error)}`);
  const [steps, title, stages] = json.result;
  assert.deepEqual([title, stages], ['# Research Report: bees', 4]);
  assert.ok(
    steps.some((step) => step?.endsWith('...')),
    JSON.stringify(steps),
  );
  assert.deepEqual(
    json.calls.map(({ tool, status }) => [tool, status]),
    [['simulate-research-query', 'ok']],
  );
}

for (const [language, program] of Object.entries({ python: PYTHON, typescript: TYPESCRIPT })) {
  test(`a task's result and how it went reach a program in ${language}`, async (t) => {
    researched(await runJson(everything(t), ['run', '-e', program, '--lang', language, '--trust']));
  });
}

test('so they do over streamable HTTP', async (t) => {
  const folder = workspace(t);
  configure(folder, { everything: await entry(t, 'everything', 'http', {}, folder) });
  researched(await runJson(folder, ['run', '-e', PYTHON, '--lang', 'python', '--trust']));
});

/** The reference server, whose answers over HTTP are single JSON bodies and who opens no stream; its URL. */
async function inSingleBodies(t) {
  const modules = join(root, 'target', 'servers', 'node_modules', '@modelcontextprotocol');
  const load = (path) => import(pathToFileURL(join(modules, path)).href);
  const { createServer } = await load('server-everything/dist/server/index.js');
  const { StreamableHTTPServerTransport } = await load('sdk/dist/esm/server/streamableHttp.js');
  const sessions = new Map();
  const open = async () => {
    const { server, cleanup } = createServer();
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      enableJsonResponse: true,
      onsessioninitialized: (id) => sessions.set(id, transport),
    });
    server.server.onclose = () => cleanup(transport.sessionId);
    t.after(() => server.close());
    await server.connect(transport);
    return transport;
  };
  const http = createHttpServer(async (request, response) => {
    if (request.method === 'GET') return response.writeHead(405).end();
    const transport = sessions.get(request.headers['mcp-session-id']) ?? (await open());
    return transport.handleRequest(request, response);
  });
  await new Promise((resolve) => http.listen(0, '127.0.0.1', resolve));
  t.after(() => http.close());
  return `http://127.0.0.1:${http.address().port}/mcp`;
}

test('so they do where a server answers in single JSON bodies, without a stream', async (t) => {
  const folder = workspace(t);
  configure(folder, { everything: { type: 'http', url: await inSingleBodies(t) } });
  researched(await runJson(folder, ['run', '-e', PYTHON, '--lang', 'python', '--trust']));
});

test('what a task asks in its middle is asked at the terminal', async (t) => {
  const program = `from servers import everything\nawait everything.simulate_research_query(topic="python", ambiguous=True)`;
  const steps = [
    ['Answer it? [y/n] ', 'y\n'],
    ['(one of the numbers, required): ', '2\n'],
    ['Send it? [y/n] ', 'y\n'],
  ];
  const args = ['run', '--trust', '--lang', 'python', '-e', program];
  const { code, screen } = await runOnTerminal(everything(t), args, steps);
  assert.equal(code, 0, screen);
  assert.match(screen, /# Research Report: python \(snake\)/);
});
