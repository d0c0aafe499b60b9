// `npm test`: installs what the tests need, builds, runs every test, and closes with one line that sums up.
// `npm test -- rust extension integration e2e` runs only the parts that are named.
import { join } from 'node:path';
import { guests, npmDependencies } from './lib/build.mjs';
import { elapsed, main, root, step } from './lib/step.mjs';
import { tally } from './lib/tally.mjs';
import { checkToolchain, has, installSystemPackages } from './lib/toolchain.mjs';

const bin = (name) => join(root, 'node_modules', '.bin', name);
const L10N = [join(root, 'extension', 'l10n.mjs'), '--check'];

const PAGE = [join(root, 'extension', 'page.mjs'), '--check'];
const PAGE_TYPES = join(root, 'extension', 'src', 'dashboard');

const PARTS = {
  style: async () => [
    await step('Style: rustfmt', 'cargo', ['fmt', '--all', '--check'], { allowFailure: true, show: true }),
    await step('Style: eslint', bin('eslint'), ['.'], { allowFailure: true, show: true }),
    await step('Style: translated texts', process.execPath, L10N, { allowFailure: true, show: true }),
    await step('Style: types', bin('tsc'), ['--noEmit', '-p', 'extension'], { allowFailure: true, show: true }),
    await step('Style: types of the page', bin('tsc'), ['--noEmit', '-p', PAGE_TYPES], {
      allowFailure: true,
      show: true,
    }),
    await step('Style: the page is fresh', process.execPath, PAGE, { allowFailure: true, show: true }),
  ],
  rust: async () => {
    const runner = has('cargo', ['nextest', '--version'])
      ? ['nextest', 'run', '--no-fail-fast']
      : ['test', '--no-fail-fast'];
    return [
      await step('Tests: Rust', 'cargo', [...runner, '--workspace', '--locked'], { allowFailure: true, show: true }),
    ];
  },
  extension: () => npmScript('Tests: extension', 'extension'),
  integration: () => npmScript('Tests: real servers', 'tests', 'test'),
  e2e: async () => {
    await installSystemPackages();
    return npmScript('Tests: real workbench', 'tests', 'e2e');
  },
};

await main(async () => {
  const start = performance.now();
  const chosen = process.argv.slice(2);
  const unknown = chosen.filter((name) => !(name in PARTS));
  if (unknown.length > 0) {
    throw new Error(`No such part: ${unknown.join(', ')}. There are: ${Object.keys(PARTS).join(', ')}.`);
  }
  const parts = Object.keys(PARTS).filter((name) => chosen.length === 0 || chosen.includes(name));
  checkToolchain();
  await npmDependencies();
  if (parts.some((name) => ['rust', 'integration', 'e2e'].includes(name))) {
    // All targets at once: every later cargo command finds its dependencies built, with the same features.
    await step('Build: cargo, all targets', 'cargo', ['build', '--workspace', '--all-targets', '--locked']);
    await guests('debug');
  }
  const results = [];
  for (const name of parts) results.push(...(await PARTS[name]()));
  const { passed, failed } = tally(results);
  console.log(`\nAll parts took ${elapsed(start)}.\n${passed} passed, ${failed} failed`);
  if (failed > 0) process.exitCode = 1;
});

async function npmScript(title, workspace, script = 'test') {
  return [await step(title, 'npm', ['run', '--silent', script, '-w', workspace], { allowFailure: true, show: true })];
}
