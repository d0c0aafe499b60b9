// `npm run dev`: builds daemon, guests and bundle in the dev profile, and again whatever you edit. A build that fails is
// shown, and the next edit tries again. Leaves out restarting what runs: `TTA: Restart Daemon` picks up a new daemon,
// `Developer: Reload Window` a new bundle.
import { spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { watch } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { daemonAndGuests, npmDependencies } from './lib/build.mjs';
import { Failed, main, root } from './lib/step.mjs';
import { checkToolchain } from './lib/toolchain.mjs';

/** What the daemon and the guests are built from lies here, and is called so. */
const ROOMS = ['server', 'toolsets'];
const SOURCES = /\.(rs|toml|json|wit|c|h|py|js)$/;

/** An editor may save several files, and each in several steps. */
const SETTLE_MS = 200;

await main(async () => {
  checkToolchain();
  await npmDependencies();
  const extension = join(root, 'extension');
  const bundler = spawn(process.execPath, [join(extension, 'build.mjs'), '--watch'], { stdio: 'inherit' });
  bundler.on('exit', (code) => process.exit(code ?? 1));
  const edits = new EventEmitter();
  for (const room of ROOMS) {
    watch(join(root, room), { recursive: true }, (_, name) => SOURCES.test(name ?? '') && edits.emit('edit'));
  }
  console.log(`To try it: code --extensionDevelopmentPath=${extension} FOLDER`);
  for (;;) {
    // Heard from before the build on: what is edited while it runs may not be in it.
    const edit = once(edits, 'edit');
    await daemonAndGuests('debug').catch((error) => {
      if (!(error instanceof Failed)) throw error;
    });
    console.log('Waiting for edits; Ctrl-C ends.');
    await edit;
    await setTimeout(SETTLE_MS);
  }
});
