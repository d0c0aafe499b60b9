// One program over five real servers from the registries, in parallel, in both languages.
import assert from 'node:assert/strict';
import test from 'node:test';
import { serverEntries } from '../../scripts/lib/servers.mjs';
import { commitAll, runJson, workspace } from '../lib/tta.mjs';

const PYTHON = `
import asyncio, tta
from servers import fs, memory, everything, git, time

folder = tta.inputs["folder"]
files, graph, echo, log, now = await asyncio.gather(
    fs.list_directory(path=folder),
    memory.create_entities(entities=[{"name": "ant", "entityType": "insect", "observations": ["small"]}]),
    everything.echo(message="hello"),
    git.git_log(repo_path=folder, max_count=1),
    time.get_current_time(timezone="UTC"),
)
{"files": str(files), "graph": str(graph), "echo": str(echo), "log": str(log), "zone": now["timezone"]}
`;

const TYPESCRIPT = `
import * as fs from "servers/fs";
import * as memory from "servers/memory";
import { echo } from "servers/everything";
import * as git from "servers/git";
import * as time from "servers/time";
import * as tta from "tta";

const { folder } = tta.inputs as { folder: string };
const [files, graph, said, log, now] = await Promise.all([
  fs.list_directory({ path: folder }),
  memory.createEntities({ entities: [{ name: "ant", entityType: "insect", observations: ["small"] }] }),
  echo({ message: "hello" }),
  git.git_log({ repo_path: folder, max_count: 1 }),
  time.get_current_time({ timezone: "UTC" }),
]);
export default { files: JSON.stringify(files), graph: JSON.stringify(graph), echo: String(said), log: JSON.stringify(log), zone: now.timezone };
`;

for (const [file, program] of Object.entries({ 'five.py': PYTHON, 'five.ts': TYPESCRIPT })) {
  test(`${file} calls five servers in one wave`, async (t) => {
    const folder = workspace(t, { servers: serverEntries, files: () => ({ [file]: program, 'note.md': 'An ant.\n' }) });
    commitAll(folder, 'the first commit');
    const input = JSON.stringify({ folder });
    const { code, json, stderr } = await runJson(folder, ['run', file, '--trust', '--input', input]);
    assert.equal(code, 0, `${stderr}\n${JSON.stringify(json.error)}`);
    assert.equal(json.status, 'ok');
    assert.match(json.result.files, /note\.md/);
    assert.match(json.result.graph, /insect/);
    assert.match(json.result.echo, /hello/);
    assert.match(json.result.log, /the first commit/);
    assert.equal(json.result.zone, 'UTC');
    assert.deepEqual(
      json.calls.map(({ server, status, wave }) => [server, status, wave]),
      ['fs', 'memory', 'everything', 'git', 'time'].map((server) => [server, 'ok', json.calls[0].wave]),
    );
    assertReceipt(json);
  });
}

/** Every figure of the receipt is there and adds up as the report itself says it does. */
function assertReceipt({ calls, tokens, usage }) {
  assert.ok(calls.every(({ result_tokens: counted, result_bytes: bytes }) => counted > 0 && bytes >= counted / 2));
  assert.equal(tokens.encoding, 'o200k_base');
  assert.equal(tokens.saved, tokens.direct.deferred.total - tokens.code_mode.total);
  assert.ok(
    tokens.direct.all_servers.definitions > tokens.direct.deferred.definitions,
    'five servers’ definitions weigh more',
  );
  assert.ok(tokens.direct.deferred.results > 0 && tokens.code_mode.output > 0);
  assert.ok(Object.keys(tokens.labels).length > 0, 'figures are labelled');
  assert.ok(usage.wall_ms > 0 && usage.peak_memory_bytes > 1 << 20);
}
