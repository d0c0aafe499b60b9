// The proof, replayed: public task sets as MCP servers around their own Python code, and the four demonstrations, each call made
// for real through the one door. Everything is pinned and installed once under target/proof.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installServers, serverEntries } from '../../scripts/lib/servers.mjs';
import { Failed, root, step } from '../../scripts/lib/step.mjs';
import { demos } from './demos.mjs';

const sources = join(root, 'tests', 'proof');
const folder = join(root, 'target', 'proof');
const venv = join(folder, 'venv');
const python = join(venv, 'bin', 'python');

/** What the servers of the task sets import. */
const PACKAGES = ['mcp', 'mpmath', 'inspect-ai', 'toml'];
/** The task sets, without what they ask for in order to call models. */
const TASK_SETS = ['bfcl-eval==2026.3.23', 'inspect-evals==0.26.0'];
/** The server of each class of BFCL's multi-turn tasks. */
const BFCL = {
  gorilla_file_system: 'GorillaFileSystem',
  math_api: 'MathAPI',
  message_api: 'MessageAPI',
  ticket_api: 'TicketAPI',
  trading_bot: 'TradingBot',
  travel_api: 'TravelAPI',
  twitter_api: 'TwitterAPI',
  vehicle_control_api: 'VehicleControlAPI',
};
const TAU2 = ['retail', 'airline'];

/** The task sets by name, each with the servers that a host would have configured for it. */
const SUITES = {
  bfcl_base: Object.keys(BFCL),
  bfcl_long: Object.keys(BFCL),
  tau2_retail: TAU2,
  tau2_airline: TAU2,
};

/** Installs the task sets unless they are there already. */
export async function installTaskSets() {
  const wanted = createHash('sha256')
    .update(readFileSync(join(sources, 'constraints.txt')))
    .update(JSON.stringify([PACKAGES, TASK_SETS]))
    .digest('hex');
  const stamp = join(folder, '.ready');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  mkdirSync(folder, { recursive: true });
  await step('Task sets: a virtual environment', 'python3', ['-m', 'venv', '--clear', venv]);
  const pip = ['-m', 'pip', 'install', '--disable-pip-version-check', '--quiet'];
  const constraints = ['--constraint', join(sources, 'constraints.txt')];
  await step('Task sets: what they import, from PyPI', python, [...pip, ...constraints, ...PACKAGES]);
  await step('Task sets: BFCL and tau2 from PyPI', python, [...pip, '--no-deps', ...TASK_SETS]);
  // Compiled once here, and not by the first start of each server.
  await step('Task sets: compiled', python, ['-m', 'compileall', '-q', join(venv, 'lib')], { allowFailure: true });
  writeFileSync(stamp, wanted);
}

/** Replays the first `limit` tasks of each set with the command `tta` and returns what `tta bench tokens --json` says. */
export async function replay(tta, { limit, env = process.env } = {}) {
  const results = [];
  for (const [suite, servers] of Object.entries(SUITES)) {
    const place = mkdtempSync(join(tmpdir(), 'tta-proof-'));
    try {
      const scenario = join(place, 'scenario.json');
      writeFileSync(scenario, '{}');
      configure(place, Object.fromEntries(servers.map((name) => [name, server(name, scenario)])));
      const bounds = limit === undefined ? [] : ['--limit', String(limit)];
      const tasks = join(place, `${suite}.jsonl`);
      writeFileSync(tasks, output(python, [join(sources, 'suites.py'), suite, ...bounds]));
      const args = ['bench', 'tokens', tasks, '--scenario', scenario, '--trust', '--quiet', '--json', ...bounds];
      const options = { cwd: place, env, show: false };
      const { output: printed } = await step(`Replay: ${suite}`, tta, args, options);
      results.push(...JSON.parse(printed.slice(printed.indexOf('['))));
    } finally {
      rmSync(place, { recursive: true, force: true, maxRetries: 5 });
    }
  }
  return results;
}

/** Runs the demonstrations with the command `tta` and returns each one's title and replies, checked. */
export async function demonstrate(tta, { env = process.env } = {}) {
  await installServers();
  return demos.map(({ title, lay, programs, check }) => {
    const place = mkdtempSync(join(tmpdir(), 'tta-demo-'));
    try {
      lay(place);
      configure(place, serverEntries(place));
      const input = JSON.stringify({ folder: place });
      const replies = programs.map((name) => {
        const args = ['run', join(sources, 'demos', name), '--workspace', place, '--trust', '--json', '--input', input];
        return JSON.parse(output(tta, args, { cwd: place, env }));
      });
      check(
        replies.map(({ result }) => result),
        replies,
      );
      return { title, programs, replies };
    } finally {
      rmSync(place, { recursive: true, force: true, maxRetries: 5 });
    }
  });
}

function configure(place, servers) {
  mkdirSync(join(place, '.vscode'), { recursive: true });
  writeFileSync(join(place, '.vscode', 'mcp.json'), JSON.stringify({ servers }));
}

function server(name, scenario) {
  const args = name in BFCL ? ['bfcl_server.py', BFCL[name]] : ['tau2_server.py', name];
  const env = { TTA_SCENARIO: scenario };
  return { command: python, args: [join(sources, args[0]), args[1]], env, startup_timeout_ms: 300_000 };
}

function output(command, args, options = {}) {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 30, ...options });
  if (status !== 0) {
    console.error(stderr || stdout);
    throw new Failed(`${command} ${args.join(' ')}`);
  }
  return stdout;
}
