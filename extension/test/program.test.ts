import assert from 'node:assert/strict';
import test from 'node:test';
import { asProgram } from '../src/program';

test('a selection keeps its line numbers and loses its common indentation', () => {
  const program = asProgram('    if x:\n        y()\n\n    z()', 3, 'a.py');
  assert.deepEqual(program, { code: '\n\n\nif x:\n    y()\n\nz()', name: 'a.py' });
});

test('tabs and spaces are only taken away where every line begins with them', () => {
  assert.equal(asProgram('\ta\n  b', 0, 'a.py').code, '\ta\n  b');
  assert.equal(asProgram('\t\ta\n\tb', 0, 'a.py').code, '\ta\nb');
});

test('a blank selection stays blank', () => {
  assert.equal(asProgram('  \n ', 1, 'a.py').code.trim(), '');
});
