// What only a person can give: `${input:…}`, asked for once, kept by the editor, in the environment of the server that wants
// it and nowhere else; a login in the browser; and answers to what a server asks in the middle of a call.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { binary } from '../../scripts/lib/build.mjs';
import { serverEntries } from '../../scripts/lib/servers.mjs';
import { oauthServer } from '../lib/oauth.mjs';
import { processesOf } from '../lib/processes.mjs';
import { workspace } from '../lib/tta.mjs';
import { scriptedModel } from './model.mjs';
import { settings } from './setup.mjs';
import { extensions } from './vsix.mjs';
import { until, Workbench } from './workbench.mjs';

const TOKEN = 'tk-5b1f4c9e-not-for-others';

/** The program looks for the token itself: wherever it could be, it must not be found. */
const PROGRAM = `import os
from servers import fs

listing = await fs.list_allowed_directories()
{"directories": str(listing), "environment": dict(os.environ)}
`;

test('what only a person can give', async (t) => {
  await t.test('a secret input is asked for once and is nowhere but with its server', secretInput);
  await t.test(
    'a server is logged in to in the browser, and by an address handed over where that cannot come back',
    login,
  );
  await t.test('a server asks in the middle of a call: for a form, a page, the editor’s model', asks);
  await t.test('a call that needs a page visited first waits for the person’s word or the server’s', visits);
});

async function secretInput(t) {
  const folder = workspace(t, {
    files: (folder) => {
      const fs = { ...serverEntries(folder).fs, env: { NOTES_TOKEN: '${input:token}' } };
      const inputs = [{ id: 'token', type: 'promptString', description: 'Token of the notes', password: true }];
      return { '.vscode/mcp.json': JSON.stringify({ inputs, servers: { fs } }, null, 2), 'list.py': PROGRAM };
    },
  });
  const server = () => processesOf('server-filesystem', folder)[0];
  const holdsToken = (pid) => readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`NOTES_TOKEN=${TOKEN}`);
  const workbench = await Workbench.open({
    folder,
    extensions,
    settings: { ...settings, 'tta.trace.server': 'verbose' },
    logLevel: 'trace',
  });
  t.after(() => workbench.close());
  await workbench.statusWith('TTA: ready');
  await workbench.openFile(join(folder, 'list.py'));

  await workbench.command('tta.runFile');
  const input = workbench.page.locator('.quick-input-widget:visible input[type=password]');
  await input.waitFor();
  await workbench.page.getByText('Token of the notes').first().waitFor();
  await workbench.shoot('input');
  await input.fill(TOKEN);
  await input.press('Enter');
  const output = await workbench.outputWith('list.py · done');
  const first = await until('the server', server);
  assert.ok(holdsToken(first), 'the server has the token in its environment');

  await workbench.command('tta.restartDaemon');
  await until('the end of the first server', () => server() !== first);
  await workbench.openFile(join(folder, 'list.py'));
  await workbench.command('tta.runFile');
  const second = await until('another server', server);
  assert.ok(holdsToken(second), 'the stored value was handed over, unasked');

  assert.ok(!output.includes(TOKEN));
  assert.deepEqual(workbench.filesWith(TOKEN), [], 'no log, no ledger, no storage on disk holds the token');
  assert.ok(workbench.filesWith("response 'tta/secret/get").length > 0, 'the trace was on');
  assert.ok(workbench.filesWith('\n(left out)').length > 0, 'and as detailed as it can be');

  await workbench.command('tta.forgetInputs');
  await workbench.pickWith('token');
  await workbench.page.locator('.quick-input-widget:visible .monaco-list-row', { hasText: 'token' }).click();
  await workbench.page.locator('.quick-input-widget:visible .monaco-button', { hasText: 'OK' }).click();
  await workbench.command('tta.restartDaemon');
  await until('the end of the second server', () => server() !== second);
  await workbench.openFile(join(folder, 'list.py'));
  await workbench.command('tta.runFile');
  await input.waitFor();
}

const GREETING = `from servers import remote
await remote.greet(name="Ada")
`;

async function login(t) {
  const url = await oauthServer(t);
  const folder = workspace(t, {
    servers: () => ({ remote: { type: 'http', url } }),
    files: () => ({ 'greet.py': GREETING }),
  });
  const workbench = await Workbench.open({ folder, extensions, settings });
  t.after(() => workbench.close());
  const { page } = workbench;
  const greeted = async () => {
    await workbench.clearOutput();
    await workbench.openFile(join(folder, 'greet.py'));
    await workbench.command('tta.runFile');
  };
  await workbench.statusWith('TTA: ready');

  // The browser of the tests is on the daemon's machine, and comes back by itself.
  const [tab] = await Promise.all([page.context().waitForEvent('page'), greeted()]);
  await tab.getByText('You are logged in. You can close this page.').waitFor();
  await tab.close();
  const offer = page.locator('.notification-toast', {
    hasText: 'Does it end on a page that your browser cannot reach?',
  });
  await offer.waitFor({ state: 'detached' });
  assert.match(await workbench.outputWith('greet.py · done'), /Hello, Ada/);
  assert.deepEqual(workbench.filesWith('access_token'), [], 'the token is in the editor’s own secrets, encrypted');

  // As if it were on another one: the page is opened there, and the way back does not lead here.
  await page.evaluate(() => {
    globalThis.open = (url) => Object.assign(globalThis, { opened: String(url) });
  });
  await workbench.command('tta.logoutServer');
  await workbench.pickWith('remote');
  await page.keyboard.press('Enter');
  await page.getByText('Logged out of remote.', { exact: true }).waitFor();
  await greeted();
  const opened = await until('the page to be opened', () => page.evaluate(() => globalThis.opened));
  const ended = (await fetch(opened, { redirect: 'manual' })).headers.get('location');
  await workbench.shoot('login-offer');
  await offer.getByText('Enter its address').click();
  const input = page.locator('.quick-input-widget:visible input');
  await input.waitFor();
  await input.fill('http://127.0.0.1:1/callback?code=1');
  await page.getByText('It begins with').first().waitFor();
  await workbench.shoot('login-address');
  await input.fill(ended);
  await input.press('Enter');
  assert.match(await workbench.outputWith('greet.py · done'), /Hello, Ada/);
  await offer.waitFor({ state: 'detached' });
}

const PAGE = 'https://good.example/login?x=1';
const ASKED = `from servers import everything

form = await everything.trigger_elicitation_request()
page = await everything.trigger_url_elicitation(url="${PAGE}", message="Log in first")
said = await everything.trigger_sampling_request(prompt="Which colour?", maxTokens=20)
" ".join(word for word, answer in (("Ada", form), ("Monica", form), ("accept", page), ("Blue.", said)) if word in str(answer))
`;

async function asks(t) {
  const model = await scriptedModel({ tool: 'none', args: {}, script: () => 'Blue.' });
  t.after(() => model.close());
  const folder = workspace(t, {
    servers: (at) => ({ everything: serverEntries(at).everything }),
    files: () => ({ 'asked.py': ASKED }),
  });
  const workbench = await Workbench.open({ folder, extensions, settings, modelUrl: model.url });
  t.after(() => workbench.close());
  const { page } = workbench;
  await workbench.enableAgent();
  await workbench.statusWith('TTA: ready');
  await workbench.openFile(join(folder, 'asked.py'));
  await workbench.command('tta.runFile');

  const form = workbench.question('The MCP server “everything” asks you');
  await form.waitFor();
  await workbench.shoot('asks-form');
  await workbench.answer(form, 'Answer…');
  const widget = page.locator('.quick-input-widget:visible');
  for (let field = 1; field <= 13; field += 1) {
    await widget.locator('.quick-input-title', { hasText: `(${field}/13)` }).waitFor();
    if (field === 1) {
      await widget.locator('input').press('Enter');
      await widget.getByText('String is required.').waitFor();
      await widget.locator('input').fill('Ada');
      await workbench.shoot('asks-field');
    }
    await page.keyboard.press('Enter');
  }
  await widget.getByText('Send to “everything”').waitFor();
  await workbench.shoot('asks-overview');
  await page.keyboard.press('Enter');

  await page.evaluate(() => {
    globalThis.open = (url) => Object.assign(globalThis, { opened: String(url) });
  });
  const consent = workbench.question('wants you to open a page of ▸ good.example ◂');
  await consent.waitFor();
  await workbench.shoot('asks-page');
  await workbench.answer(consent, 'Open Page');
  await page.locator('.monaco-dialog-box:visible').getByText('Open', { exact: true }).click();
  assert.equal(await until('the page to be opened', () => page.evaluate(() => globalThis.opened)), PAGE);

  const sampling = workbench.question('The MCP server “everything” wants to ask the model');
  await sampling.waitFor();
  await workbench.shoot('asks-model');
  await workbench.answer(sampling, 'Allow Once');
  await workbench.outputWith('Ada Monica accept Blue.');
}

const LOCKED = `from servers import everything

answer = await everything.trigger_url_elicitation(url="${PAGE}", message="Log in first", errorPath=True)
"accepted" if "accept" in str(answer) else answer
`;

/** The server tells that the page is done once the file \`seen\` is there, while the call still waits for it. */
const UNLOCKED = `import asyncio
from servers import fs, pages

async def tell():
    while "seen" not in str(await fs.list_directory(path=".")):
        await asyncio.sleep(0.2)
    await pages.open(ids=["p"])

wanted = {"mode": "url", "elicitationId": "p", "url": "https://other.example/", "message": "Log in"}
answer, _ = await asyncio.gather(pages.locked(pages=[wanted]), tell())
f"unlocked at call {answer['calls']}"
`;

async function visits(t) {
  const folder = workspace(t, {
    servers: (at) => ({
      everything: serverEntries(at).everything,
      fs: serverEntries(at).fs,
      pages: { command: binary('debug', 'page-server'), args: [] },
    }),
    files: () => ({ 'locked.py': LOCKED, 'unlocked.py': UNLOCKED }),
  });
  const workbench = await Workbench.open({ folder, extensions, settings });
  t.after(() => workbench.close());
  const { page } = workbench;
  await page.evaluate(() => {
    globalThis.open = (url) => Object.assign(globalThis, { opened: String(url) });
  });
  const run = async (name) => {
    await workbench.clearOutput();
    await workbench.openFile(join(folder, name));
    await workbench.command('tta.runFile');
  };
  const open = async (host) => {
    const consent = workbench.question(`wants you to open a page of ▸ ${host} ◂`);
    await consent.waitFor();
    await workbench.answer(consent, 'Open Page');
    await page.locator('.monaco-dialog-box:visible').getByText('Open', { exact: true }).click();
    await until('the page to be opened', () =>
      page.evaluate((wanted) => globalThis.opened?.includes(wanted), `//${host}/`),
    );
  };
  await workbench.statusWith('TTA: ready');

  await run('locked.py');
  await open('modelcontextprotocol.io');
  const done = workbench.question('waits until you are done on the page of ▸ modelcontextprotocol.io ◂');
  await done.waitFor();
  await workbench.shoot('asks-done');
  await workbench.answer(done, 'I Am Done');
  // The call is made once more; this server then asks for the page that it was told, as a question of its own.
  await open('good.example');
  await workbench.outputWith('accepted');

  await run('unlocked.py');
  await open('other.example');
  const waits = workbench.question('waits until you are done on the page of ▸ other.example ◂');
  await waits.waitFor();
  writeFileSync(join(folder, 'seen'), '');
  await waits.waitFor({ state: 'detached' });
  await workbench.outputWith('unlocked at call 2');
}
