// The daemon killed at random moments of a program that calls servers with grandchildren: `TTA_DAEMON_KILLS` times. No
// process of any of them is left five seconds later, whoever waited for an answer hears of the end at once, and the next
// daemon answers soon. What the servers are is told by the mark in their environment, which their descendants inherit.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import test from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { binary } from '../../scripts/lib/build.mjs';
import { guestCache, tta, workspace } from '../lib/tta.mjs';

const KILLS = Number(process.env.TTA_DAEMON_KILLS ?? 10);
const SERVERS = ['a', 'b', 'c'];
const ORPHAN_MS = 5_000;
const HUNG_MS = 2_000;

const IMPORTS = SERVERS.map((name) => `import * as ${name} from "servers/${name}";`).join('\n');
const all = (call) => `await Promise.all([${SERVERS.map((name) => `${name}.${call}`).join(', ')}]);`;
const FIRST = `${IMPORTS}\n${all('echo({ n: 1 })')}\n"up"`;
const ENDLESS = `${IMPORTS}\n${all('grandchild({})')}\nfor (;;) ${all('slow({ ms: 5 })')}`;

test('a daemon that is killed leaves no process behind and nobody waiting', async (t) => {
  const servers = () =>
    Object.fromEntries(SERVERS.map((name) => [name, { command: binary('debug', 'faulty-server') }]));
  const folder = workspace(t, { servers });
  const starts = [];
  let [orphans, hung, most] = [0, 0, 0];
  for (let kill = 0; kill < KILLS; kill++) {
    const daemon = start(folder);
    assert.equal(await daemon.run(FIRST), 'up');
    starts.push(daemon.ms());
    const endless = daemon.run(ENDLESS);
    await pause(Math.random() * 300);
    most = Math.max(most, familyOf(daemon.pid).length);
    process.kill(daemon.pid, 'SIGKILL');
    hung += Number(
      !(await Promise.race([
        endless.then(
          () => false,
          () => true,
        ),
        pause(HUNG_MS, false),
      ])),
    );
    orphans += (await left(daemon.pid)).length;
  }
  starts.sort((a, b) => a - b);
  const at = (share) => starts[Math.min(starts.length - 1, Math.floor(starts.length * share))].toFixed(0);
  t.diagnostic(
    `${KILLS} daemons killed, with up to ${most} processes each: ${hung} callers hung, ${orphans} processes left after 5 s; ` +
      `from a daemon's start to its first answer through ${SERVERS.length} servers: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`,
  );
  assert.deepEqual({ hung, orphans }, { hung: 0, orphans: 0 });
  assert.ok(most > SERVERS.length, 'grandchildren were among the killed');
});

/** A daemon over MCP, and how long it has lived. */
function start(folder) {
  const began = performance.now();
  const home = `${folder}-home`;
  mkdirSync(home, { recursive: true });
  const child = spawn(tta, ['mcp', '--workspace', folder, '--trust'], {
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: home, XDG_CACHE_HOME: join(guestCache, '..') },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  child.stdin.on('error', () => undefined);
  const waiting = new Map();
  createInterface({ input: child.stdout })
    .on('line', (line) => {
      const { id, result, error } = JSON.parse(line);
      waiting.get(id)?.resolve(result ?? error);
    })
    .on('close', () => waiting.forEach(({ reject }) => reject(new Error('the daemon is gone'))));
  const ask = (method, params) => {
    const id = waiting.size + 1;
    const answer = withResolvers();
    waiting.set(id, answer);
    child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`);
    return answer.promise;
  };
  const clientInfo = { name: 'kills', version: '1' };
  const ready = ask('initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo }).then(() =>
    child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' })}\n`),
  );
  return {
    pid: child.pid,
    ms: () => performance.now() - began,
    run: async (code) => {
      await ready;
      const answer = await ask('tools/call', { name: 'run_code', arguments: { code, language: 'typescript' } });
      return answer.content[0].text;
    },
  };
}

function withResolvers() {
  const made = {};
  made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
  return made;
}

/** What is left of a daemon's servers when their time is up. */
async function left(owner) {
  const end = performance.now() + ORPHAN_MS;
  while (familyOf(owner).length > 0 && performance.now() < end) await pause(20);
  return familyOf(owner);
}

/** Ids of the processes that a daemon's servers are or have started. */
function familyOf(owner) {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((id) => {
      try {
        const environment = readFileSync(`/proc/${id}/environ`, 'latin1').split('\0');
        return environment.some(
          (variable) => variable.startsWith('TTA_SERVER=') && variable.split(':')[1] === `${owner}`,
        );
      } catch {
        return false; // It ended meanwhile, or is another user's.
      }
    });
}
