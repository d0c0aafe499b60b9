const bytes = new TextEncoder().encode("é€😀");
const decoder = new TextDecoder();
const parts = decoder.decode(bytes.subarray(0, 3), { stream: true }) + decoder.decode(bytes.subarray(3));
let fatal = "";
try {
  new TextDecoder("utf-8", { fatal: true }).decode(new Uint8Array([255]));
} catch (error) {
  fatal = (error as Error).name;
}
[[...bytes].length, parts, fatal, atob(btoa("abc")), crypto.randomUUID().length, crypto.getRandomValues(new Uint8Array(4)).length];
