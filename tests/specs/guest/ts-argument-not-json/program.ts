import { echo } from "servers/echo";

await echo({ data: { run() {} } });
