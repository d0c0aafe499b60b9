// Packages what the workbench gets: the extension as a user would install it, the test-only harness, and a test-only neighbour.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { root, step } from '../../scripts/lib/step.mjs';

const out = join(root, 'target', 'e2e');
export const extensions = [join(out, 'extension.vsix'), join(out, 'harness.vsix')];
/** Another extension with tools of its own. */
export const neighbour = join(out, 'neighbour.vsix');
/** The extension's folder, and the suite that runs in an extension host beside it. */
export const hostTests = { extension: join(root, 'extension'), suite: join(root, 'extension/dist/host/index.js') };

/** Builds the packages. The daemon is not inside: the tests name it in the settings. */
export async function packageExtensions() {
  mkdirSync(out, { recursive: true });
  const build = join(root, 'extension/build.mjs');
  await step('Extension: bundle', process.execPath, [build]);
  await step('Extension: bundle the suite of the host', process.execPath, [build, '--host']);
  const packages = [...extensions, neighbour];
  const folders = ['extension', 'tests/e2e/harness', 'tests/e2e/neighbour'].map((name) => join(root, name));
  for (const [index, cwd] of folders.entries()) {
    const flags = [
      'package',
      '--no-dependencies',
      '--allow-missing-repository',
      '--skip-license',
      '--out',
      packages[index],
    ];
    await step(`Extension: package ${index + 1} of ${folders.length}`, join(root, 'node_modules/.bin/vsce'), flags, {
      cwd,
    });
  }
}
