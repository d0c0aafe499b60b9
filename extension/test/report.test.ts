import assert from 'node:assert/strict';
import test from 'node:test';
import { doctorReport } from '../src/views/doctor_report';

test('the doctor says what is wrong first, and how to mend it', () => {
  const text = doctorReport([
    { name: 'python guest', ok: true, detail: 'ready | fast', mend: '' },
    { name: 'server <fs>', ok: false, detail: 'exit 1', mend: 'install it' },
  ]);
  assert.match(text, /1 of 2 checks do not hold/);
  assert.ok(text.indexOf('server \\<fs\\>') < text.indexOf('python guest'));
  assert.match(text, /\*\*To mend it:\*\*|\*\*To mend it\*\*: ?install it|install it/);
  assert.match(text, /\| ✓ python guest \| ready \\\| fast \|/);
});
