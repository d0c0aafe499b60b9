// Installs the workbench that the end-to-end tests drive: code-server and a Node of its own, about 800 MB and three
// minutes, once. Leaves out Chromium and the libraries: they come from the system's packages.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { step } from '../../scripts/lib/step.mjs';
import { restoreGate } from './gate.mjs';

const here = import.meta.dirname;
const modules = join(here, 'node_modules');
const stamp = join(modules, '.tta-ready');

export const codeServer = join(modules, 'code-server');
export const node = join(modules, `node-linux-${process.arch}`, 'bin', 'node');

/** Installs the workbench unless it is there already. */
export async function installWorkbench() {
  const inputs = ['package-lock.json', 'gate.mjs'].map((name) => readFileSync(join(here, name)));
  const wanted = createHash('sha256').update(Buffer.concat(inputs)).digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  await step('Workbench: fetch its packages', 'npm', ['ci', '--ignore-scripts'], { cwd: here });
  // code-server insists on its own major version of Node, and builds native modules for it.
  const env = {
    ...process.env,
    PATH: dirname(node) + delimiter + process.env.PATH,
    npm_config_ignore_scripts: 'false',
    // Inherited from the npm that runs us, it would name that one's Node.
    npm_config_user_agent: undefined,
  };
  await step(
    'Workbench: build its native modules',
    'npm',
    ['rebuild', '--foreground-scripts', 'code-server', 'argon2'],
    {
      cwd: here,
      env,
    },
  );
  restoreGate(codeServer);
  writeFileSync(stamp, wanted);
}
