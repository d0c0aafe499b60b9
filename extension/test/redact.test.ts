import assert from 'node:assert/strict';
import test from 'node:test';
import { redacted } from '../src/redact';

const ANSWER = `Sending response 'tta/secret/get - (3)'. Processing request took 5ms\nResult: {"value":"s3cret"}`;
const JSON_ANSWER = '{"isLSPMessage":true,"type":"send-response","message":{"id":3,"result":{"value":"s3cret"}}}';

test('the trace keeps that a secret was handed over, and not the secret', () => {
  assert.equal(redacted(ANSWER), "Sending response 'tta/secret/get - (3)'. Processing request took 5ms\n(left out)");
  assert.doesNotMatch(redacted(JSON_ANSWER), /s3cret/);
});

test('a login that is kept, and its page, stay out of the trace', () => {
  for (const message of [
    `Received request 'tta/secret/set - (4)'.\nParams: {"key":"k","value":"s3cret"}`,
    `Received request 'tta/openUrl - (5)'.\nParams: {"url":"https://a.example/?state=s3cret"}`,
    '{"isLSPMessage":true,"type":"receive-request","message":{"id":4,"method":"tta/secret/set","params":{"value":"s3cret"}}}',
    '{"isLSPMessage":true,"type":"receive-request","message":{"id":5,"method":"tta/openUrl","params":{"url":"s3cret"}}}',
  ]) {
    assert.doesNotMatch(redacted(message), /s3cret/);
  }
});

test('the address of the tool set keeps its token to itself', () => {
  assert.doesNotMatch(redacted(`Received response 'initialize - (0)' in 9ms.\nResult: {"token":"t0ken"}`), /t0ken/);
});

test('everything else is traced as it is', () => {
  const other = `Sending request 'tta/run - (4)'.\nParams: {"code":"'tta/secret/get - ("}`;
  assert.equal(redacted(other), other);
});
