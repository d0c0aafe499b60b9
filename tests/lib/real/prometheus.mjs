// A real Prometheus for as long as a test needs it: one that scrapes itself, or whatever else a test names.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { prometheus } from './install.mjs';
import { listening, scratch } from './process.mjs';

const PATIENCE_MS = 60_000;

/** Starts it, waits until it has scraped itself, and returns its URL and version; nothing where there is no Prometheus. */
export async function selfScraping(t) {
  return scraping(t, (port) => ({ job_name: 'self', static_configs: [{ targets: [`127.0.0.1:${port}`] }] }));
}

/** The same where it scrapes what `job(port)` describes, as a scrape_config; `port` is its own. */
export async function scraping(t, job) {
  const command = prometheus();
  if (!command) return undefined;
  const folder = scratch(t, 'prometheus');
  const port = await listening(t, 'Prometheus', (free) => {
    // YAML reads JSON.
    const config = { global: { scrape_interval: '1s' }, scrape_configs: [job(free)] };
    writeFileSync(join(folder, 'prometheus.yml'), JSON.stringify(config));
    const flags = [`config.file=${join(folder, 'prometheus.yml')}`, `storage.tsdb.path=${join(folder, 'data')}`];
    return { command, args: [...flags, `web.listen-address=127.0.0.1:${free}`].map((flag) => `--${flag}`) };
  });
  const url = `http://127.0.0.1:${port}`;
  const ask = async (path) => (await (await fetch(`${url}/api/v1/${path}`)).json()).data;
  const query = (expression) => ask(`query?query=${encodeURIComponent(expression)}`);
  await until(async () => (await query('up'))?.result[0]?.value[1] === '1', 'Prometheus did not scrape its target');
  return { url, query, version: (await ask('status/buildinfo')).version };
}

/** Waits until `happened` is true; what it throws is false. */
export async function until(happened, otherwise) {
  for (const end = Date.now() + PATIENCE_MS; ; await setTimeout(100)) {
    if (await Promise.resolve(happened()).catch(() => false)) return;
    if (Date.now() > end) throw new Error(otherwise);
  }
}

/** Runs promtool in `cwd`; {code, output}. */
export function promtool(cwd, ...args) {
  const { status, stdout, stderr } = spawnSync(prometheus().replace(/prometheus$/, 'promtool'), args, { cwd });
  return { code: status, output: `${stdout}${stderr}` };
}
