import { resources } from "servers/files";

try {
  await resources.read("none");
} catch (error) {
  console.log(error.message);
}
await resources.read("odd");
