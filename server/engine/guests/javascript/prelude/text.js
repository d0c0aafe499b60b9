// TextEncoder and TextDecoder: UTF-8 only, as the encoder has it.
import { decode, encode } from 'sandbox/host';

export class TextEncoder {
  get encoding() { return 'utf-8'; }
  encode(text = '') { return new Uint8Array(encode(String(text))); }
  encodeInto(text, to) {
    let read = 0, written = 0;
    for (const character of String(text)) {
      const bytes = this.encode(character);
      if (written + bytes.length > to.length) break;
      to.set(bytes, written);
      written += bytes.length;
      read += character.length;
    }
    return { read, written };
  }
}

const LABELS = ['utf-8', 'utf8', 'unicode-1-1-utf-8'];

export class TextDecoder {
  #fatal;
  #ignoreBOM;
  #rest = new Uint8Array();

  constructor(label = 'utf-8', { fatal = false, ignoreBOM = false } = {}) {
    if (!LABELS.includes(String(label).trim().toLowerCase())) throw new RangeError(`only utf-8 can be decoded, not "${label}"`);
    this.#fatal = fatal;
    this.#ignoreBOM = ignoreBOM;
  }

  get encoding() { return 'utf-8'; }
  get fatal() { return this.#fatal; }
  get ignoreBOM() { return this.#ignoreBOM; }

  decode(input = new Uint8Array(), { stream = false } = {}) {
    let bytes = ArrayBuffer.isView(input)
      ? new Uint8Array(input.buffer, input.byteOffset, input.byteLength)
      : new Uint8Array(input);
    if (this.#rest.length) {
      const joined = new Uint8Array(this.#rest.length + bytes.length);
      joined.set(this.#rest);
      joined.set(bytes, this.#rest.length);
      bytes = joined;
    }
    const end = stream ? completeLength(bytes) : bytes.length;
    this.#rest = bytes.slice(end);
    bytes = bytes.subarray(0, end);
    const text = decode(bytes);
    if (this.#fatal && text.includes('\uFFFD') && !isSame(encode(text), bytes)) throw new TypeError('the bytes are not UTF-8');
    return !this.#ignoreBOM && text.startsWith('\uFEFF') ? text.slice(1) : text;
  }
}

/** How many of the bytes are whole characters; the rest may be continued. */
function completeLength(bytes) {
  for (let back = 1; back <= 3 && back <= bytes.length; back++) {
    const byte = bytes[bytes.length - back];
    if ((byte & 0xc0) === 0x80) continue;
    const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return needed > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}

function isSame(buffer, bytes) {
  const other = new Uint8Array(buffer);
  return other.length === bytes.length && other.every((byte, i) => byte === bytes[i]);
}

export const globals = { TextEncoder, TextDecoder };
