// `npm run package`: a VSIX for this platform with the daemon and its precompiled guests inside. What installs it needs no
// cargo, no python and no network.
import { cpSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { binary, daemonAndGuests, extension, npmDependencies } from './lib/build.mjs';
import { elapsed, main, root, step } from './lib/step.mjs';
import { checkToolchain } from './lib/toolchain.mjs';

/** The newest VSIX that this script wrote. */
export const vsix = join(root, 'target', 'package', `tta-mcp-code-execution-${process.platform}-${process.arch}.vsix`);

/** Builds everything in release and packs it. */
export async function packageVsix() {
  const folder = join(root, 'extension');
  const server = join(folder, 'server');
  const licences = ['LICENSE-MIT', 'LICENSE-APACHE'];
  await npmDependencies();
  await daemonAndGuests('release');
  mkdirSync(join(root, 'target', 'package'), { recursive: true });
  try {
    await step('Guests: compile ahead of time', binary('release', 'xtask'), ['dist', join(server, 'guests')]);
    cpSync(binary('release'), join(server, 'tta'));
    for (const licence of licences) cpSync(join(root, licence), join(folder, licence));
    await extension();
    const flags = ['--no-dependencies', '--allow-missing-repository', '--skip-license', '--out', vsix];
    const target = ['--target', `${process.platform}-${process.arch}`];
    const vsce = join(root, 'node_modules', '.bin', 'vsce');
    await step('Extension: package', vsce, ['package', ...target, ...flags], { cwd: folder });
  } finally {
    // What was laid there for the package alone would be found before a newer build.
    for (const laid of ['server', ...licences]) rmSync(join(folder, laid), { recursive: true, force: true });
  }
}

if (process.argv[1] === import.meta.filename) {
  await main(async () => {
    const start = performance.now();
    checkToolchain();
    await packageVsix();
    console.log(`${vsix}  ${(statSync(vsix).size / 1e6).toFixed(1)} MB, ${elapsed(start)}`);
  });
}
