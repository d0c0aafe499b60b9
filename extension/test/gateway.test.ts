import assert from 'node:assert/strict';
import test from 'node:test';
import { Gateway } from '../src/editor/gateway';
import { offered } from '../src/editor/offered';
import { lm } from './vscode';

type Start = () => Promise<unknown>;

function at(label: string, path: string): object {
  return { label, address: { toString: () => `http://127.0.0.1:7000/gateway/${path}` } };
}

/** A gateway over an editor that starts it in this way, if in any; and what it said and told. */
function gateway(start?: Start) {
  const editor: typeof lm & { startMcpGateway?: Start } = lm;
  delete editor.startMcpGateway;
  if (start) {
    editor.startMcpGateway = start;
  }
  const lines: string[] = [];
  let changes = 0;
  const gateway = new Gateway(
    () => changes++,
    (line) => lines.push(line),
  );
  return { gateway, lines, changes: () => changes };
}

test('an editor without a gateway has no addresses, and is asked once', async () => {
  const none = gateway();
  assert.equal((await none.gateway.addresses()).size, 0);
  assert.equal((await none.gateway.addresses()).size, 0);
  assert.deepEqual(none.lines, ['The editor has no MCP gateway.']);
  none.gateway.dispose();
});

test('an editor that keeps its gateway to itself has no addresses, and why is said once', async () => {
  let asked = 0;
  const kept = gateway(() => {
    asked++;
    throw new Error('CANNOT use API proposal: mcpServerDefinitions');
  });
  assert.equal((await kept.gateway.addresses()).size, 0);
  assert.equal((await kept.gateway.addresses()).size, 0);
  assert.equal(asked, 1);
  assert.deepEqual(kept.lines, [
    'The editor keeps its MCP gateway to itself: CANNOT use API proposal: mcpServerDefinitions',
  ]);
});

test('each server has its address, but ours and those that share a name', async () => {
  const servers = [at('My Notes', 'a'), at('twin', 'b'), at('Twin', 'c'), at('tta-mcp-code-execution', 'd')];
  let disposed = 0;
  const some = gateway(() => Promise.resolve({ servers, dispose: () => disposed++ }));
  const addresses = await some.gateway.addresses();
  assert.deepEqual([...addresses], [['my-notes', 'http://127.0.0.1:7000/gateway/a']]);
  assert.doesNotMatch(some.lines.join(), /7000/, 'an address is in no log');
  some.gateway.dispose();
  assert.equal(disposed, 1);
  assert.equal((await some.gateway.addresses()).size, 0);
});

test('a change of the servers is told, and followed', async () => {
  const servers = [at('a', 'a')];
  const listeners = new Set<() => void>();
  const onDidChangeServers = (listener: () => void) => {
    listeners.add(listener);
    return { dispose: () => listeners.delete(listener) };
  };
  const some = gateway(() => Promise.resolve({ servers, onDidChangeServers, dispose: () => undefined }));
  await some.gateway.addresses();
  servers.splice(0, 1, at('b', 'b'));
  listeners.forEach((listener) => {
    listener();
  });
  assert.equal(some.changes(), 1);
  assert.deepEqual([...(await some.gateway.addresses()).keys()], ['b']);
  some.gateway.dispose();
  assert.equal(listeners.size, 0);
});

test('a gateway that comes late does not keep anybody waiting, and is told of', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let come: (gateway: object) => void = () => undefined;
  const late = gateway(() => new Promise((resolve) => (come = resolve)));
  const before = late.gateway.addresses();
  t.mock.timers.tick(3_000);
  assert.equal((await before).size, 0);
  come({ servers: [at('a', 'a')], dispose: () => undefined });
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(late.changes(), 1);
  assert.equal((await late.gateway.addresses()).size, 1);
});

test('a gateway that comes after its time is given back', async () => {
  let come: (gateway: object) => void = () => undefined;
  const late = gateway(() => new Promise((resolve) => (come = resolve)));
  const asked = late.gateway.addresses();
  late.gateway.dispose();
  let disposed = 0;
  come({ servers: [at('a', 'a')], dispose: () => disposed++ });
  assert.equal((await asked).size, 0);
  assert.equal(disposed, 1);
});

test('a tool is told with its server’s address, where its full name says which server that is', () => {
  const addresses = new Map([['notes', 'http://127.0.0.1:1/a']]);
  const tool = { description: '', inputSchema: {}, tags: [] };
  const urls = offered(
    [
      { ...tool, name: 'mcp_notes_list', fullReferenceName: 'notes/list' },
      { ...tool, name: 'mcp_notes_cut' },
      { ...tool, name: 'mcp_other_list', fullReferenceName: 'other/list' },
      { ...tool, name: 'notes', fullReferenceName: 'notes/list' },
    ] as Parameters<typeof offered>[0],
    addresses,
  ).map(({ url }) => url);
  assert.deepEqual(urls, ['http://127.0.0.1:1/a', undefined, undefined, undefined]);
});
