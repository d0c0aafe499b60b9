// `npm start`: builds everything, then does the main job for real: a Python and a TypeScript program, each over several
// real MCP servers, and what running them that way saved.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { layWorkspace, programs } from './demo/workspace.mjs';
import { binary, daemonAndGuests, extension, npmDependencies } from './lib/build.mjs';
import { describe } from './lib/receipt.mjs';
import { installServers } from './lib/servers.mjs';
import { elapsed, Failed, main, step } from './lib/step.mjs';
import { checkToolchain, has } from './lib/toolchain.mjs';
import { packageVsix, vsix } from './package.mjs';

await main(async () => {
  const start = performance.now();
  checkToolchain();
  await npmDependencies();
  await daemonAndGuests('release');
  await extension();
  await installServers();
  const folder = layWorkspace();
  // Compiles the guests for this machine, too, which would otherwise be the first program's time.
  await step('Check: guests, limits, servers (tta doctor)', binary('release'), [
    'doctor',
    '--workspace',
    folder,
    '--trust',
  ]);
  console.log(`\nEverything is built. The demo's workspace: ${folder}`);
  for (const program of programs) runProgram(folder, program);
  console.log(`\nAll of it took ${elapsed(start)}. Try it yourself:`);
  console.log(`  ${binary('release')} tools search "read a file" --workspace ${folder} --trust`);
  await offerExtension();
});

/** Runs one program of the demo and prints what ran, what the model sees, and what it would have seen. */
function runProgram(folder, program) {
  console.log(`\n${'═'.repeat(100)}\n${program}\n${'─'.repeat(100)}`);
  console.log(readFileSync(join(folder, program), 'utf8').trimEnd());
  const args = ['run', program, '--trust', '--json', '--input', JSON.stringify({ folder })];
  const { status, stdout, stderr } = spawnSync(binary('release'), args, {
    cwd: folder,
    encoding: 'utf8',
    maxBuffer: 64 << 20,
  });
  if (status !== 0) {
    console.error(stderr || stdout);
    throw new Failed(program);
  }
  console.log(describe(JSON.parse(stdout)));
}

/** Offers to put the extension into the user's own VS Code. */
async function offerExtension() {
  if (!has('code') || !process.stdin.isTTY) {
    console.log(`For VS Code: npm run package builds ${vsix}`);
    return;
  }
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await terminal.question('Install the extension into VS Code? [y/N] ');
  terminal.close();
  if (/^y(es)?$/i.test(answer.trim())) {
    await packageVsix();
    spawnSync('code', ['--install-extension', vsix, '--force'], { stdio: 'inherit' });
  }
}
