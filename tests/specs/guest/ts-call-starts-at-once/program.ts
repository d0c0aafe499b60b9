import { sleep } from "servers/echo";
const start = performance.now();
const calls = Array.from({ length: 10 }, (_, n) => sleep({ ms: 150, n }));
const values: number[] = [];
for (const call of calls) values.push((await call).n);
[values, performance.now() - start < 1000];
