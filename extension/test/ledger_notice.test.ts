import assert from 'node:assert/strict';
import test from 'node:test';
import { LedgerNotice } from '../src/ledger_notice';

/** A notice whose person presses what `presses` says, and what was shown. */
function watched(presses: boolean): { notice: LedgerNotice; shown: string[]; opened: () => number } {
  const shown: string[] = [];
  let opened = 0;
  const notice = new LedgerNotice(
    (message, button) => {
      shown.push(message);
      return Promise.resolve(presses ? button : undefined);
    },
    () => {
      opened += 1;
      return Promise.resolve();
    },
  );
  return { notice, shown, opened: () => opened };
}

test('each problem is told once, with a way to the details', async () => {
  const { notice, shown, opened } = watched(true);
  for (const problem of [undefined, 'the disk is full', 'the disk is full', undefined, 'the disk is full', 'damaged']) {
    await notice.saw(problem);
  }
  assert.deepEqual(shown, ['TTA: the disk is full', 'TTA: damaged']);
  assert.equal(opened(), 2);
});

test('what is said later of a problem that was told, and one beside it, is no news; another one is', async () => {
  const { notice, shown } = watched(false);
  const [damaged, full] = ['the ledger /d/ledger.db was damaged', 'the ledger /d/ledger.db cannot be written'];
  for (const problem of [damaged, `${damaged}; 3 runs of it were taken over`, `${full}; ${damaged}; 3 runs`, damaged]) {
    await notice.saw(problem);
  }
  assert.deepEqual(shown, [`TTA: ${damaged}`, `TTA: ${full}`]);
});

test('its folder stands in the text once, also where it has spaces', async () => {
  for (const folder of ['/home/a b/.local/', 'C:\\Users\\a b\\']) {
    const { notice, shown } = watched(false);
    await notice.saw(
      `the ledger ${folder}ledger.db was damaged (x); it is kept as ${folder}ledger.db.corrupt-1 and so on`,
    );
    assert.deepEqual(shown, [
      `TTA: the ledger ${folder}ledger.db was damaged (x); it is kept as ledger.db.corrupt-1 and so on`,
    ]);
  }
});

test('who closes it is shown nothing', async () => {
  const { notice, opened } = watched(false);
  await notice.saw('the disk is full');
  assert.equal(opened(), 0);
});

test('a long text is cut and stands on one line', async () => {
  const { notice, shown } = watched(false);
  await notice.saw(`a\nb ${'x'.repeat(2_000)}`);
  assert.ok(shown[0]?.startsWith('TTA: a b') && shown[0].length < 500, shown[0]);
});
