import tta, { inputs, servers, call, progress } from "tta";
await progress("half way");
[inputs, tta.inputs, servers(), await call("echo", "get-sum", { a: 2, b: 3 }), await tta.call("echo", "echo")];
