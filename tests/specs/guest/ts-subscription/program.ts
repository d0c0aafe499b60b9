import * as files from "servers/files";

const told: unknown[] = [];
for await (const update of files.resources.subscribe("a")) {
  told.push(update);
  if (told.length === 3) break;
}
const updates = await files.resources.subscribe({ uri: "a" });
told.push((await updates.next()).value);
await updates.return();
told.push((await updates.next()).done);
try {
  for await (const { times } of files.resources.subscribe("dies")) told.push(times);
} catch (error) {
  told.push(error.message);
}
told;
