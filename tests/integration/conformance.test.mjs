// The official conformance suite and the MCP Inspector against `tta mcp`, as a client of another make meets it.
// Every scenario of the suite is either passed or listed with why it cannot apply, so that a new one is noticed.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import test, { before } from 'node:test';
import { root, step } from '../../scripts/lib/step.mjs';
import { guestCache, tta, workspace } from '../lib/tta.mjs';

const pins = join(import.meta.dirname, 'conformance');
const folder = join(root, 'target', 'conformance');
const modules = join(folder, 'node_modules');
const node = join(modules, `node-linux-${process.arch}`, 'bin', 'node');
const suite = join(modules, '@modelcontextprotocol', 'conformance', 'dist', 'index.js');
const inspector = join(modules, '@modelcontextprotocol', 'inspector', 'clients', 'launcher', 'build', 'index.js');

const APPLY = ['server-initialize', 'ping', 'tools-list', 'server-sse-multiple-streams', 'dns-rebinding-protection'];

// Scenarios for what `tta` does not offer, or that call tools which only the suite's own server has.
const CANNOT_APPLY = {
  'the suite’s own tools': /^(tools-call-|elicitation-|server-sse-polling$|json-schema-2020-12$)/,
  'resources are not offered': /^resources-/,
  'prompts are not offered': /^prompts-/,
  'completion is not offered': /^completion-/,
  'logging is not offered': /^logging-/,
};

before(async () => {
  const files = ['package.json', 'package-lock.json', '.npmrc'];
  const wanted = createHash('sha256')
    .update(Buffer.concat(files.map((name) => readFileSync(join(pins, name)))))
    .digest('hex');
  const stamp = join(folder, '.ready');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  mkdirSync(folder, { recursive: true });
  for (const name of files) copyFileSync(join(pins, name), join(folder, name));
  await step('Conformance suite, Inspector and their Node', 'npm', ['ci', '--ignore-scripts'], { cwd: folder });
  writeFileSync(stamp, wanted);
});

/** Starts `tta mcp --http` in a workspace and returns its URL and token; it ends with the test. */
async function serve(t, ...flags) {
  const cwd = workspace(t);
  const env = { ...process.env, HOME: cwd, XDG_CACHE_HOME: dirname(guestCache) };
  const args = ['mcp', '--http', '127.0.0.1:0', ...flags];
  const child = spawn(tta, args, { cwd, env, stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = new Promise((resolve) => child.on('close', resolve));
  t.after(async () => {
    child.kill('SIGTERM');
    assert.equal(await ended, 0, 'a signal ends it in order');
  });
  const server = {};
  for await (const line of createInterface({ input: child.stderr })) {
    server.url ??= /MCP at (\S+)/.exec(line)?.[1];
    server.token ??= /Bearer (\S+)/.exec(line)?.[1];
    if (server.url && (server.token || line.includes('WARNING'))) return server;
  }
  throw new Error(`tta ended with ${await ended}`);
}

/** Runs a script with the Node that the suite asks for. */
async function runNode(script, args, cwd = folder) {
  const env = { ...process.env, PATH: dirname(node) + delimiter + process.env.PATH, NO_COLOR: '1', HOME: cwd };
  const child = spawn(node, [script, ...args], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], timeout: 240_000 });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (chunk) => (stdout += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk) => (stderr += chunk));
  const code = await new Promise((resolve, reject) => child.on('error', reject).on('close', resolve));
  return { code, stdout, stderr };
}

test('every scenario of the suite that applies is passed', async (t) => {
  const { url } = await serve(t, '--insecure-no-token');
  const { stdout, stderr } = await runNode(suite, ['server', '--url', url, '--suite', 'active']);
  const lines = [...stdout.matchAll(/^\S+ ([\w-]+): (\d+) passed, (\d+) failed/gm)];
  const results = new Map(lines.map(([, name, passed, failed]) => [name, { passed: +passed, failed: +failed }]));
  assert.ok(results.size >= 25, `the suite ran: ${stdout}\n${stderr}`);
  for (const name of APPLY) {
    const { passed = 0, failed = 0 } = results.get(name) ?? {};
    assert.ok(passed > 0 && failed === 0, `${name}: ${passed} passed, ${failed} failed\n${stdout}`);
  }
  const explained = (name) => APPLY.includes(name) || Object.values(CANNOT_APPLY).some((why) => why.test(name));
  const unexplained = [...results.keys()].filter((name) => !explained(name));
  assert.deepEqual(unexplained, [], 'a scenario that is neither passed nor explained');
});

test('the Inspector lists and calls the tools over HTTP with the token, and not without', async (t) => {
  const { url, token } = await serve(t);
  const over = (header, ...args) => runNode(inspector, ['--cli', url, '--transport', 'http', ...header, ...args]);
  const bearer = ['--header', `Authorization: Bearer ${token}`];
  const listed = await over(bearer, '--method', 'tools/list');
  assert.equal(listed.code, 0, listed.stderr);
  assert.deepEqual(
    JSON.parse(listed.stdout).tools.map(({ name }) => name),
    ['run_code', 'search_tools'],
  );
  const code = ['--tool-arg', 'code=6 * 7', '--tool-arg', 'language=python'];
  const called = await over(bearer, '--method', 'tools/call', '--tool-name', 'run_code', ...code);
  assert.equal(JSON.parse(called.stdout).content[0].text, '42', called.stderr);
  const refused = await over([], '--method', 'tools/list');
  assert.notEqual(refused.code, 0, refused.stdout);
});

test('the Inspector calls a tool over stdio', async (t) => {
  const cwd = workspace(t);
  const server = ['-e', `XDG_CACHE_HOME=${dirname(guestCache)}`, tta, 'mcp'];
  const call = ['--method', 'tools/call', '--tool-name', 'run_code', '--tool-arg', 'code=[n * n for n in range(4)]'];
  const { code, stdout, stderr } = await runNode(inspector, ['--cli', ...server, ...call], cwd);
  assert.equal(code, 0, stderr);
  assert.equal(JSON.parse(stdout).content[0].text, '[0,1,4,9]');
});
