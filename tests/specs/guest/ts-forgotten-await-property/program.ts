import { echo } from "servers/echo";

const reply = echo({ x: 1 });
console.log(reply.x);
