// Tools of real servers that `tta.toml` offers to models beside run_code: what a host sees of them, what they answer, what is
// said of a name that does not exist, and which line a report advises.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import test from 'node:test';
import { serverEntries } from '../../scripts/lib/servers.mjs';
import { guestCache, run, runJson, tta, workspace } from '../lib/tta.mjs';

const NOTE = 'A bee makes honey.\n';

const folderWith = (t, direct) =>
  workspace(t, {
    servers: (at) => {
      const { fs, everything } = serverEntries(at);
      return { fs, everything };
    },
    files: () => ({
      'note.md': NOTE,
      'tta.toml': `[mcp]\ndirect_tools = [\n${direct.map((it) => `  "${it}",\n`).join('')}]\n`,
    }),
  });

test('a host lists and calls them, and their definitions are the servers’ own', async (t) => {
  const folder = folderWith(t, ['fs.read_text_file', 'everything.get-tiny-image']);
  const session = await mcp(t, folder);
  const { tools } = await session.ask('tools/list', {});
  assert.deepEqual(
    tools.map(({ name }) => name),
    ['run_code', 'search_tools', 'fs__read_text_file', 'everything__get_tiny_image'],
  );
  const read = tools[2];
  assert.match(read.description, /contents of a file/i);
  assert.deepEqual(read.inputSchema.required, ['path']);
  assert.equal(read.annotations.readOnlyHint, true);
  assert.equal(read.outputSchema, undefined);

  const note = await session.ask('tools/call', { name: read.name, arguments: { path: `${folder}/note.md` } });
  assert.equal(note.content[0].text, NOTE);
  const image = await session.ask('tools/call', { name: 'everything__get_tiny_image', arguments: {} });
  assert.ok(
    image.content.some(({ type, mimeType }) => type === 'image' && mimeType === 'image/png'),
    'media come whole',
  );
  const refused = await session.ask('tools/call', { name: read.name, arguments: { path: '/etc/passwd' } });
  assert.equal(refused.isError, true);
  const wrong = await session.ask('tools/call', { name: read.name, arguments: {} });
  assert.match(wrong.content[0].text, /^error\[arguments\].*path/s);
  await session.end();

  const { json } = await runJson(folder, ['report', '--since', '1d']);
  assert.equal(json.total.runs, 0);
  assert.equal(json.total.asides.direct_calls, 4);
  assert.ok(json.total.asides.direct_tokens > 0);
});

test('a name that does not exist is said with its line, and the others are offered', async (t) => {
  const folder = folderWith(t, ['fs.read_text_fil', 'files.read', 'fs.list_directory']);
  const { code, stdout } = await run(folder, ['doctor', '--trust']);
  assert.equal(code, 1, stdout);
  assert.match(stdout, /tta\.toml:3.*no tool `read_text_fil`/s);
  assert.match(stdout, /read_text_file/);
  assert.match(stdout, /tta\.toml:4.*no server `files`/s);
  assert.match(stdout, /direct tool fs\.list_directory.*fs__list_directory/s);
  const servers = await run(folder, ['servers', '--trust']);
  assert.match(servers.stdout, /no tool `read_text_fil`/);
  assert.match(servers.stdout, /no server `files`/);
});

test('a report names the lines that offer a tool which programs call alone', async (t) => {
  const folder = folderWith(t, ['everything.echo']);
  const program = `from servers import fs\n# ${'a program that is longer than the call itself '.repeat(30)}\nlen(str(await fs.read_text_file(path="${folder}/note.md")))`;
  for (let n = 0; n < 3; n += 1) {
    const { json } = await runJson(folder, ['run', '-e', program, '--lang', 'python', '--trust']);
    assert.equal(json.status, 'ok', JSON.stringify(json.error));
    assert.ok(json.tokens.saved < 0, 'direct would have been cheaper');
  }
  const { json } = await runJson(folder, ['report', '--trust']);
  const advice = json.advice.find(({ kind }) => kind === 'call_directly');
  assert.equal(advice.setting, '[mcp]\ndirect_tools = ["everything.echo", "fs.read_text_file"]');
  const { stdout } = await run(folder, ['report', '--trust']);
  assert.ok(stdout.includes('direct_tools = ["everything.echo", "fs.read_text_file"]'), stdout);
});

/** `tta mcp` over its stdin and stdout as a host starts it; {ask(method, params), end()}. */
async function mcp(t, folder) {
  const child = spawn(tta, ['mcp', '--workspace', folder, '--trust'], {
    env: { PATH: process.env.PATH, HOME: `${folder}-home`, XDG_CACHE_HOME: dirname(guestCache) },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  const waiting = new Map();
  createInterface({ input: child.stdout }).on('line', (line) => {
    const { id, result, error } = JSON.parse(line);
    const asked = waiting.get(id);
    waiting.delete(id);
    if (error) asked?.reject(new Error(error.message));
    else asked?.resolve(result);
  });
  const send = (message) => child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  let last = 0;
  const ask = (method, params) =>
    new Promise((resolve, reject) => {
      last += 1;
      waiting.set(last, { resolve, reject });
      send({ id: last, method, params });
    });
  const clientInfo = { name: 'test', version: '1' };
  await ask('initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo });
  send({ method: 'notifications/initialized' });
  const end = () =>
    new Promise((resolve) => {
      child.on('close', resolve);
      child.stdin.end();
    });
  return { ask, end };
}
