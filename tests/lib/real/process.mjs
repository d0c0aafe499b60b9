// Long-lived processes beside the daemon: what serves HTTP on a port that the system named. Each ends with its test.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../ports.mjs';

const TRIES = 5;
const PATIENCE_MS = 60_000;
const KEPT_CHARS = 4_000;

/**
 * Starts `command(port)`, {command, args, env}, until the test `t` is over, and waits until it listens. Another process may take the
 * port first: then it ends, and is started on another one. Returns the port.
 */
export async function listening(t, name, command) {
  for (let tried = 1; ; tried += 1) {
    const port = await freePort();
    const started = start(t, command(port));
    const ended = await started.opens(port);
    if (!ended) return port;
    if (tried === TRIES) throw new Error(`${name} does not listen on a port: ${ended}\n${started.output()}`);
  }
}

/** A scratch folder that is gone after the test `t`. */
export function scratch(t, name) {
  const folder = mkdtempSync(join(tmpdir(), `tta-${name}-`));
  t.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}

function start(t, { command, args, env = {} }) {
  const cwd = scratch(t, 'http');
  const child = spawn(command, args, {
    cwd,
    env: { PATH: process.env.PATH, HOME: cwd, ...env },
    detached: true, // A group of its own: what it starts ends with it.
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [output, ended] = ['', undefined];
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk) => (output = (output + chunk).slice(-KEPT_CHARS)));
  }
  const gone = new Promise((resolve) => {
    child.once('error', (error) => resolve((ended = String(error))));
    child.once('exit', (code, signal) => resolve((ended = `it ended with ${code ?? signal}`)));
  });
  t.after(async () => {
    if (child.pid && !ended) process.kill(-child.pid, 'SIGKILL');
    await gone;
  });
  return {
    output: () => output,
    /** Waits until it accepts connections on `port`; what happened, where it ended instead. */
    async opens(port) {
      const end = Date.now() + PATIENCE_MS;
      while (!ended && Date.now() < end) {
        if (await accepts(port)) return ended;
        await Promise.race([gone, new Promise((resolve) => setTimeout(resolve, 50))]);
      }
      return ended ?? `nothing listened after ${PATIENCE_MS / 1000} s`;
    },
  };
}

function accepts(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const done = (open) => () => (socket.destroy(), resolve(open));
    socket.once('connect', done(true)).once('error', done(false));
  });
}
