// A login to a real remote server, which names a real authorization server: from the refusal to the token and back.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import test from 'node:test';
import { oauthServer } from '../lib/oauth.mjs';
import { run, runJson, workspace } from '../lib/tta.mjs';

const browser = ['python3', join(import.meta.dirname, '..', 'lib', 'browser.py')];

test('a remote server is logged in to in the browser, stays so, and is logged out of', async (t) => {
  const url = await oauthServer(t);
  const folder = workspace(t, { servers: () => ({ remote: { type: 'http', url } }) });
  const greet = ['call', 'remote', 'greet', '{"name": "Ada"}', '--trust'];

  const refused = await runJson(folder, greet);
  assert.equal(refused.code, 1);
  assert.match(refused.json.error.message, /asks for a login/);
  assert.match(refused.json.error.hint, /tta servers login remote/);

  const login = await run(folder, ['servers', 'login', 'remote', '--trust'], { through: browser });
  assert.equal(login.code, 0, login.stderr);
  assert.match(login.stderr, /open this page on this machine/);

  for (const time of ['at once', 'in another process']) {
    const called = await run(folder, greet);
    assert.equal(called.code, 0, `${time}: ${called.stderr}`);
    assert.match(called.stdout, /Hello, Ada/);
  }
  const program = 'from servers import remote\n(await remote.greet(name="Ada"))';
  const ran = await runJson(folder, ['run', '--lang', 'python', '--trust', '-e', program]);
  assert.match(JSON.stringify(ran.json.result), /Hello, Ada/);

  const loggedOut = await run(folder, ['servers', 'logout', 'remote', '--trust']);
  assert.equal(loggedOut.code, 0, loggedOut.stderr);
  assert.equal((await run(folder, greet)).code, 1, 'it asks again');
});

test('what a login leaves is for this user alone, and goes with the logout', async (t) => {
  const url = await oauthServer(t);
  const folder = workspace(t, { servers: () => ({ remote: { type: 'http', url } }) });
  const kept = () => {
    const found = spawnSync('grep', ['--recursive', '--files-with-matches', 'access_token', `${folder}-home`], {
      encoding: 'utf8',
    });
    return found.stdout.split('\n').filter(Boolean);
  };
  const login = await run(folder, ['servers', 'login', 'remote', '--trust'], { through: browser });
  assert.equal(login.code, 0, login.stderr);
  const [file, ...others] = kept();
  assert.deepEqual(others, []);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.equal(statSync(dirname(file)).mode & 0o777, 0o700);
  assert.equal((await run(folder, ['servers', 'logout', 'remote', '--trust'])).code, 0);
  assert.deepEqual(kept(), []);
});
