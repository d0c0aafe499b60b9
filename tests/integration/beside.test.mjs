// Resources, prompts, whole answers and progress of real servers, from programs in both languages.
import assert from 'node:assert/strict';
import test from 'node:test';
import { serverEntries } from '../../scripts/lib/servers.mjs';
import { runJson, workspace } from '../lib/tta.mjs';

const PYTHON = `
from servers import everything
import tta

resources = await everything.resources.list()
text = await everything.resources.read("demo://resource/dynamic/text/1")
blob = await everything.resources.read("demo://resource/dynamic/blob/2")
prompts = await everything.prompts.list()
[message] = await everything.prompts.get("args-prompt", city="Bern")
operation = everything.trigger_long_running_operation(duration=0.3, steps=3)
steps = [update["progress"] async for update in operation.progress()]
image = await everything.get_tiny_image()
{
    "documents": [r["mimeType"] for r in resources if r["uri"].endswith("features.md")],
    "templates": len(await everything.resources.templates()),
    "text": text.split(":")[0],
    "blob": blob.decode().split(":")[0],
    "mime": [part["mimeType"] for part in await everything.resources.contents("demo://resource/dynamic/blob/2")],
    "prompts": sorted(p["name"] for p in prompts)[:2],
    "message": [message["role"], message["content"]["text"]],
    "steps": steps,
    "operation": "completed" in str(await operation),
    "blocks": [block["type"] for block in image],
    "links": [block["type"] for block in await everything.get_resource_links(count=2)],
    "annotations": (await everything.get_annotated_message.raw(messageType="error"))["content"][0]["annotations"]["priority"],
    "simple": await everything.get_annotated_message(messageType="error"),
}
`;

const TYPESCRIPT = `
import * as everything from "servers/everything";

const resources = await everything.resources.list();
const text = await everything.resources.read("demo://resource/dynamic/text/1");
const blob = await everything.resources.read("demo://resource/dynamic/blob/2");
const prompts = await everything.prompts.list();
const [message] = await everything.prompts.get("args-prompt", { city: "Bern" });
const operation = everything.triggerLongRunningOperation({ duration: 0.3, steps: 3 });
const steps: number[] = [];
for await (const { progress } of operation.progress()) steps.push(progress);
const image = await everything.getTinyImage();
const annotated = await everything.getAnnotatedMessage.raw({ messageType: "error" });
export default {
  documents: resources.filter((r) => r.uri.endsWith("features.md")).map((r) => r.mimeType),
  templates: (await everything.resources.templates()).length,
  text: text.split(":")[0],
  blob: new TextDecoder().decode(blob).split(":")[0],
  mime: (await everything.resources.contents("demo://resource/dynamic/blob/2")).map((part) => part.mimeType),
  prompts: prompts.map((p) => p.name).sort().slice(0, 2),
  message: [message.role, message.content.text],
  steps,
  operation: String(await operation).includes("completed"),
  blocks: image.map((block) => block.type),
  links: (await everything.getResourceLinks({ count: 2 })).map((block) => block.type),
  annotations: annotated.content[0].annotations.priority,
  simple: await everything.getAnnotatedMessage({ messageType: "error" }),
};
`;

const EXPECTED = {
  documents: ['text/markdown'],
  templates: 2,
  text: 'Resource 1',
  blob: 'Resource 2',
  mime: ['text/plain'],
  prompts: ['args-prompt', 'completable-prompt'],
  message: ['user', "What's weather in Bern?"],
  steps: [1, 2, 3],
  operation: true,
  blocks: ['text', 'image', 'text'],
  links: ['text', 'resource_link', 'resource_link'],
  annotations: 1,
  simple: 'Error: Operation failed',
};

for (const [language, program] of Object.entries({ python: PYTHON, typescript: TYPESCRIPT })) {
  test(`all that a server says reaches a program in ${language}`, async (t) => {
    const folder = workspace(t, { servers: serverEntries });
    const { code, json, stderr } = await runJson(folder, ['run', '-e', program, '--lang', language, '--trust']);
    assert.equal(code, 0, `${stderr}\n${JSON.stringify(json.error)}`);
    assert.deepEqual(json.result, EXPECTED);
    const made = json.calls.map(({ tool }) => tool);
    for (const name of [
      'resources/list',
      'resources/read',
      'resources/templates/list',
      'prompts/list',
      'prompts/get',
    ]) {
      assert.ok(made.includes(name), `${name} is one call in the receipt, among ${made}`);
    }
    assert.ok(!made.includes('progress/since'), 'questions for progress are no calls of a server');
    assert.ok(json.calls.every(({ status, result_tokens: counted }) => status === 'ok' && counted > 0));
  });
}

test('a server without resources says so, and its tools go on', async (t) => {
  const folder = workspace(t, { servers: serverEntries });
  const program = `
from servers import fs
try:
    await fs.resources.list()
except ToolError as error:
    said = str(error)
[said, await fs.list_allowed_directories()]
`;
  const { json } = await runJson(folder, ['run', '-e', program, '--lang', 'python', '--trust']);
  assert.match(json.result[0], /server `fs` offers no resources/);
  assert.deepEqual(
    json.calls.map(({ tool, status }) => [tool, status]),
    [
      ['resources/list', 'error'],
      ['list_allowed_directories', 'ok'],
    ],
  );
});
