import * as echo from "servers/echo";

const call = echo.sleep({ ms: 20 });
const told: unknown[] = [];
for await (const update of call.progress()) told.push(update);
const failing = echo.fail();
for await (const { progress } of failing.progress()) told.push(progress);
await failing.catch((error) => told.push(error.message));
for await (const _ of echo.sleep({ ms: 1 }).progress());
[told, await call];
