// The closing line of `npm test` must never be kinder than the runners it sums up.
import assert from 'node:assert/strict';
import test from 'node:test';
import { tally } from '../../scripts/lib/tally.mjs';

test('every runner’s own summary is added up, in colour or not', () => {
  const steps = [
    {
      code: 100,
      output: '\u001b[32m Summary\u001b[0m [ 1.2s] 12 tests run: 11 passed (1 slow), 1 failed, 2 skipped\n',
    },
    { code: 0, output: 'test result: ok. 3 passed; 0 failed; 0 ignored\ntest result: ok. 4 passed; 0 failed;\n' },
    { code: 1, output: 'ℹ tests 5\nℹ pass 3\nℹ fail 1\nℹ cancelled 1\n' },
    { code: 0, output: '# pass 2\n# fail 0\n' },
  ];
  assert.deepEqual(tally(steps), { passed: 11 + 3 + 4 + 3 + 2, failed: 1 + 2 });
});

test('a step without tests counts as one, by its exit code', () => {
  assert.deepEqual(
    tally([
      { code: 0, output: '' },
      { code: 101, output: 'error: could not compile' },
    ]),
    { passed: 1, failed: 1 },
  );
});

test('a runner that passes its tests and then fails is a failure', () => {
  assert.deepEqual(tally([{ code: 1, output: '# pass 2\n# fail 0\n' }]), { passed: 2, failed: 1 });
});
