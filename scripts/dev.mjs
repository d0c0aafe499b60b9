// `npm run dev`: builds daemon and guests in the dev profile, then keeps on bundling the extension while you edit it.
// Press F5 in VS Code, or start code-server with this folder, to try it; `TTA: Restart Daemon` picks up a new daemon.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { daemonAndGuests, npmDependencies } from './lib/build.mjs';
import { main, root } from './lib/step.mjs';
import { checkToolchain } from './lib/toolchain.mjs';

await main(async () => {
  checkToolchain();
  await npmDependencies();
  await daemonAndGuests('debug');
  const watch = spawn(process.execPath, [join(root, 'extension', 'build.mjs'), '--watch'], { stdio: 'inherit' });
  process.exitCode = await new Promise((resolve) => watch.on('exit', resolve));
});
