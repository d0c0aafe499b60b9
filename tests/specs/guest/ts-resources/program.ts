import * as f from "servers/files";
import files from "servers/files";
import { resources } from "servers/files";
import { files as lazy } from "servers";

const both = await f.resources.read("both");
[
  await files.resources.list(),
  await lazy.resources.templates(),
  await resources.read("a"),
  [...(await resources.read({ uri: "b" }))],
  [both[0], both[1].length],
  (await resources.contents("b"))[0].mimeType,
];
