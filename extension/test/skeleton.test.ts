import assert from 'node:assert/strict';
import test from 'node:test';
import { callSnippet, importInto, skeleton } from '../src/skeleton';
import { tool } from './samples';

const READ = tool('read_text_file', { path: { type: 'string' }, head: { type: 'integer' } }, ['path']);

test('a new program imports its servers, shows their tools in comments, and has one place to begin', () => {
  assert.equal(
    skeleton('python', [{ identifier: 'fs', tools: [READ] }]),
    [
      'import asyncio',
      'from servers import fs',
      '',
      '# async def fs.read_text_file(*, path: str) -> str',
      '',
      '$0',
      '',
      '# Only what stands last reaches the model: return little.',
      '{"done": True\\}',
      '',
    ].join('\n'),
  );
  assert.match(
    skeleton('typescript', [{ identifier: 'fs', tools: [READ] }]),
    /^import \* as fs from "servers\/fs";\n\n\/\/ function fs\.read_text_file/,
  );
  assert.match(skeleton('python', []), /^import asyncio\n\n\$0/);
});

test('nothing a server wrote leaves its comment', () => {
  const stub = 'async def fs.x() -> str\u2028import os\rboom()\n$1 } evil';
  for (const language of ['python', 'typescript'] as const) {
    const text = skeleton(language, [{ identifier: 'fs', tools: [{ ...READ, python: stub, typescript: stub }] }]);
    const lines = text.split(/[\n\r\u2028\u2029]/).filter((line) => /os|boom|evil/.test(line));
    assert.deepEqual(
      lines.filter((line) => !/^(#|\/\/) /.test(line)),
      [],
    );
    assert.doesNotMatch(text, /(?<!\\)\$1/);
  }
});

test('many tools are cut, and the search is named', () => {
  const tools = Array.from({ length: 30 }, () => READ);
  assert.match(skeleton('python', [{ identifier: 'fs', tools }]), /\n# … 5 more in fs: TTA: Search Tools\n/);
});

test('a call has a place to type for each required argument', () => {
  assert.equal(callSnippet('python', 'fs', READ), 'await fs.read_text_file(path="${1:path}")$0');
  assert.equal(callSnippet('typescript', 'fs', READ), 'await fs.read_text_file({ path: "${1:path}" })$0');
  const odd = tool('odd', { from: { enum: [true] }, 'a-b': { type: 'array', items: { type: 'object' } } }, [
    'from',
    'a-b',
  ]);
  assert.equal(callSnippet('python', 'fs', odd), 'await fs.odd({"from": ${1:True}, "a-b": ${2:[]}})$0');
  assert.equal(callSnippet('javascript', 'fs', odd), 'await fs.odd({ from: ${1:true}, "a-b": ${2:[]} })$0');
  assert.equal(callSnippet('typescript', 'fs', tool('ping', {})), 'await fs.ping()$0');
});

test('names that snippets or texts would read as more stay names', () => {
  const sly = tool('t', { '${1:x}"); import os #': { type: 'string' } }, ['${1:x}"); import os #']);
  assert.equal(
    callSnippet('python', 'fs', sly),
    'await fs.t({"\\${1:x\\}\\\\"); import os #": "${1:\\${1:x\\}); import os #}"})$0',
  );
});

test('an import joins those that are there', () => {
  const cases: [string, string | undefined][] = [
    ['from servers import fs\nx', undefined],
    ['from servers import git,  fs  # both', undefined],
    ['import json\nfrom servers import git  # one\nx', 'import json\nfrom servers import git, fs  # one\nx'],
    ['"""Doc."""\nimport json\nx', '"""Doc."""\nimport json\nfrom servers import fs\nx'],
    ['from json import (\n    dumps,\n)\nx', 'from json import (\n    dumps,\n)\nfrom servers import fs\nx'],
    ['x', 'from servers import fs\nx'],
    ['#!/usr/bin/env tta\nx', '#!/usr/bin/env tta\nfrom servers import fs\nx'],
    ['from servers import git as fs\nx', 'from servers import git as fs\nfrom servers import fs\nx'],
  ];
  for (const [before, after] of cases) {
    assert.equal(inserted(before, importInto('python', before, 'fs')), after);
  }
  const script = 'import * as git from "servers/git";\nx';
  assert.equal(
    inserted(script, importInto('typescript', script, 'fs')),
    'import * as git from "servers/git";\nimport * as fs from "servers/fs";\nx',
  );
  assert.equal(importInto('typescript', script, 'git'), undefined);
});

function inserted(text: string, insertion: ReturnType<typeof importInto>): string | undefined {
  if (!insertion) {
    return undefined;
  }
  const lines = text.split('\n');
  const line = lines[insertion.line] ?? '';
  lines[insertion.line] = line.slice(0, insertion.column) + insertion.text + line.slice(insertion.column);
  return lines.join('\n');
}
