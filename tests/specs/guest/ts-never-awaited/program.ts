import { echo } from "servers/echo";

echo({ x: 1 });
1;
