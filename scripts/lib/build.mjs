// Builds the parts, each into its place: dependencies of the extension into node_modules, guests into target/guests, the
// daemon into target/<profile>, the extension into extension/dist.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, step } from './step.mjs';

const npmStamp = join(root, 'node_modules', '.tta-lock');

/** Where a profile's `tta` lies. */
export function binary(profile, name = 'tta') {
  return join(root, 'target', profile, name);
}

/** Installs what package-lock.json names, unless that is what is installed. */
export async function npmDependencies() {
  const wanted = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  if (existsSync(npmStamp) && readFileSync(npmStamp, 'utf8') === wanted) return;
  await step('npm: install the locked packages', 'npm', ['ci']);
  writeFileSync(npmStamp, wanted);
}

/** Builds the daemon and the guest builder in `profile`, with what else `more` selects, then the guests with it. */
export async function daemonAndGuests(profile, more = []) {
  const release = profile === 'release' ? ['--release'] : [];
  // One command for both binaries: their common dependencies are then built once, with one set of features.
  const packages = ['-p', 'cli', '-p', 'xtask', ...more];
  await step(`Daemon: cargo build (${profile})`, 'cargo', ['build', '--locked', ...release, ...packages]);
  await guests(profile);
}

/** Builds the two interpreters, unless their sources have not changed. */
export async function guests(profile) {
  await step('Guests: Python and JavaScript as WebAssembly', binary(profile, 'xtask'), ['guests']);
}

/** Bundles the extension. */
export async function extension() {
  await step('Extension: bundle', process.execPath, [join(root, 'extension', 'build.mjs')]);
}
