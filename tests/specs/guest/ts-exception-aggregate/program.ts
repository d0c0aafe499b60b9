import { fail } from "servers/echo";
await Promise.any([fail({}), fail({})]);
