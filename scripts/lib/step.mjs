// One long step: says what it does, shows that it is alive, keeps its whole output in a log, and on failure prints the
// end of it. Leaves out what a step means; the scripts say that.
import { spawn } from 'node:child_process';
import { createWriteStream, mkdirSync } from 'node:fs';
import { join } from 'node:path';

export const root = join(import.meta.dirname, '..', '..');
const logs = join(root, 'target', 'logs');
const HEARTBEAT_MS = 20_000;
const TAIL_LINES = 60;
const KEPT_CHARS = 4 << 20;

/** A failure that was already explained to the user. */
export class Failed extends Error {}

/** Seconds since `start`, or minutes where they are many. */
export function elapsed(start) {
  const seconds = (performance.now() - start) / 1000;
  return seconds < 90 ? `${seconds.toFixed(1)} s` : `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}

/**
 * Runs a command as one step and returns what it printed. With `show` its output is passed on as it comes; with
 * `allowFailure` an exit code other than 0 is returned, not thrown.
 */
export async function step(title, command, args, { show = false, allowFailure = false, ...options } = {}) {
  const start = performance.now();
  console.log(`▸ ${title}`);
  mkdirSync(logs, { recursive: true });
  const logFile = join(logs, `${title.toLowerCase().replace(/[^a-z0-9]+/g, '-')}.log`);
  const log = createWriteStream(logFile);
  const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], ...options });
  let output = '';
  const take = (chunk) => {
    log.write(chunk);
    output = (output + chunk).slice(-KEPT_CHARS);
    if (show) process.stdout.write(chunk);
  };
  child.stdout.setEncoding('utf8').on('data', take);
  child.stderr.setEncoding('utf8').on('data', take);
  const heartbeat = setInterval(() => {
    if (!show) console.log(`  … ${title}, ${elapsed(start)}${lastLine(output)}`);
  }, HEARTBEAT_MS);
  const code = await new Promise((resolve, reject) => {
    child.on('error', reject).on('close', (status, signal) => resolve(status ?? signal));
  }).catch((error) => {
    take(String(error));
    return 127;
  });
  clearInterval(heartbeat);
  log.end();
  if (code !== 0 && !allowFailure) {
    if (!show) console.error(output.split('\n').slice(-TAIL_LINES).join('\n'));
    console.error(`✗ ${title} failed after ${elapsed(start)} (exit ${code}). The whole output: ${logFile}`);
    throw new Failed(title);
  }
  console.log(`${code === 0 ? '✓' : '✗'} ${title}, ${elapsed(start)}`);
  return { code, output };
}

/** Runs a script's main function: a failed step ends it with exit code 1, without a stack trace on top. */
export async function main(body) {
  try {
    await body();
  } catch (error) {
    if (!(error instanceof Failed)) console.error(error);
    process.exitCode = 1;
  }
}

function lastLine(output) {
  const line = output
    .trimEnd()
    .split(/[\r\n]/)
    .at(-1)
    ?.trim()
    .slice(0, 90);
  return line ? `: ${line}` : '';
}
