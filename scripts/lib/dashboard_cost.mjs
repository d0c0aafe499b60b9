// What opening the dashboard over a large ledger costs a person: a real Chromium, from the navigation to the drawn chart.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const VIEWS = { week: '', all: '&range=all' };
const OPENINGS = 7;

/**
 * Serves a copy of the ledger in the folder `kept` by `tta dashboard`, and opens its page often. {week, all}: the median and
 * the slowest of the openings in ms, each with an empty browser cache; nothing where there is no browser.
 */
export async function dashboardCost({ tta, kept }) {
  const { chromium } = await import('playwright-core');
  const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);
  if (executablePath === undefined) return undefined;
  const scratch = mkdtempSync(join(tmpdir(), 'tta-dashboard-'));
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
  try {
    const { url, end } = await served({ tta, kept, scratch });
    const figures = {};
    for (const [name, words] of Object.entries(VIEWS)) {
      const times = [];
      for (let opening = 0; opening < OPENINGS; opening += 1) times.push(await opened(browser, `${url}${words}`));
      times.sort((a, b) => a - b);
      figures[name] = { p50_ms: times[Math.floor(times.length / 2)], slowest_ms: times.at(-1) };
    }
    await end();
    return figures;
  } finally {
    await browser.close();
    rmSync(scratch, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** `tta dashboard` over a workspace whose ledger is the large one; {url, end()}. */
export async function served({ tta, kept, scratch }) {
  const [workspace, data] = ['workspace', 'data'].map((name) => join(scratch, name));
  mkdirSync(workspace);
  // Nothing is given up while it is measured.
  writeFileSync(join(workspace, 'tta.toml'), '[ledger]\nkeep_mb = 100000\nkeep_days = 3650\n');
  const common = ['--workspace', workspace, '--data-dir', data];
  const run = (command, args) => {
    const { status, stderr } = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 28 });
    if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr}`);
  };
  run(tta, ['report', '--json', ...common]);
  const own = readdirSync(data, { recursive: true }).find((name) => name.endsWith('ledger.db'));
  for (const ending of ['-wal', '-shm']) rmSync(join(data, `${own}${ending}`), { force: true });
  copyFileSync(join(kept, 'ledger.db'), join(data, own));
  const child = spawn(tta, ['dashboard', '--json', ...common], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'close');
  const [line] = await Promise.race([once(createInterface(child.stdout), 'line'), ended]);
  const end = async () => {
    child.kill('SIGINT');
    await ended;
  };
  return { url: JSON.parse(String(line)).url, end };
}

/** Milliseconds from the navigation to the frame after the chart was drawn. */
async function opened(browser, url) {
  const context = await browser.newContext({ viewport: { width: 1240, height: 900 }, locale: 'en-US' });
  const page = await context.newPage();
  await page.goto(url, { waitUntil: 'commit' });
  const drawn = await page.waitForFunction(
    () => globalThis.document.querySelector('.plot canvas') && globalThis.performance.now(),
    undefined,
    { polling: 'raf' },
  );
  const ms = await drawn.jsonValue();
  await context.close();
  return ms;
}
