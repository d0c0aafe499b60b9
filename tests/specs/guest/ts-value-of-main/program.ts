import { echo } from "servers/echo";
async function main(): Promise<number> {
  const reply = await echo({ x: 41 });
  return reply.x + 1;
}
main();
