// One program over ten real servers, all of them in flight together, in both languages: over stdio, and over HTTP where they
// offer it. Its receipt stands under the table of the real servers.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { describe as receipt } from '../../scripts/lib/receipt.mjs';
import { entry, runProgram, worldOf } from '../lib/real/exercise.mjs';
import { handInText } from '../lib/real/table.mjs';
import { commitAll, configure, workspace } from '../lib/tta.mjs';

const TEN = 'context7 fetch filesystem git grafana kubernetes memory notion playwright time'.split(' ');
const OVER_HTTP = ['context7', 'grafana', 'kubernetes', 'notion', 'playwright'];

const EXPECTED = {
  library: true,
  page: true,
  files: true,
  commit: true,
  up: '1',
  pods: 2,
  kept: 'ant',
  pages: ['Ants of the garden'],
  title: true,
  zone: 'Asia/Tokyo',
};

for (const [program, remote] of Object.entries({ 'ten.py': [], 'ten.ts': OVER_HTTP })) {
  test(`${program} calls ten servers in one wave, ${remote.length} of them over HTTP`, async (t) => {
    const folder = workspace(t, { files: () => ({ 'ants.md': 'Ants are small.\n' }) });
    commitAll(folder, 'the first commit');
    const entries = {};
    let input = { folder };
    for (const server of TEN) {
      const world = await worldOf(t, server, folder);
      if (typeof world === 'string') return t.skip(world);
      entries[server] = await entry(t, server, remote.includes(server) ? 'http' : 'stdio', world, folder);
      input = { ...input, ...world.input };
    }
    configure(folder, entries);

    const { code, json, stderr } = await runProgram(folder, program, input);
    assert.equal(code, 0, `${stderr}\n${JSON.stringify(json.error)}`);
    assert.deepEqual(json.result, EXPECTED);
    assert.match(readFileSync(join(folder, 'report.md'), 'utf8'), /^library: true$/im);
    const [first] = json.calls;
    const together = json.calls.filter(({ wave, status }) => wave === first.wave && status === 'ok');
    assert.deepEqual(together.map(({ server }) => server).sort(), TEN);
    assert.ok(json.calls.every(({ result_tokens: counted }) => counted > 0));
    const { saved, direct, code_mode: ours } = json.tokens;
    assert.equal(saved, direct.deferred.total - ours.total);
    assert.ok(saved > 0, 'ten answers outweigh one program');

    const over = remote.length === 0 ? 'stdio' : `stdio, and HTTP for ${remote.join(', ')}`;
    const text = receipt(json).replaceAll(folder, 'FOLDER');
    handInText(
      'integration',
      `ten-${program.slice(-2)}`,
      `\n## Ten at once: \`${program}\`\n\nOver ${over}.\n\n\`\`\`text\n${text}\n\`\`\``,
    );
  });
}
