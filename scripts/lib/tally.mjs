// Adds up what the test runners say of themselves. A step that failed without naming a failed test counts as one.

const SUMMARIES = [
  // cargo nextest: "Summary [ 1.2s] 12 tests run: 11 passed, 1 failed, 2 skipped"
  { line: /tests? run: .*$/gm, passed: /(\d+) passed/, failed: /(\d+) failed/ },
  // cargo test: "test result: ok. 12 passed; 0 failed; …"
  { line: /^test result: .*$/gm, passed: /(\d+) passed/, failed: /(\d+) failed/ },
  // node:test, its spec and its TAP reporter: "ℹ pass 12", "# fail 0"
  { line: /^(?:ℹ|#) (?:pass|fail|cancelled) \d+$/gm, passed: /pass (\d+)/, failed: /(?:fail|cancelled) (\d+)/ },
];

/** Sums the passed and failed tests of some steps; a step without tests (a check) counts as one. */
export function tally(steps) {
  const total = { passed: 0, failed: 0 };
  for (const { code, output } of steps) {
    const { passed, failed } = count(output);
    total.passed += passed + (code === 0 && passed === 0 ? 1 : 0);
    total.failed += failed + (code !== 0 && failed === 0 ? 1 : 0);
  }
  return total;
}

function count(output) {
  // eslint-disable-next-line no-control-regex -- runners colour their output
  const text = output.replace(/\u001b\[[0-9;]*m/g, '');
  const sum = { passed: 0, failed: 0 };
  for (const { line, ...patterns } of SUMMARIES) {
    for (const [found] of text.matchAll(line)) {
      for (const key of ['passed', 'failed']) sum[key] += Number(patterns[key].exec(found)?.[1] ?? 0);
    }
  }
  return sum;
}
