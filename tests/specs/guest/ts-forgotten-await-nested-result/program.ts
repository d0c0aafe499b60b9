import { echo } from "servers/echo";

({ items: [echo({ x: 1 })] });
