// `npm run bench`: measures the whole daemon beside what it is compared with, in one run, and prints the table.
//
// Figures move by ±20 % on a shared machine; the ratios are what counts, since both sides are taken in the same minutes.
import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { binary, daemonAndGuests } from './lib/build.mjs';
import { dashboardCost } from './lib/dashboard_cost.mjs';
import { installServers, serverEntries } from './lib/servers.mjs';
import { main, root, step } from './lib/step.mjs';
import { checkToolchain } from './lib/toolchain.mjs';
import { rows, table } from './lib/table.mjs';

const folder = join(root, 'target', 'bench');
const sources = join(root, 'tests', 'bench');

await main(async () => {
  checkToolchain();
  // With the daemon in one command: what they share is then built once, with one set of features.
  const examples = ['bench', 'bare', 'cost', 'load', 'million'].flatMap((name) => ['--example', name]);
  await daemonAndGuests('release', [
    '-p',
    'daemon',
    '-p',
    'bridge',
    '-p',
    'ledger',
    '-p',
    'testkit',
    '--bins',
    ...examples,
  ]);
  await installServers();
  await installPeers();
  const real = serverEntries(folder).everything;
  const realCommand = [real.command, ...real.args];
  const scripted = binary('release', 'faulty-server');
  const env = { ...process.env, TTA_BENCH_DATA: mkdtempSync(join(tmpdir(), 'tta-bench-')) };
  // The compiled guests belong to an installation, not to a start: the first start makes them, and is not measured.
  await firstReply(env);
  const starts = await repeat(9, () => firstReply(env));
  spawnSync(binary('release'), ['run', '-e', '1+1', '--lang', 'python', '--data-dir', env.TTA_BENCH_DATA]);
  spawnSync(binary('release'), ['run', '-e', '1+1', '--lang', 'javascript', '--data-dir', env.TTA_BENCH_DATA]);
  const daemon = await json(
    'Bench: the daemon',
    binary('release', join('examples', 'bench')),
    [scripted, ...realCommand],
    env,
  );
  const bare = binary('release', join('examples', 'bare'));
  const figures = {
    ...daemon,
    first_reply_ms: best(starts),
    bare_fast_1000_ms: (await json('Bench: bare client, scripted server', bare, ['1000', scripted, 'ok'])).best_ms,
    bare_real_100_ms: (await json('Bench: bare client, real server', bare, ['100', ...realCommand])).best_ms,
    ledger: await ledgerCost(),
    ledger_million: await ledgerMillion(),
    dashboard: await dashboardCost({ tta: binary('release'), kept: join(folder, 'million') }),
    ledger_load: await json('Bench: the ledger under load', binary('release', join('examples', 'load')), []),
    python_start_ms: processStart(realPython(), ['-c', '1+1'], 25),
    node_start_ms: processStart(process.execPath, ['-e', '1+1'], 25),
    pyodide_start_ms: processStart(process.execPath, [join(folder, 'pyodide.mjs')], 4),
    native_python: JSON.parse(native(realPython(), 'cpu.py', '\nprint(json.dumps(result))\n')),
    native_node: JSON.parse(
      native(process.execPath, 'cpu.js', '\nconsole.log(JSON.stringify(globalThis.result));\n', ['--jitless']),
    ),
  };
  rmSync(env.TTA_BENCH_DATA, { recursive: true, force: true });
  writeFileSync(join(folder, 'figures.json'), JSON.stringify(figures, null, 2));
  const [cpu] = cpus();
  const memory = `${(totalmem() / 2 ** 30).toFixed(0)} GiB`;
  console.log(
    `\n${cpus().length} × ${cpu?.model ?? 'unknown CPU'}, ${memory}, ${process.platform}; node ${process.version}, ${version(realPython())}\n`,
  );
  console.log(table(rows(figures)));
});

/** A ledger of a million calls takes minutes to fill: it is kept for the next run, once it is whole. */
async function ledgerMillion() {
  const [kept, whole] = [join(folder, 'million'), join(folder, 'million', 'whole')];
  if (!existsSync(whole)) rmSync(kept, { recursive: true, force: true });
  mkdirSync(kept, { recursive: true });
  const program = binary('release', join('examples', 'million'));
  const measured = await json('Bench: a ledger of a million calls', program, ['1000000', kept]);
  writeFileSync(whole, '');
  return measured;
}

/** What is measured beside us, from the registry, pinned. */
async function installPeers() {
  mkdirSync(folder, { recursive: true });
  for (const file of readdirSync(sources)) copyFileSync(join(sources, file), join(folder, file));
  copyFileSync(join(root, '.npmrc'), join(folder, '.npmrc'));
  await step('Bench: pyodide from npm', 'npm', ['ci', '--ignore-scripts'], { cwd: folder });
}

/** The interpreter itself: a version manager's shim would flatter us. */
function realPython() {
  return spawnSync('python3', ['-c', 'import sys; print(sys.executable)'], { encoding: 'utf8' }).stdout.trim();
}

function version(command) {
  return spawnSync(command, ['--version'], { encoding: 'utf8' }).stdout.trim();
}

/** Median time of starting a process and waiting for its end. */
function processStart(command, args, count) {
  const times = Array.from({ length: count }, () => {
    const started = performance.now();
    const { status, stderr } = spawnSync(command, args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
    if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr}`);
    return performance.now() - started;
  });
  return median(times);
}

/** The same text as the sandbox ran, in the language's own interpreter. */
function native(command, file, ending, flags = []) {
  const ran = join(folder, `native-${file}`);
  const source = spawnSync('cat', [join(sources, file)], { encoding: 'utf8' }).stdout;
  writeFileSync(ran, source.replace(/\nresult\n$/, '\n') + ending);
  const { stdout, stderr, status } = spawnSync(command, [...flags, ran], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return stdout;
}

/** From exec of the daemon to the reply to its first Python program, over MCP. */
function firstReply(env) {
  const started = performance.now();
  const args = ['mcp', '--workspace', folder];
  const child = spawn(binary('release'), args, {
    env: { ...env, XDG_DATA_HOME: env.TTA_BENCH_DATA, XDG_CACHE_HOME: env.TTA_BENCH_DATA },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const send = (message) => child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  const clientInfo = { name: 'bench', version: '1' };
  send({ id: 1, method: 'initialize', params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo } });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    createInterface({ input: child.stdout }).on('line', (line) => {
      const { id, result } = JSON.parse(line);
      if (id === 1) {
        send({ method: 'notifications/initialized' });
        send({
          id: 2,
          method: 'tools/call',
          params: { name: 'run_code', arguments: { code: '1+1', language: 'python' } },
        });
      } else if (id === 2) {
        if (result?.content?.[0]?.text !== '2') reject(new Error(line));
        const ms = performance.now() - started;
        child.on('exit', () => resolve(ms));
        child.stdin.end();
      }
    });
  });
}

/** What handing a run with one call to the ledger costs its caller. */
async function ledgerCost() {
  const { output } = await step('Bench: the ledger', binary('release', join('examples', 'cost')), []);
  const [busy, rested] = [...output.matchAll(/record, +1 calls .*p50 +([\d.]+) us, p99 +([\d.]+) us/g)].map(
    ([, p50, p99]) => ({ p50_us: Number(p50), p99_us: Number(p99) }),
  );
  return { busy, rested };
}

async function json(title, command, args, env = process.env) {
  const { output } = await step(title, command, args, { env });
  return JSON.parse(output.trim().split('\n').at(-1));
}

async function repeat(count, body) {
  const all = [];
  for (let i = 0; i < count; i++) all.push(await body());
  return all;
}

function best(times) {
  return Math.min(...times);
}

function median(times) {
  return [...times].sort((a, b) => a - b)[Math.floor(times.length / 2)];
}
