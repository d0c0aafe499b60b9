import { echo, fail, sleep } from "servers/echo";
const all = await Promise.all([1, 2, 3].map((n) => echo({ n })));
const settled = await Promise.allSettled([echo({ n: 1 }), fail({})]);
const first = await Promise.race([sleep({ ms: 5000, n: 1 }), sleep({ ms: 1, n: 2 })]);
const any = await Promise.any([fail({}), echo({ n: 3 })]);
const chained = await echo({ n: 4 }).then((reply) => reply.n).finally(() => {});
[all.map((r) => r.n), settled.map((s) => s.status), first.n, any.n, chained];
