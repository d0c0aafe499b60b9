// `npm run lint`: every formatter and linter. clippy builds the workspace a second time, so it is not part of `npm test`.
import { join } from 'node:path';
import { npmDependencies } from './lib/build.mjs';
import { main, root, step } from './lib/step.mjs';

const bin = (name) => join(root, 'node_modules', '.bin', name);

const CHECKS = [
  ['rustfmt', 'cargo', ['fmt', '--all', '--check']],
  ['eslint', bin('eslint'), ['.']],
  ['prettier', bin('prettier'), ['--check', '.']],
  ['translated texts', process.execPath, [join(root, 'extension', 'l10n.mjs'), '--check']],
  ['types', bin('tsc'), ['--noEmit', '-p', 'extension']],
  ['types of the page', bin('tsc'), ['--noEmit', '-p', 'extension/src/dashboard']],
  ['the page is fresh', process.execPath, [join(root, 'extension', 'page.mjs'), '--check']],
  ['clippy', 'cargo', ['clippy', '--workspace', '--all-targets', '--locked', '--keep-going', '--', '-D', 'warnings']],
];

await main(async () => {
  await npmDependencies();
  const results = [];
  for (const [title, command, args] of CHECKS) {
    results.push(await step(`Lint: ${title}`, command, args, { allowFailure: true, show: true }));
  }
  if (results.some(({ code }) => code !== 0)) process.exitCode = 1;
});
