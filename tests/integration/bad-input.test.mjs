// Bad configuration and bad servers: each is named, with its place and what to do, and nothing else stops working.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { serverEntries } from '../../scripts/lib/servers.mjs';
import { runJson, workspace } from '../lib/tta.mjs';

const LIST = (server) => `from servers import ${server}\nawait ${server}.list_directory(path=".")`;

test('an mcp.json that does not parse is reported with its line', async (t) => {
  const folder = workspace(t, {
    files: () => ({ '.vscode/mcp.json': '{\n  "servers": {\n    "fs": {"command" "node"}\n  }\n}\n' }),
  });
  const { code, json } = await runJson(folder, ['doctor', '--trust']);
  assert.equal(code, 1);
  const broken = json.checks.filter(({ ok }) => !ok);
  assert.deepEqual(
    broken.map(({ name }) => name),
    ['.vscode/mcp.json:3'],
  );
  assert.match(broken[0].detail, /JSON/);
  assert.match(broken[0].mend, /mended/);
});

test('a server whose command does not exist fails its caller, and the others still answer', async (t) => {
  const servers = (folder) => ({
    gone: { command: 'no-such-command-of-ours', args: [] },
    fs: serverEntries(folder).fs,
  });
  const folder = workspace(t, { servers, files: () => ({ 'ant.md': 'An ant.\n' }) });
  const bad = await runJson(folder, ['run', '-e', LIST('gone'), '--lang', 'python', '--trust']);
  assert.equal(bad.code, 1);
  assert.match(JSON.stringify(bad.json.error), /no-such-command-of-ours/);
  const good = await runJson(folder, ['call', 'fs', 'list_directory', JSON.stringify({ path: folder }), '--trust']);
  assert.equal(good.code, 0, good.stderr);
  const { json } = await runJson(folder, ['servers', '--trust']);
  const [gone, fs] = ['gone', 'fs'].map((name) => json.servers.find((server) => server.name === name));
  assert.equal(gone.state, 'failed');
  assert.match(gone.last_error, /no-such-command-of-ours/);
  assert.ok(fs.tools >= 10 && fs.last_error === undefined, JSON.stringify(fs));
});

test('a server that prints garbage and one that dies are told from the program', async (t) => {
  const node = (script) => ({ command: process.execPath, args: ['-e', script] });
  const servers = () => ({
    garbage: node('setInterval(() => console.log("<html>not JSON</html>\\n".repeat(100)), 1)'),
    dies: node('process.stderr.write("no licence key\\n"); process.exit(7)'),
  });
  const folder = workspace(t, { servers });
  for (const [server, says] of [
    ['garbage', /server `garbage` .*not JSON-RPC.*<html>/],
    ['dies', /server `dies` .*exit status: 7.*no licence key/],
  ]) {
    const { code, json } = await runJson(folder, ['run', '-e', LIST(server), '--lang', 'python', '--trust']);
    assert.equal(code, 1);
    assert.deepEqual([json.error.kind, json.error.line], ['tool', 1]);
    assert.match(json.error.message, says);
  }
});

test('in an untrusted workspace nothing is started, and the run says why', async (t) => {
  const marker = (folder) => join(folder, 'started');
  const servers = (folder) => ({
    mine: {
      command: process.execPath,
      args: ['-e', `require('fs').writeFileSync(${JSON.stringify(marker(folder))}, '')`],
    },
  });
  const folder = workspace(t, { servers });
  const { code, json } = await runJson(folder, ['run', '-e', LIST('mine'), '--lang', 'python']);
  assert.equal(code, 4);
  assert.equal(json.status, 'denied');
  assert.match(JSON.stringify(json.error), /trust/);
  const { json: list } = await runJson(folder, ['servers']);
  assert.deepEqual(
    list.servers.map(({ name, state }) => [name, state]),
    [['mine', 'untrusted']],
  );
  assert.ok(!existsSync(marker(folder)), 'the server’s command never ran');
});
