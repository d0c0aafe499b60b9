// The official conformance suites and the MCP Inspector: our endpoint and our bridge against the suites of both eras, and
// `tta mcp` as a client of another make meets it. The suites call tools of their own, so that they meet our endpoint with
// those behind it (the example `conformance-server` of `server/mcp`), and our client as the bridge behind a small program
// (the example `conformance-client` of `server/bridge`).
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
const inspector = join(modules, '@modelcontextprotocol', 'inspector', 'clients', 'launcher', 'build', 'index.js');
const example = (name) => join(root, 'target', 'debug', 'examples', name);

// What each suite runs, by the package of it and the revision of the protocol.
const SUITES = [
  { version: '0.1.16', name: '@modelcontextprotocol/conformance', revision: '2025-11-25' },
  { version: '0.2.0-alpha.12', name: 'conformance-next', revision: '2025-11-25' },
  { version: '0.2.0-alpha.12', name: 'conformance-next', revision: '2026-07-28' },
];

// What the suites ask of any server, and so of `tta mcp` itself: the rest needs tools of their own.
const ASKED_OF_ALL = {
  '2025-11-25': [
    ...['server-initialize', 'ping', 'logging-set-level', 'completion-complete', 'tools-list', 'resources-list'],
    ...['prompts-list', 'server-sse-polling', 'server-sse-multiple-streams', 'dns-rebinding-protection'],
  ],
  '2026-07-28': [
    ...['completion-complete', 'tools-list', 'resources-list', 'prompts-list', 'caching', 'http-header-validation'],
    ...['server-sse-multiple-streams', 'dns-rebinding-protection', 'sep-2164-resource-not-found'],
  ],
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
  await step('Conformance suites, Inspector and their Node', 'npm', ['ci', '--ignore-scripts'], { cwd: folder });
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

/** Starts the endpoint with the suites' own tools behind it; it ends with the test. */
async function fixture(t) {
  const child = spawn(example('conformance-server'), { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = new Promise((resolve, reject) => child.on('error', reject).on('close', resolve));
  t.after(async () => {
    child.stdin.end();
    assert.equal(await ended, 0, 'it ends with its stdin');
  });
  for await (const line of createInterface({ input: child.stdout })) return line;
  throw new Error(`the endpoint ended with ${await ended}`);
}

/** Runs one suite to its end, and counts its checks. */
async function runSuite({ version, name, revision }, mode, ...args) {
  const script = join(modules, ...name.split('/'), 'dist', 'index.js');
  const { code, stdout, stderr } = await runNode(script, [mode, ...args, '--suite', 'all', '--spec-version', revision]);
  const [, passed, failed] = /^Total: (\d+) passed, (\d+) failed/m.exec(stdout) ?? [];
  assert.ok(Number(passed) > 0, `the suite ran: ${stdout}\n${stderr}`);
  return {
    code,
    failed: Number(failed),
    stdout,
    counts: `${mode} ${version} at ${revision}: ${passed} passed, ${failed} failed`,
  };
}

for (const suite of SUITES) {
  test(`our endpoint passes all of suite ${suite.version} at ${suite.revision}`, async (t) => {
    const { code, failed, stdout, counts } = await runSuite(suite, 'server', '--url', await fixture(t));
    t.diagnostic(counts);
    assert.ok(code === 0 && failed === 0, stdout);
  });

  test(`our client passes all of suite ${suite.version} at ${suite.revision}`, async (t) => {
    const { code, failed, stdout, counts } = await runSuite(
      suite,
      'client',
      '--command',
      example('conformance-client'),
    );
    t.diagnostic(counts);
    assert.ok(code === 0 && failed === 0, stdout);
  });
}

test('what the suites ask of any server, `tta mcp` does', async (t) => {
  const { url } = await serve(t, '--insecure-no-token');
  for (const suite of [SUITES[0], SUITES[2]]) {
    const { stdout } = await runSuite(suite, 'server', '--url', url);
    const passed = new Set([...stdout.matchAll(/^✓ ([\w-]+): [1-9]/gm)].map(([, name]) => name));
    const missing = ASKED_OF_ALL[suite.revision].filter((name) => !passed.has(name));
    assert.deepEqual(missing, [], stdout);
  }
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
