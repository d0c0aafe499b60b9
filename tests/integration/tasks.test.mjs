// The tasks of tests/fixtures/tasks: small jobs over real servers, each with a reference program in both languages.
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

function commitAll(repository) {
  const git = (...args) =>
    execFileSync('git', ['-C', repository, '-c', 'user.name=t', '-c', 'user.email=t@t', ...args]);
  git('init', '--quiet');
  git('add', '--all');
  git('commit', '--quiet', '--message', 'first');
}
