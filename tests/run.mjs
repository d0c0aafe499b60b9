// Runs one kind of the tests of the whole: `node run.mjs integration` or `node run.mjs e2e`.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { installServers } from '../scripts/lib/servers.mjs';
import { main } from '../scripts/lib/step.mjs';
import { installSystemPackages } from '../scripts/lib/toolchain.mjs';
import { installTestServers } from './lib/real/install.mjs';
import { clear, table } from './lib/real/table.mjs';

const KINDS = {
  integration: { prepare: prepareServers, concurrency: 2 },
  // Each takes some 2.5 GB, and waits more than it computes.
  e2e: { prepare: prepareWorkbench, concurrency: 2 },
};

await main(async () => {
  const [name = '', ...only] = process.argv.slice(2);
  const kind = KINDS[name];
  if (!kind) throw new Error(`Which tests? ${Object.keys(KINDS).join(' or ')}, not “${name}”.`);
  await kind.prepare();
  const folder = join(import.meta.dirname, name);
  const files = readdirSync(folder)
    .filter((file) => file.endsWith('.test.mjs') && (only.length === 0 || only.some((part) => file.includes(part))))
    .map((file) => join(folder, file));
  const flags = ['--test', '--test-reporter=spec', `--test-concurrency=${kind.concurrency}`];
  if (only.length === 0) clear(name);
  process.exitCode = spawnSync(process.execPath, [...flags, ...files], { stdio: 'inherit' }).status ?? 1;
  const exercised = table(name);
  if (exercised) console.log(`\n${exercised}`);
});

async function prepareServers() {
  await installSystemPackages(['chromium']);
  await installServers();
  await installTestServers();
}

async function prepareWorkbench() {
  const { installWorkbench } = await import('./e2e/install.mjs');
  const { packageExtensions } = await import('./e2e/vsix.mjs');
  await installServers();
  await installTestServers();
  await installWorkbench();
  await packageExtensions();
}
