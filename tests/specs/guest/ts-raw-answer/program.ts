import * as echo from "servers/echo";

[await echo.getSum.raw({ a: 1 }), await echo.get_sum.raw({ b: 2 })];
