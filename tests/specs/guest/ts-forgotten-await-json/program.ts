import { echo } from "servers/echo";

JSON.stringify(echo({ x: 1 }));
