import { echo } from "servers/echo";

await echo({ data: [echo({ x: 1 })] });
