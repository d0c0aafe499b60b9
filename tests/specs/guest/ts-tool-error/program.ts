import { fail } from "servers/echo";

async function work(): Promise<unknown> {
  return await fail({ a: 1 });
}

await work();
