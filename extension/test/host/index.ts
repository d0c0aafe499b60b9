/**
 * Runs the suite inside a real extension host, which calls {@link run} where it was started with `extensionTestsPath`. Every
 * result goes to the file that TTA_HOST_RESULTS names, a line of JSON each, so that a suite that hangs says how far it came.
 */

import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { run as runTests } from 'node:test';

interface Ended {
  readonly name: string;
  readonly details: { readonly duration_ms: number; readonly error?: Error };
}

/** Fails where a test failed. */
export async function run(): Promise<void> {
  const results = process.env['TTA_HOST_RESULTS'] ?? '';
  // In this process, for `vscode` is in no other; the typings are older than this option.
  const options = { files: [join(__dirname, 'suite.js')], isolation: 'none' };
  const tests = runTests(options);
  let [open, failed] = [0, 0];
  // The stream itself ends with the process: the suite ends with the last of its tests, all known once the file is loaded.
  await new Promise<void>((resolve) => {
    const end = ({ name, details: { duration_ms: ms, error } }: Ended): void => {
      const cause = error?.cause instanceof Error ? error.cause : error;
      appendFileSync(results, `${JSON.stringify({ name, ms, error: cause?.stack })}\n`);
      failed += error ? 1 : 0;
      open -= 1;
      if (open <= 0) {
        resolve();
      }
    };
    tests.on('test:enqueue', () => (open += 1));
    tests.on('test:pass', end);
    tests.on('test:fail', end);
  });
  if (failed > 0) {
    throw new Error(`${failed} failed; ${results} says which`);
  }
}
