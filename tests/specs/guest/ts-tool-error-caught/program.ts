import { fail } from "servers/echo";
import { ToolError as Same } from "tta";
let caught: unknown[] = [];
try {
  await fail({ a: 1 });
} catch (error) {
  if (error instanceof ToolError) caught = [error.name, error.server, error.tool, error.message, error.kind, error instanceof Same];
}
caught;
