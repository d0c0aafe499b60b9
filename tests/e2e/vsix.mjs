// Packages what the workbench gets: the extension as a user would install it, and the test-only harness.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { root, step } from '../../scripts/lib/step.mjs';

const out = join(root, 'target', 'e2e');
export const extensions = [join(out, 'extension.vsix'), join(out, 'harness.vsix')];

/** Builds both packages. The daemon is not inside: the tests name it in the settings. */
export async function packageExtensions() {
  mkdirSync(out, { recursive: true });
  await step('Extension: bundle', process.execPath, [join(root, 'extension/build.mjs')]);
  const folders = [join(root, 'extension'), join(root, 'tests/e2e/harness')];
  for (const [index, cwd] of folders.entries()) {
    const flags = [
      'package',
      '--no-dependencies',
      '--allow-missing-repository',
      '--skip-license',
      '--out',
      extensions[index],
    ];
    await step(`Extension: package ${index + 1} of 2`, join(root, 'node_modules/.bin/vsce'), flags, { cwd });
  }
}
