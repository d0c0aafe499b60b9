// The demo's workspace: a year of made-up orders, one CSV a month, in a git repository, with three real MCP servers over it.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { serverEntries } from '../lib/servers.mjs';
import { root } from '../lib/step.mjs';

const ORDERS_A_MONTH = 150;
const REGIONS = ['north', 'south', 'east', 'west'];
const PRODUCTS = ['lamp', 'chair', 'desk', 'shelf', 'rug', 'clock', 'mirror', 'sofa'];

/** The programs, each with what it does. */
export const programs = ['orders.py', 'returns.ts'];

/** Lays the workspace anew and returns its folder. */
export function layWorkspace() {
  const folder = join(root, 'target', 'demo', 'workspace');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, 'orders'), { recursive: true });
  mkdirSync(join(folder, '.vscode'));
  const random = generator(2026);
  for (let month = 1; month <= 12; month += 1) {
    const name = `2026-${String(month).padStart(2, '0')}`;
    writeFileSync(join(folder, 'orders', `${name}.csv`), ordersOf(name, random));
  }
  for (const program of programs) cpSync(join(root, 'scripts', 'demo', program), join(folder, program));
  const { fs, memory, git } = serverEntries(folder);
  writeFileSync(join(folder, '.vscode', 'mcp.json'), JSON.stringify({ servers: { fs, memory, git } }, null, 2));
  commitAll(folder);
  return folder;
}

function ordersOf(month, random) {
  const rows = Array.from({ length: ORDERS_A_MONTH }, (_, index) => {
    const day = String(1 + (index % 28)).padStart(2, '0');
    const [region, product] = [REGIONS, PRODUCTS].map((list) => list[random(list.length)]);
    return [`${month}-${day}`, region, product, 1_000 + random(90_000), random(9) === 0 ? 'yes' : 'no'].join(',');
  });
  return `date,region,product,cents,returned\n${rows.join('\n')}\n`;
}

/** Whole numbers below `limit`, the same ones for the same seed. */
function generator(seed) {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

function commitAll(folder) {
  const git = (...args) =>
    execFileSync('git', ['-C', folder, '-c', 'user.name=demo', '-c', 'user.email=demo@example.org', ...args]);
  git('init', '--quiet');
  git('add', '--all');
  git('commit', '--quiet', '--message', 'Orders of 2026');
}
