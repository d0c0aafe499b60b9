// What a server asks in the middle of a call, by the protocol's own reference server: answered at a terminal, declined
// without one.
import assert from 'node:assert/strict';
import test from 'node:test';
import { serverEntries } from '../../scripts/lib/servers.mjs';
import { runJson, runOnTerminal, workspace } from '../lib/tta.mjs';

const everything = (t) => workspace(t, { servers: (folder) => ({ everything: serverEntries(folder).everything }) });
const program = (call) => [
  'run',
  '--trust',
  '--lang',
  'python',
  '-e',
  `from servers import everything\nawait everything.${call}`,
];
const FORM = program('trigger_elicitation_request()');
const PAGE = program(
  'trigger_url_elicitation(url="https://good.example/login?x=1", message="Log in\\n\\u001b[2Jplease")',
);

test('a form is filled in at the terminal, field by field, and sent as it was checked', async (t) => {
  const steps = [
    ['Answer it? [y/n] ', 'y\n'],
    ['String (text, required): ', '\n'],
    ['it is required', 'Ada\n'],
    ['Boolean (yes or no): ', 'y\n'],
    ['[It was a dark and stormy night.]: ', '\n'],
    ['email format (text): ', 'nobody\n'],
    ['an e-mail address is wanted', 'ada@example.org\n'],
    ['uri format (text): ', '\n'],
    ['date format (text): ', '2026-01-31\n'],
    ['Integer (whole number) [42]: ', '777\n'],
    ['at most 100', '7\n'],
    ['(number) [3.14]: ', '\n'],
    ['Untitled Single Select Enum (one of the numbers) [1]: ', '3\n'],
    ['Untitled Multiple Select Enum (numbers, apart by commas) [1]: ', '2,4\n'],
    ['Titled Single Select Enum (one of the numbers) [1]: ', '2\n'],
    ['Titled Multiple Select Enum (numbers, apart by commas) [1]: ', '\n'],
    ['Legacy Titled Single Select Enum (one of the numbers) [1]: ', '\n'],
    ['Send it? [y/n] ', 'y\n'],
  ];
  const { code, screen } = await runOnTerminal(everything(t), FORM, steps);
  assert.equal(code, 0, screen);
  assert.match(screen, /The MCP server `everything` asks you:\n {2}\| Please provide inputs/);
  const raw = JSON.parse(/Raw result: (\{[^]*?\n\})/.exec(screen)?.[1] ?? 'null');
  assert.deepEqual(raw, {
    action: 'accept',
    content: {
      name: 'Ada',
      check: true,
      firstLine: 'It was a dark and stormy night.',
      email: 'ada@example.org',
      birthdate: '2026-01-31',
      integer: 7,
      number: 3.14,
      untitledSingleSelectEnum: 'Joey',
      untitledMultipleSelectEnum: ['Piano', 'Drums'],
      titledSingleSelectEnum: 'hero-2',
      titledMultipleSelectEnum: ['fish-1'],
      legacyTitledEnum: 'pet-1',
    },
  });
});

test('a no is told to the server, and so is a question that is left', async (t) => {
  const folder = everything(t);
  for (const [typed, action] of [
    ['n\n', 'decline'],
    ['\n', 'cancel'],
  ]) {
    const { code, screen } = await runOnTerminal(folder, FORM, [['Answer it? [y/n] ', typed]]);
    assert.equal(code, 0, screen);
    assert.ok(screen.includes(`"action": "${action}"`), screen);
  }
});

test('a page is shown with its host and what the server says in its own lines, and is never opened from here', async (t) => {
  const { code, screen } = await runOnTerminal(everything(t), PAGE, [['Did you open it? [y/n] ', 'y\n']]);
  assert.equal(code, 0, screen);
  assert.match(
    screen,
    /\n {2}\| Log in\n {2}\| ␛\[2Jplease\n[^]*https:\/\/good\.example\/login\?x=1\nIt is a page of good\.example\.\n/,
  );
  assert.ok(screen.includes('"action": "accept"'), screen);
});

test('Ctrl-C at a question withdraws it with the run', async (t) => {
  const { code, screen } = await runOnTerminal(everything(t), FORM, [['Answer it? [y/n] ', '\x03']]);
  assert.equal(code, 130, screen);
  assert.match(screen, /tta: the question was withdrawn\n[^]*the run was cancelled/);
});

test('without a terminal the server is not even offered an answer', async (t) => {
  const asks = [
    'run',
    '--trust',
    '--lang',
    'python',
    '-e',
    'from servers import everything\n[t for t in dir(everything) if t.startswith("trigger_")]',
  ];
  const { code, json } = await runJson(everything(t), asks);
  assert.equal(code, 0);
  assert.deepEqual(json.result, ['trigger_long_running_operation']);
});

const LOCKED = program('trigger_url_elicitation(url="https://good.example/", message="Log in", errorPath=True)');

test('a call that needs a page visited first waits for the person’s word, and is made once more', async (t) => {
  const { code, screen } = await runOnTerminal(everything(t), LOCKED, [
    ['Are you done there? [y/n] ', 'y\n'],
    ['Did you open it? [y/n] ', 'y\n'],
  ]);
  assert.equal(code, 0, screen);
  assert.match(screen, /https:\/\/modelcontextprotocol\.io\/\nIt is a page of modelcontextprotocol\.io\.\n/);
  assert.ok(screen.includes('"action": "accept"'), screen);
});

test('a no to that page is an error that names the server and where the page is', async (t) => {
  const { code, screen } = await runOnTerminal(everything(t), LOCKED, [['Are you done there? [y/n] ', 'n\n']]);
  assert.equal(code, 1, screen);
  const says = 'server `everything` wants a page of https://modelcontextprotocol.io visited by a person first';
  assert.ok(screen.replace(/\s+/g, ' ').includes(`${says}, and a person said no`), screen);
});
