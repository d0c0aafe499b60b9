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
