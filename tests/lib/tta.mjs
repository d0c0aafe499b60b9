// Runs the built `tta` as a user's shell would, with user data of its own for each workspace, and makes the workspaces.
// Only the compiled guests are shared: they belong to the machine, and compiling Python takes ten seconds.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { binary } from '../../scripts/lib/build.mjs';
import { root } from '../../scripts/lib/step.mjs';

/** The binary under test. */
export const tta = process.env.TTA_BIN ?? binary('debug');

/** What the tests keep between runs: the folder of all caches, and in it that of `tta`. */
const caches = join(root, 'target', 'tests', 'cache');
export const guestCache = join(caches, 'tta');

const LONGEST_MS = 120_000;

/**
 * A scratch folder with what `files` returns for it, and a `.vscode/mcp.json` naming what `servers` returns for it; removed
 * after the test `t`.
 */
export function workspace(t, { servers = () => ({}), files = () => ({}) } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'tta-ws-'));
  t.after(() => {
    for (const made of [folder, homeOf(folder)]) rmSync(made, { recursive: true, force: true, maxRetries: 5 });
  });
  configure(folder, servers(folder));
  for (const [name, text] of Object.entries(files(folder))) put(join(folder, name), text);
  return folder;
}

/** Makes the workspace a repository with one commit of all that is in it. */
export function commitAll(folder, message) {
  const git = (...args) => execFileSync('git', ['-C', folder, '-c', 'user.name=t', '-c', 'user.email=t@t', ...args]);
  git('init', '--quiet');
  git('add', '--all');
  git('commit', '--quiet', '--message', message);
}

/** Writes the workspace's `.vscode/mcp.json`. */
export function configure(folder, servers) {
  put(join(folder, '.vscode', 'mcp.json'), JSON.stringify({ servers }, null, 2));
}

function put(path, text) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

/** Runs `tta args…` in the workspace `cwd`, or `through` another command, and returns {code, stdout, stderr}. */
export async function run(cwd, args, { stdin = '', env = {}, through = [], longestMs = LONGEST_MS } = {}) {
  if (!existsSync(tta)) throw new Error(`${tta} is missing. Build it: cargo build -p cli`);
  const home = homeOf(cwd);
  mkdirSync(home, { recursive: true });
  const [command = tta, ...rest] = [...through, tta, ...args];
  const child = spawn(command, rest, {
    cwd,
    env: { PATH: process.env.PATH, HOME: home, XDG_CACHE_HOME: caches, ...env },
    timeout: longestMs,
    killSignal: 'SIGKILL',
  });
  // A command that needs no input may have ended before it is written.
  child.stdin.on('error', () => undefined).end(stdin);
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (chunk) => (stdout += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk) => (stderr += chunk));
  const code = await new Promise((resolve, reject) => {
    child.on('error', reject).on('close', (status, signal) => resolve(status ?? signal));
  });
  return { code, stdout, stderr };
}

/** Like {@link run} with `--json`: the one object on stdout, beside the exit code. */
export async function runJson(cwd, args, options) {
  const done = await run(cwd, [...args, '--json'], options);
  try {
    return { ...done, json: JSON.parse(done.stdout) };
  } catch (error) {
    throw new Error(`tta ${args.join(' ')} printed no JSON (exit ${done.code}): ${done.stdout}\n${done.stderr}`, {
      cause: error,
    });
  }
}

/**
 * Starts `tta args…` in the workspace `cwd`, which goes on until the test `t` ends. Returns its first line on stdout, and
 * `end`, which ends it as Ctrl-C does.
 */
export async function serve(t, cwd, args) {
  const home = homeOf(cwd);
  mkdirSync(home, { recursive: true });
  const env = { PATH: process.env.PATH, HOME: home, XDG_CACHE_HOME: caches };
  const child = spawn(tta, args, { cwd, env, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'close');
  const end = async () => {
    child.kill('SIGINT');
    await ended;
  };
  t.after(end);
  const [line] = await Promise.race([once(createInterface(child.stdout), 'line'), ended]);
  return { line: String(line), end };
}

/**
 * Runs `tta args…` on a terminal. Each of `steps` is a text to wait for and the keys to send then. Returns the exit code and
 * what the terminal showed.
 */
export async function runOnTerminal(cwd, args, steps) {
  const through = ['python3', join(import.meta.dirname, 'terminal.py'), JSON.stringify(steps)];
  const { stdout, stderr } = await run(cwd, args, { through, env: { NO_COLOR: '1' } });
  assert.equal(stderr, '');
  return JSON.parse(stdout);
}

/** The home of the user who works in `folder`: beside it, never this machine's own. */
function homeOf(folder) {
  return `${folder}-home`;
}
