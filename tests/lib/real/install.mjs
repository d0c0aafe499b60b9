// Real MCP servers that only the tests start, pinned, installed once under target/test-servers: from npm, from PyPI, and a real
// Prometheus out of the system's package, unpacked there: nothing is installed into the system, and no service is started.
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, step } from '../../../scripts/lib/step.mjs';
import { has } from '../../../scripts/lib/toolchain.mjs';

const pins = join(root, 'tests', 'servers');
const folder = join(root, 'target', 'test-servers');
const stamp = join(folder, '.ready');
const venv = join(folder, 'venv');
const unpacked = join(folder, 'prometheus');
const FILES = ['package.json', 'package-lock.json', 'constraints.txt', '.npmrc'];
const PYTHON_SERVERS = ['mcp-grafana', 'mcp-server-fetch', 'jons-mcp-pyright'];

/** Installs them unless they are there already. */
export async function installTestServers() {
  const wanted = createHash('sha256')
    .update(Buffer.concat(FILES.map((name) => readFileSync(join(pins, name)))))
    .digest('hex');
  if (!(existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted)) {
    mkdirSync(folder, { recursive: true });
    for (const name of FILES) copyFileSync(join(pins, name), join(folder, name));
    await Promise.all([fromNpm(), fromPypi()]);
    writeFileSync(stamp, wanted);
  }
  if (!prometheus() && has('apt-get') && has('dpkg-deb')) await fromSystem();
}

/** The command of a Prometheus, where there is one. */
export function prometheus() {
  const found = join(unpacked, 'usr', 'bin', 'prometheus');
  if (existsSync(found)) return found;
  return has('prometheus') ? 'prometheus' : undefined;
}

/** The command of a server from npm whose main file is `main` in its package. */
export function npm(name, main, args = [], env = {}) {
  return { command: process.execPath, args: [join(folder, 'node_modules', name, main), ...args], env };
}

/** The command of a server from PyPI. */
export function pypi(name, args = [], env = {}) {
  return { command: join(venv, 'bin', name), args, env };
}

/** The version that a server's package is pinned to. */
export function versionOf(name) {
  for (const place of [pins, join(root, 'scripts', 'servers')]) {
    const { dependencies } = JSON.parse(readFileSync(join(place, 'package.json'), 'utf8'));
    const constraints = readFileSync(join(place, 'constraints.txt'), 'utf8').split('\n');
    const constraint = constraints.find((line) => line.startsWith(`${name}==`));
    const version = dependencies[name] ?? constraint?.split('==')[1];
    if (version) return version;
  }
  throw new Error(`${name} is pinned nowhere`);
}

async function fromNpm() {
  await step('Test servers: from npm', 'npm', ['ci', '--ignore-scripts'], { cwd: folder });
}

async function fromPypi() {
  await step('Test servers: a virtual environment', 'python3', ['-m', 'venv', '--clear', venv]);
  const pip = ['-m', 'pip', 'install', '--disable-pip-version-check', '--constraint', join(folder, 'constraints.txt')];
  await step('Test servers: from PyPI', join(venv, 'bin', 'python'), [...pip, ...PYTHON_SERVERS]);
}

/** Lists of our own where the system has none yet: they need no rights. */
async function fromSystem() {
  rmSync(unpacked, { recursive: true, force: true });
  const lists = join(unpacked, 'lists');
  mkdirSync(join(lists, 'partial'), { recursive: true });
  const download = (options, allowFailure) =>
    step('Prometheus: its package', 'apt-get', [...options, 'download', 'prometheus'], { cwd: unpacked, allowFailure });
  if ((await download([], true)).code !== 0) {
    const own = ['-o', `Dir::State::lists=${lists}`, '-o', `Dir::Cache=${unpacked}`, '-o', 'APT::Sandbox::User='];
    await step('Prometheus: lists of packages', 'apt-get', [...own, 'update', '-q']);
    await download(own, false);
  }
  const [deb] = readdirSync(unpacked).filter((name) => name.endsWith('.deb'));
  await step('Prometheus: unpack', 'dpkg-deb', ['-x', join(unpacked, deb), unpacked]);
}
