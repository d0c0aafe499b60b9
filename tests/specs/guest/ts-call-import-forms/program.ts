import * as echo from "servers/echo";
import { get_sum, getSum, echo as say } from "servers/echo";
import files from "servers/files";
import { echo as lazy, files as lazier } from "servers";
import * as servers from "servers";
const dynamic = await import("servers/files");

[
  await echo.echo({ x: 1 }),
  await get_sum({ a: 1, b: 2 }),
  await getSum({ a: 2, b: 2 }),
  await say({ y: 2 }),
  await files.read_text_file({ path: "p" }),
  await lazy.getSum({ a: 1, b: 4 }),
  await lazier.readTextFile({ path: "q" }),
  await servers.echo.echo(),
  await dynamic.read_text_file({ path: "r" }),
];
