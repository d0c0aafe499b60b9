import { echo } from "servers/echo";

for (const item of echo({ x: 1 })) item;
