// Which processes of this machine run a given program: to see that none was started, or that one came back.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** Ids of the processes whose executable is `path` and whose command line holds each of `words`. */
export function processesOf(path, ...words) {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
        return (
          [path, ...words].every((word) => line.includes(word)) ||
          (readlinkSync(`/proc/${pid}/exe`) === path && words.every((word) => line.includes(word)))
        );
      } catch {
        return false; // It ended meanwhile, or is another user's.
      }
    });
}

/** Those of `processesOf(path, ...words)` whose environment has `name=value`. */
export function processesWith(name, value, path, ...words) {
  return processesOf(path, ...words).filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(`${name}=${value}`);
    } catch {
      return false; // Likewise.
    }
  });
}
