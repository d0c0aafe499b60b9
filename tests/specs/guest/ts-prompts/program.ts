import { echo, files } from "servers";
import tta from "tta";

try {
  await echo.prompts.list();
} catch (error) {
  console.log(error.kind);
}
const whole = await tta.call("files", "prompts/get", { name: "p", arguments: { name: "x", n: 1 } });
[await tta.call("files", "prompts/list"), whole.messages, await files.prompts()];
