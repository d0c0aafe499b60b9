import assert from 'node:assert/strict';
import test from 'node:test';
import type { LanguageModelToolInformation } from 'vscode';
import { contentOf, fingerprint, offered } from '../src/editor/offered';

function tool(name: string, more: object = {}): LanguageModelToolInformation {
  return { name, description: `Does ${name}.`, inputSchema: { type: 'object' }, tags: [], ...more };
}

test('an MCP server’s tool has the server’s label and its own name', () => {
  const [full, prefix, plain] = offered([
    tool('mcp_pylance_mcp_s_run_check', { fullReferenceName: 'pylance mcp server/run_check' }),
    tool('mcp_notes_list_files'),
    tool('find_usages', { fullReferenceName: 'search/usages' }),
  ]);
  assert.deepEqual([full?.server, full?.tool], ['pylance mcp server', 'run_check']);
  assert.deepEqual([prefix?.server, prefix?.tool], ['notes', 'list_files']);
  assert.deepEqual([plain?.server, plain?.tool, plain?.name], ['vscode', 'find_usages', 'find_usages']);
});

test('our own tools are not offered to programs', () => {
  const tools = [
    tool('mcp_tta_run_code', { fullReferenceName: 'tta-mcp-code-execution/run_code' }),
    tool('mcp_x_run_code', { fullReferenceName: 'tta-mcp-code-execution/run_code' }),
    tool('tta_run_code'),
    tool('mcp_ttans_list'),
  ];
  assert.deepEqual(
    offered(tools).map(({ name }) => name),
    ['mcp_ttans_list'],
  );
});

test('an editor with very many tools offers a thousand', () => {
  const tools = Array.from({ length: 1_200 }, (_, index) => tool(`t${index}`));
  assert.equal(offered(tools).length, 1_000);
});

test('the fingerprint changes with a name and with a description', () => {
  const before = fingerprint([tool('a')]);
  assert.equal(fingerprint([tool('a')]), before);
  assert.notEqual(fingerprint([tool('b')]), before);
  assert.notEqual(fingerprint([tool('a', { description: 'Other.' })]), before);
});

test('texts stay texts, images are base64, and what is neither is named', () => {
  const bytes = new TextEncoder().encode('{"a":1}');
  assert.deepEqual(
    contentOf([
      { value: 'hello' },
      { data: bytes, mimeType: 'application/json' },
      { data: new Uint8Array([1, 2, 3]), mimeType: 'image/png' },
      { data: new Uint8Array(9), mimeType: 'audio/wav' },
      { value: { tsx: true } },
    ]),
    [
      { type: 'text', text: 'hello' },
      { type: 'text', text: '{"a":1}' },
      { type: 'image', mime_type: 'image/png', data: 'AQID' },
      { type: 'text', text: '[9 bytes of audio/wav left out]' },
    ],
  );
});

test('an answer that is too large fails', () => {
  assert.throws(() => contentOf([{ value: 'x'.repeat(5 << 20) }, { value: 'x'.repeat(5 << 20) }]), /more than 8 MiB/);
});
