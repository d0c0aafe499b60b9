// Five real MCP servers from the registries, pinned, installed once under target/servers. Gives the entries that an
// mcp.json needs for them. Leaves out what is run over them.
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, step } from './step.mjs';

const pins = join(root, 'scripts', 'servers');
const folder = join(root, 'target', 'servers');
const stamp = join(folder, '.ready');
const venv = join(folder, 'venv');
const PYTHON_SERVERS = ['mcp-server-git', 'mcp-server-time'];

/** Installs the servers unless they are there already. */
export async function installServers() {
  const files = ['package.json', 'package-lock.json', 'constraints.txt', '.npmrc'];
  const wanted = createHash('sha256')
    .update(Buffer.concat(files.map((name) => readFileSync(join(pins, name)))))
    .digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  mkdirSync(folder, { recursive: true });
  for (const name of files) copyFileSync(join(pins, name), join(folder, name));
  await step('MCP servers: filesystem, memory, everything from npm', 'npm', ['ci', '--ignore-scripts'], {
    cwd: folder,
  });
  await step('MCP servers: a virtual environment', 'python3', ['-m', 'venv', '--clear', venv]);
  const pip = ['-m', 'pip', 'install', '--disable-pip-version-check', '--constraint', join(folder, 'constraints.txt')];
  await step('MCP servers: git, time from PyPI', join(venv, 'bin', 'python'), [...pip, ...PYTHON_SERVERS]);
  writeFileSync(stamp, wanted);
}

/** The entries of an mcp.json for a workspace in `workspace`: fs, memory, everything, git, time. */
export function serverEntries(workspace) {
  return {
    fs: npm('filesystem', [workspace]),
    memory: npm('memory', [], { MEMORY_FILE_PATH: join(workspace, 'memory.jsonl') }),
    everything: npm('everything'),
    git: python('mcp-server-git', ['--repository', workspace]),
    time: python('mcp-server-time', ['--local-timezone', 'UTC']),
  };
}

function npm(name, args = [], env = {}) {
  const main = join(folder, 'node_modules', '@modelcontextprotocol', `server-${name}`, 'dist', 'index.js');
  return { type: 'stdio', command: process.execPath, args: [main, ...args], env };
}

function python(name, args) {
  return { type: 'stdio', command: join(venv, 'bin', name), args, env: {} };
}
