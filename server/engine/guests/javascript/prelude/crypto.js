// crypto: fresh randomness from the host, no ciphers.
import { random } from 'sandbox/host';

const AT_ONCE = 1024;

function getRandomValues(array) {
  if (!ArrayBuffer.isView(array) || array instanceof DataView || array instanceof Float32Array || array instanceof Float64Array) {
    throw new TypeError('getRandomValues fills an array of integers');
  }
  if (array.byteLength > 65536) throw new RangeError('getRandomValues fills 65536 bytes at most');
  const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  for (let at = 0; at < bytes.length; at += AT_ONCE) {
    bytes.set(new Uint8Array(random(Math.min(AT_ONCE, bytes.length - at))), at);
  }
  return array;
}

function randomUUID() {
  const bytes = new Uint8Array(random(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  return bytes.toHex().replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

export const crypto = { getRandomValues, randomUUID };
