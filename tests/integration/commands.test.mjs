// What users and scripts rely on in the binary: its commands, its exit codes, the shape of --json.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import { serverEntries } from '../../scripts/lib/servers.mjs';
import { run, runJson, workspace } from '../lib/tta.mjs';

const files = () => ({ 'ant.md': 'An ant is small.\n' });
const filesystem = (t) => workspace(t, { servers: (folder) => ({ fs: serverEntries(folder).fs }), files });

test('tools search ranks what was asked for, as a table and as JSON', async (t) => {
  const folder = filesystem(t);
  const { code, json } = await runJson(folder, [
    'tools',
    'search',
    'read a text file',
    '--detail',
    'signature',
    '--trust',
  ]);
  assert.equal(code, 0);
  assert.equal(json.hits[0].path, 'fs.read_text_file');
  assert.match(json.hits[0].stub, /read_text_file\(/);
  assert.ok(json.searched >= json.matched && json.matched >= json.hits.length);
  const table = await run(folder, ['tools', 'search', 'read a text file', '--trust']);
  assert.match(table.stdout, /read_text_file/);
});

test('call gives a tool’s value, and a tool’s error as one', async (t) => {
  const folder = filesystem(t);
  const good = await run(folder, [
    'call',
    'fs',
    'read_text_file',
    JSON.stringify({ path: join(folder, 'ant.md') }),
    '--trust',
  ]);
  assert.equal(good.code, 0, good.stderr);
  assert.match(good.stdout, /An ant is small\./);
  const bad = await runJson(folder, [
    'call',
    'fs',
    'read_text_file',
    JSON.stringify({ path: '/etc/passwd' }),
    '--trust',
  ]);
  assert.equal(bad.code, 1);
  assert.equal(bad.json.calls[0].status, 'error');
  assert.equal(bad.json.error.kind, 'tool');
  assert.match(bad.json.error.message, /outside|denied/i);
});

test('a wrong argument is refused before the server sees it', async (t) => {
  const folder = filesystem(t);
  const { code, json } = await runJson(folder, ['call', 'fs', 'read_text_file', '{"path": 7}', '--trust']);
  assert.equal(code, 1);
  assert.equal(json.error.kind, 'arguments');
  assert.match(json.error.message, /path/);
});

test('servers lists each with its place, state, tools and tokens', async (t) => {
  const folder = filesystem(t);
  const { code, json } = await runJson(folder, ['servers', '--trust']);
  assert.equal(code, 0);
  const [fs] = json.servers;
  assert.equal(fs.name, 'fs');
  assert.equal(fs.source.file, join(folder, '.vscode/mcp.json'));
  assert.equal(fs.source.line, 3);
  assert.equal(fs.state, 'ready');
  assert.ok(fs.tools >= 10 && fs.definition_tokens > 500, JSON.stringify(fs));
});

const EXITS = [
  {
    name: 'a program that ends is 0',
    args: ['run', '-e', '1 + 1', '--lang', 'python'],
    code: 0,
    status: 'ok',
    result: 2,
  },
  {
    name: 'a program that fails is 1',
    args: ['run', '-e', '\n1 / 0', '--lang', 'python'],
    code: 1,
    status: 'error',
    kind: 'exception',
    line: 2,
  },
  {
    name: 'a program that does not parse is 1',
    args: ['run', '-e', 'let x = ;', '--lang', 'javascript'],
    code: 1,
    status: 'error',
    kind: 'syntax',
    line: 1,
  },
  {
    name: 'a deadline is 3',
    args: ['run', '-e', 'while True: pass', '--lang', 'python', '--timeout-ms', '300'],
    code: 3,
    status: 'limit',
    kind: 'deadline',
  },
  {
    name: 'a memory limit is 3',
    args: ['run', '-e', 'x = [bytearray(1 << 20) for _ in range(4096)]', '--lang', 'python', '--memory-mb', '64'],
    code: 3,
    status: 'limit',
    kind: 'memory',
  },
];

for (const { name, args, code, status, kind, line, result } of EXITS) {
  test(`exit code: ${name}`, async (t) => {
    const done = await runJson(workspace(t), args);
    assert.equal(done.code, code, done.stderr);
    const { json } = done;
    assert.deepEqual(
      [json.status, json.error?.kind, json.error?.line, json.result],
      [status, kind, line ?? json.error?.line, result],
    );
    assertShape(json);
  });
}

test('exit code: wrong usage is 2 and says what is right', async (t) => {
  const folder = workspace(t);
  const unknown = await run(folder, ['run', '--lang', 'cobol', '-e', '1']);
  assert.equal(unknown.code, 2);
  assert.match(unknown.stderr, /python/);
  const missing = await run(folder, ['run', 'nowhere.py']);
  assert.equal(missing.code, 2);
  assert.match(missing.stderr, /nowhere\.py/);
  assert.equal(missing.stdout, '', 'stdout carries results only');
});

test('exit code: a daemon without its guests is 5 and says how to build them', async (t) => {
  const folder = workspace(t);
  const { code, stdout, stderr } = await run(folder, ['run', '-e', '1', '--lang', 'python'], {
    env: { TTA_GUESTS_DIR: folder },
  });
  assert.equal(code, 5, stderr);
  assert.match(stdout + stderr, /guests/);
});

/** The names that --json promises. */
function assertShape(json) {
  const missing = ['run_id', 'status', 'stdout', 'stderr', 'calls', 'usage', 'truncated'].filter(
    (key) => !(key in json),
  );
  assert.deepEqual(missing, []);
  assert.deepEqual(Object.keys(json.usage).sort(), ['cpu_ms', 'output_bytes', 'peak_memory_bytes', 'wall_ms']);
}
