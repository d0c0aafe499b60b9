// The real servers from the registries, each over every transport that it offers, through our daemon.
import assert from 'node:assert/strict';
import test, { describe } from 'node:test';
import { BY_EDITOR, CASES, exercise } from '../lib/real/exercise.mjs';
import { checkedIn } from '../lib/real/table.mjs';

describe('real servers', { concurrency: 2 }, () => {
  for (const { server, transport } of CASES) {
    test(`${server} over ${transport}`, (t) => exercise(t, { server, transport }));
  }
});

test('the table that is checked in has a row for each of them, and no other', () => {
  const rows = checkedIn().map(([server, , transport]) => ({ server, transport }));
  const byName = (a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b));
  assert.deepEqual(rows.sort(byName), [...CASES, BY_EDITOR].sort(byName));
});
