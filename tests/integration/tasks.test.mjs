// The tasks of tests/fixtures/tasks: small jobs over real servers, each with a reference program in both languages; and the
// examples that models are given.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import test from 'node:test';
import { serverEntries } from '../../scripts/lib/servers.mjs';
import { root } from '../../scripts/lib/step.mjs';
import { runJson, workspace } from '../lib/tta.mjs';

const folder = join(root, 'tests', 'fixtures', 'tasks');
const tasks = readdirSync(folder).filter((name) => name.endsWith('.json'));
assert.ok(tasks.length >= 10, 'the tasks are there');

for (const file of tasks) {
  const task = JSON.parse(readFileSync(join(folder, file), 'utf8'));
  for (const language of ['python', 'typescript']) {
    test(`${basename(file, '.json')} in ${language}`, async (t) => {
      const workplace = workspace(t, { servers: serverEntries, files: () => task.files ?? {} });
      if (task.git) commitAll(workplace);
      const input = JSON.stringify({ folder: workplace });
      const program = task[language].join('\n');
      const args = ['run', '-e', program, '--lang', language, '--trust', '--input', input];
      const { code, json, stderr } = await runJson(workplace, args);
      assert.equal(code, 0, `${stderr}\n${JSON.stringify(json.error)}`);
      assert.deepEqual(json.result, task.expect);
    });
  }
}

test('the programs in the description of run_code run as they stand', async (t) => {
  const { tools } = JSON.parse(readFileSync(join(root, 'toolsets', 'tools.json'), 'utf8'));
  const [, python, typescript] = /\nPython:\n(.*)\nTypeScript:\n(.*)\nOne module/s.exec(tools[0].description);
  const workplace = workspace(t, { servers: serverEntries, files: () => ({ a: 'four', b: '' }) });
  for (const [language, program] of Object.entries({ python, typescript })) {
    const { json } = await runJson(workplace, ['run', '-e', program, '--lang', language, '--trust']);
    assert.equal(json.result, 4, JSON.stringify(json.error));
    assert.equal(json.calls.length, 2);
  }
});

function commitAll(repository) {
  const git = (...args) =>
    execFileSync('git', ['-C', repository, '-c', 'user.name=t', '-c', 'user.email=t@t', ...args]);
  git('init', '--quiet');
  git('add', '--all');
  git('commit', '--quiet', '--message', 'first');
}
