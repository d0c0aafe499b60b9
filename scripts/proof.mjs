// `npm run proof`: replays public task sets and four demonstrations over real servers, as programs and by direct calls, and
// prints what each way costs. No model takes part. `npm run proof -- 20` takes the first 20 tasks of each set.
import { join } from 'node:path';
import { writeFileSync } from 'node:fs';
import { binary, daemonAndGuests } from './lib/build.mjs';
import { demoTable, taskTable } from './lib/proof_table.mjs';
import { main, root } from './lib/step.mjs';
import { checkToolchain } from './lib/toolchain.mjs';
import { demonstrate, installTaskSets, replay } from '../tests/proof/proof.mjs';

await main(async () => {
  const limit = process.argv[2] === undefined ? undefined : Number(process.argv[2]);
  if (limit !== undefined && !(Number.isInteger(limit) && limit > 0)) {
    throw new Error(`How many tasks of each set? ${process.argv[2]} is no such number.`);
  }
  checkToolchain();
  await daemonAndGuests('release');
  await installTaskSets();
  const tta = binary('release');
  const shown = await demonstrate(tta);
  const replayed = await replay(tta, { limit });
  const text = `${taskTable(replayed)}\n\n${demoTable(shown)}\n`;
  console.log(`\n${text}`);
  const file = join(root, 'target', 'proof', 'proof.json');
  writeFileSync(file, JSON.stringify({ replayed, demonstrations: shown }, null, 2));
  console.log(`All figures: ${file}`);
});
