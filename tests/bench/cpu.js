// The same text runs in the sandbox and in node: milliseconds by kind of work.
function timed(work) {
  let best = Infinity;
  for (let i = 0; i < 3; i++) {
    const started = performance.now();
    work();
    best = Math.min(best, performance.now() - started);
  }
  return Math.round(best * 100) / 100;
}
const fib = (n) => (n < 2 ? n : fib(n - 1) + fib(n - 2));
let seed = 7;
const next = () => (seed = (seed * 1103515245 + 12345) % 2147483648);
const numbers = Array.from({ length: 200000 }, next);
const source = JSON.stringify(
  Array.from({ length: 60000 }, (_, i) => ({ id: i, name: `item ${i}`, tags: ['a', 'b', String(i)] })),
);
const text = 'the quick brown fox 1234 jumps over 5678 lazy dogs '.repeat(6000);
globalThis.result = {
  sort: timed(() => [...numbers].sort((a, b) => a - b)),
  json: timed(() => JSON.parse(source)),
  fib: timed(() => fib(22)),
  regex: timed(() => text.match(/(\w+) (\d+)/g).length),
  loop: timed(() => {
    let total = 0;
    for (let i = 0; i < 1000000; i++) total += i;
    return total;
  }),
};
