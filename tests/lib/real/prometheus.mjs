// A real Prometheus that scrapes itself, for as long as a test needs it.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { prometheus } from './install.mjs';
import { listening, scratch } from './process.mjs';

const PATIENCE_MS = 60_000;

/** Starts it, waits until it has scraped itself, and returns its URL and version; nothing where there is no Prometheus. */
export async function selfScraping(t) {
  const command = prometheus();
  if (!command) return undefined;
  const folder = scratch(t, 'prometheus');
  const port = await listening(t, 'Prometheus', (free) => {
    const target = { job_name: 'self', static_configs: [{ targets: [`127.0.0.1:${free}`] }] };
    // YAML reads JSON.
    const config = { global: { scrape_interval: '1s' }, scrape_configs: [target] };
    writeFileSync(join(folder, 'prometheus.yml'), JSON.stringify(config));
    const flags = [`config.file=${join(folder, 'prometheus.yml')}`, `storage.tsdb.path=${join(folder, 'data')}`];
    return { command, args: [...flags, `web.listen-address=127.0.0.1:${free}`].map((flag) => `--${flag}`) };
  });
  const url = `http://127.0.0.1:${port}`;
  const ask = async (path) => (await (await fetch(`${url}/api/v1/${path}`)).json()).data;
  for (const end = Date.now() + PATIENCE_MS; ; await setTimeout(100)) {
    const up = await ask('query?query=up').catch(() => undefined);
    if (up?.result[0]?.value[1] === '1') break;
    if (Date.now() > end) throw new Error(`Prometheus did not scrape itself: ${JSON.stringify(up)}`);
  }
  return { url, version: (await ask('status/buildinfo')).version };
}
