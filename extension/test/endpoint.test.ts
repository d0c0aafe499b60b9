import assert from 'node:assert/strict';
import test from 'node:test';
import { endpointOf } from '../src/endpoint';

test('the endpoint is read from the experimental capabilities', () => {
  const mcp = { url: 'http://127.0.0.1:7/mcp', token: 's', version: '0.1.0' };
  assert.deepEqual(endpointOf({ tta: { mcp } }), mcp);
});

test('anything else is no daemon of ours', () => {
  for (const other of [undefined, null, 1, {}, { tta: {} }, { tta: { mcp: { url: 'u', token: 's' } } }]) {
    assert.equal(endpointOf(other), undefined);
  }
});
