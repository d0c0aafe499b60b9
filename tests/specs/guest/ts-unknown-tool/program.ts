import * as files from "servers/files";

await files.readFile({ path: "a" });
