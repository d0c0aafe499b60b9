import assert from 'node:assert/strict';
import test from 'node:test';
import { wording } from '../src/editor/wording';
import type { ApprovalRequest } from '../src/lsp_ext';

const SERVER: Extract<ApprovalRequest, { kind: 'server' }> = {
  kind: 'server',
  server: 'notes',
  source: { file: '/w/.vscode/mcp.json', line: 3, scope: 'workspace' },
  transport: 'stdio',
  target: 'npx -y notes-mcp /w',
  content_hash: 'abc',
};

const CALL: Extract<ApprovalRequest, { kind: 'call' }> = {
  kind: 'call',
  run_id: 'r1',
  label: 'best.py',
  line: 5,
  server: 'notes',
  tool: 'write_file',
  reason: 'it may destroy',
  arguments: '{"path":"a.md"}',
  patterns: [{ label: 'every write_file', arguments: {} }],
};

const place = (file: string): string => file.replace('/w/', '');

test('a server’s question shows the exact command and where it stands', () => {
  const { text, choices, refuse } = wording(SERVER, place);
  assert.match(text, /“notes”.*▸ npx -y notes-mcp \/w ◂ \(\.vscode\/mcp\.json, line 3\)/);
  assert.deepEqual(
    choices.map(({ label, does, afterDetails }) => [label, does, afterDetails]),
    [
      ['Allow', { decision: 'always', pattern: 0 }, false],
      ['Allow Once', { decision: 'once' }, false],
      ['Show Details', 'details', undefined],
    ],
  );
  assert.equal(refuse, 'Don’t Allow');
});

test('a command too long to be shown is allowed after its details were opened', () => {
  const target = `npx ${'x'.repeat(600)} && evil`;
  const { choices, details } = wording({ ...SERVER, target }, place);
  assert.deepEqual(
    choices.filter(({ afterDetails }) => !afterDetails).map(({ label }) => label),
    ['Show Details'],
  );
  assert.ok(details.endsWith('&& evil'));
});

test('a call’s question names program, line, tool and arguments, and offers its patterns', () => {
  const { text, choices, details } = wording(CALL, place);
  assert.equal(text, 'best.py, line 5 calls notes.write_file ▸ {"path":"a.md"} ◂ it may destroy');
  assert.deepEqual(
    choices.map(({ label }) => label),
    ['Allow', 'Allow for This Run', 'Always…', 'Show Details'],
  );
  assert.match(details, /\{\n {2}"path": "a\.md"\n\}$/);
  assert.ok(!wording({ ...CALL, patterns: [] }, place).choices.some(({ does }) => does === 'patterns'));
});

test('a question fits into a notification, whatever it is about', () => {
  const long = 'y'.repeat(5_000);
  const words = wording({ ...CALL, label: long, server: long, tool: long, reason: long, arguments: long }, place);
  assert.ok(words.text.length < 640, `${words.text.length} characters`);
  const server = wording({ ...SERVER, server: long, target: long, source: { ...SERVER.source, file: long } }, place);
  assert.ok(server.text.length < 760, `${server.text.length} characters`);
});
