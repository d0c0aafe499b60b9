import { echo } from "servers/echo";

const { x } = echo({ x: 1 });
x;
