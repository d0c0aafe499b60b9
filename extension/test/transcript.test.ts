import assert from 'node:assert/strict';
import test from 'node:test';
import { transcript } from '../src/transcript';
import { reply, report } from './samples';

test('a run shows its facts, what it printed and what it returned', () => {
  const text = transcript(
    'a.py',
    reply({ stdout: 'hello\n', result: { n: [1] }, tokens: report({ saved: 900, saved_percent: 90 }) }),
  );
  assert.equal(
    text,
    '── a.py · done · 41 ms · 0 tool calls · 900 tokens saved · 90 %\nhello\n{\n  "n": [\n    1\n  ]\n}\n\n',
  );
});

test('a text result stands as it is, and no result leaves no line', () => {
  assert.match(transcript('a.py', reply({ result: 'a\nb' })), /calls\na\nb\n\n$/);
  assert.match(transcript('a.py', reply({ result: null })), /calls\n\n$/);
});

test('a failure shows traceback, kind, line and what to do', () => {
  const error = {
    kind: 'arguments',
    message: 'no path',
    line: 7,
    traceback: 'line 7, in main\n',
    hint: 'give one',
  } as const;
  assert.match(
    transcript('a.py', reply({ status: 'error', error })),
    /── a.py · failed .*\nline 7, in main\narguments: no path \(line 7\)\n→ give one\n\n$/,
  );
});

test('a message that the traceback holds is not said twice', () => {
  const error = {
    kind: 'tool',
    message: 'ToolError: gone',
    traceback: 'line 7\ntta.ToolError: gone\n',
    hint: 'look',
  } as const;
  assert.match(
    transcript('a.py', reply({ status: 'error', error })),
    /calls\nline 7\ntta.ToolError: gone\n→ look\n\n$/,
  );
});

test('what was cut is said', () => {
  const truncated = [{ what: 'stdout', kept_bytes: 10, total_bytes: 12_345, artifact: '/d/a.txt' }];
  assert.match(
    transcript('a.py', reply({ truncated })),
    /… stdout: 10 of 12,345 bytes shown, the whole is in \/d\/a.txt/,
  );
});
