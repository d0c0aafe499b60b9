import assert from 'node:assert/strict';
import test from 'node:test';
import { importable, isForeign } from '../src/first/offer';
import type { Scope, ServerStatus } from '../src/lsp_ext';

function server(file: string, scope: Scope): ServerStatus {
  return {
    name: file,
    identifier: 'x',
    source: { file, line: 1, scope },
    transport: 'stdio',
    target: 'x',
    state: 'stopped',
    problems: [],
  };
}

test('other tools’ servers are offered where the person has none of their own', () => {
  const foreign = [server('/home/me/.cursor/mcp.json', 'user'), server('/home/me/.claude.json', 'user')];
  const editors = server('neighbour', 'editor');
  assert.deepEqual(importable([...foreign, editors]), foreign);
  assert.deepEqual(importable([...foreign, server('/w/.vscode/mcp.json', 'workspace')]), []);
  assert.deepEqual(importable([editors]), []);
  assert.deepEqual(importable([]), []);
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
