import assert from 'node:assert/strict';
import test from 'node:test';
import { additions, asked, entryIn, isForeign, literalsOf, type Entry } from '../src/imports';

const read = (json: unknown): Entry | undefined =>
  entryIn('/h/.claude.json', JSON.stringify({ mcpServers: { it: json } }), 'it');

test('every spelling becomes the editor’s own', () => {
  const stdio = { type: 'stdio', command: 'npx', args: ['-y', 'x'] } as const;
  const cases: [unknown, Entry | undefined][] = [
    [{ command: 'npx', args: ['-y', 'x'] }, stdio],
    [{ command: ['npx', '-y', 'x'], enabled: true }, stdio],
    [{ command: { path: 'npx', args: ['-y', 'x'] } }, stdio],
    [
      {
        command: 'a',
        env: { A: '${A}', B: '${B:-b}', C: '${env:C}', N: 1 },
        cwd: '${workspaceFolder}/x',
        autoApprove: ['y'],
      },
      {
        type: 'stdio',
        command: 'a',
        env: { A: '${env:A}', B: '${env:B}', C: '${env:C}', N: '1' },
        cwd: '${workspaceFolder}/x',
      },
    ],
    [{ httpUrl: 'https://x/mcp' }, { type: 'http', url: 'https://x/mcp' }],
    [
      { serverUrl: 'https://x', headers: { A: 'b' } },
      { type: 'http', url: 'https://x', headers: { A: 'b' } },
    ],
    [{ source: 'extension' }, undefined],
    [[], undefined],
  ];
  for (const [json, entry] of cases) {
    assert.deepEqual(read(json), entry, JSON.stringify(json));
  }
});

test('TOML is read as well, and names of variables are handed through by name', () => {
  const toml =
    '[mcp_servers.gh]\ncommand = "gh-mcp"\nenv_vars = ["GH"]\n[mcp_servers.web]\nurl = "https://x"\nbearer_token_env_var = "TOK"\n';
  assert.deepEqual(entryIn('/h/.codex/config.toml', toml, 'gh'), {
    type: 'stdio',
    command: 'gh-mcp',
    env: { GH: '${env:GH}' },
  });
  assert.deepEqual(entryIn('/h/.codex/config.toml', toml, 'web'), {
    type: 'http',
    url: 'https://x',
    headers: { Authorization: 'Bearer ${env:TOK}' },
  });
  assert.equal(entryIn('/h/.codex/config.toml', toml, 'toString'), undefined);
});

test('only other tools’ files are imported from', () => {
  const files = [
    '/h/.claude.json',
    '/w/.mcp.json',
    '/w/.cursor/mcp.json',
    '/h/.codex/config.toml',
    '/w/.zed/settings.json',
  ];
  const own = [
    '/w/.vscode/mcp.json',
    '/w/.vscode/settings.json',
    '/w/tta.toml',
    '/h/.config/Code/User/mcp.json',
    '/h/.config/tta/mcp.json',
  ];
  assert.deepEqual([...files, ...own].filter(isForeign), files);
});

test('every written-out variable and header is found, and what looks like a secret is marked', () => {
  const entry: Entry = {
    type: 'stdio',
    command: 'x',
    args: ['--token', 'abc', '--level=debug', '--api-key=k', 'postgres://u:p@h/d', 'ghp_x', '--root', '/srv'],
    env: {
      GITHUB_TOKEN: 't',
      LEVEL: 'debug',
      ID: 'a8f5f167f44f4964e6c998dee827110c',
      OK: '${env:OK}',
      URL: 'redis://u:p@h',
    },
    headers: { Authorization: 'Bearer ${env:X}', 'X-Api-Key': 'k' },
    url: 'https://h/mcp?api_key=k',
  };
  const found = literalsOf('s', entry).map(({ place, key, secret }) => `${place}.${key}${secret ? ' secret' : ''}`);
  assert.deepEqual(found, [
    'env.GITHUB_TOKEN secret',
    'env.LEVEL',
    'env.ID secret',
    'env.URL secret',
    'headers.X-Api-Key secret',
    'args.1 secret',
    'args.3 secret',
    'args.4 secret',
    'args.5 secret',
    'url.url secret',
  ]);
});

test('a value that is asked for leaves the entry altogether', () => {
  const entry: Entry = { type: 'http', url: 'https://x', headers: { Authorization: 'Bearer s3cret' } };
  const [literal] = literalsOf('My Server', entry);
  assert.ok(literal);
  const { entry: without, input } = asked(entry, literal);
  assert.deepEqual(without.headers, { Authorization: 'Bearer ${input:my-server-authorization}' });
  assert.deepEqual([input.id, input.password], ['my-server-authorization', true]);
  assert.doesNotMatch(JSON.stringify([without, input]), /s3cret/);
  const stdio: Entry = { type: 'stdio', command: 'x', args: ['--api-key=s3cret'] };
  const argument = literalsOf('x', stdio)[0];
  assert.ok(argument);
  assert.deepEqual(asked(stdio, argument).entry.args, ['--api-key=${input:x-argument-1}']);
});

const ENTRY: Entry = { type: 'stdio', command: 'x' };
const INPUT = { type: 'promptString', id: 'k', description: 'K', password: true } as const;

function added(text: string): string {
  const result = additions(text, new Map([['new', ENTRY]]), [INPUT]);
  assert.ok('text' in result, 'problem' in result ? result.problem : '');
  return result.text;
}

test('comments, order and indentation of an mcp.json stay', () => {
  const before = [
    '// Ours.',
    '{',
    '\t"servers": {',
    '\t\t/* the files */',
    '\t\t"fs": { "command": "fs" }, // last',
    '\t},',
    '\t"inputs": [{ "id": "k", "type": "promptString" }]',
    '}',
    '',
  ];
  const entry = ['\t\t"new": {', '\t\t\t"type": "stdio",', '\t\t\t"command": "x"', '\t\t},'];
  assert.deepEqual(added(before.join('\n')).split('\n'), before.toSpliced(5, 0, ...entry));
  const bare = before.with(4, '\t\t"fs": { "command": "fs" } // last');
  const after = before.with(4, '\t\t"fs": { "command": "fs" }, // last').toSpliced(5, 0, ...entry.with(3, '\t\t}'));
  assert.equal(added(bare.join('\r\n')), after.join('\r\n'));
  assert.equal(
    added('{"servers": {"fs": {}}, "inputs": [{"id": "k"}]}'),
    '{"servers": {"fs": {}, "new": { "type": "stdio", "command": "x" }}, "inputs": [{"id": "k"}]}',
  );
});

test('an empty file, and one without the tables, get them', () => {
  const expected = { inputs: [INPUT], servers: { new: ENTRY } };
  for (const text of ['', ' \n', '{}', '{\r\n}\r\n']) {
    assert.deepEqual(JSON.parse(added(text)), expected);
  }
  assert.equal(added('{}\n').split('\n').slice(0, 3).join('\n'), '{\n  "inputs": [\n    {');
  assert.match(added('{ /* none yet */ }'), /\/\* none yet \*\//);
  assert.deepEqual(JSON.parse(added('{"inputs": [], "servers": {}}')), expected);
  const two = JSON.parse(added('{"inputs": [{"id": "a"}]}')) as { inputs: unknown[] };
  assert.equal(two.inputs.length, 2);
});

test('a file that is broken is left alone, and its line is said', () => {
  for (const [text, problem] of [
    ['{\n  "servers": {,\n}', /line 2/],
    ['[]', /not an object/],
  ] as const) {
    const result = additions(text, new Map([['new', ENTRY]]), []);
    assert.match('problem' in result ? result.problem : '', problem);
  }
});
