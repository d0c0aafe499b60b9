import assert from 'node:assert/strict';
import test from 'node:test';
import * as vscode from 'vscode';
import { textOfPart, TooLong } from '../src/chat/conversation';
import { failureText } from '../src/chat/failure';
import { keep, keptIn, pastTurns } from '../src/chat/history';
import type { Call } from '../src/chat/loop';
import { ourTools } from '../src/chat/ready';
import { followups, isTaken } from '../src/chat/rules';
import { callsOf, runsOf, savingsText } from '../src/chat/savings';
import { INSTRUCTIONS, preface, TOOL_SET_FILE } from '../src/chat/texts';
import type { DaemonState } from '../src/client';
import type { RunSummary } from '../src/lsp_ext';
import { report, savings } from './samples';

const call = (changes: Partial<Call> = {}): Call => ({
  name: 'mcp_tta_run_code',
  input: { code: '1 + 1' },
  answer: '2',
  fromMs: 1_000,
  toMs: 2_000,
  ...changes,
});

/** The editor makes turns itself: their constructors are not for us. */
const Turns = vscode as unknown as {
  ChatRequestTurn: new (prompt: string, participant: string, command?: string) => vscode.ChatRequestTurn;
  ChatResponseTurn: new (response: unknown[], result: object, participant: string) => vscode.ChatResponseTurn;
};
const asked = (prompt: string, command?: string, by = 'tta.tta') => new Turns.ChatRequestTurn(prompt, by, command);
const answered = (text: string, result: object = {}, by = 'tta.tta') =>
  new Turns.ChatResponseTurn(text === '' ? [] : [new vscode.ChatResponseMarkdownPart(text)], result, by);

test('the turns before are told again: prompts, calls and answers of this participant', () => {
  const history = [
    asked('How many?'),
    answered('Two.', { metadata: keep([call()], 'answered') }),
    asked('Elsewhere', undefined, 'other'),
    answered('Else.', {}, 'other'),
    asked('', 'savings'),
    answered('6.3k tokens saved'),
    asked('And why?'),
    answered('', { errorDetails: { message: 'Blocked.' } }),
  ];
  const turns = pastTurns(history, 'tta.tta').map((messages) =>
    messages.map(({ role, content }) => [role, content.map(textOfPart).join('|')]),
  );
  assert.deepEqual(turns, [
    [
      [1, 'How many?'],
      [2, 'mcp_tta_run_code {"code":"1 + 1"}'],
      [1, '2'],
      [2, 'Two.'],
    ],
    [
      [1, 'And why?'],
      [2, 'Blocked.'],
    ],
  ]);
});

test('what is kept of calls is bounded, and survives being written as JSON', () => {
  const deep = { a: { b: { c: { d: { e: 1 } } } } };
  const long = call({ input: { code: 'x'.repeat(9_000), deep, many: Array(99).fill(1) }, answer: 'y'.repeat(9_000) });
  const kept = keptIn(JSON.parse(JSON.stringify(keep(Array<Call>(20).fill(long), 'rounds'))));
  assert.equal(kept.ending, 'rounds');
  assert.equal(kept.calls.length, 8);
  assert.ok(JSON.stringify(kept).length < 60_000);
  assert.deepEqual(keptIn(JSON.parse(JSON.stringify(keep([call()])))), { calls: [call()] });
});

test('what another version kept is read as far as it can be', () => {
  for (const odd of [undefined, null, 7, 'x', [], { calls: 1, ending: 'maybe' }, { calls: [null, { name: 1 }] }]) {
    assert.deepEqual(keptIn(odd), { calls: [] });
  }
});

test('follow-ups come from what happened', () => {
  const next = (...of: Parameters<typeof followups>) =>
    followups(...of).map(({ prompt, command }) => command ?? prompt);
  assert.deepEqual(next(keep([call()], 'answered'), []), ['savings']);
  assert.deepEqual(next(keep([call()], 'rounds'), []), ['Go on.', 'savings']);
  assert.equal(next(keep([], 'answered'), []).length, 1);
  assert.deepEqual(next(keep([], 'answered'), [call()]), []);
  assert.deepEqual(next({}, []), []);
});

test('another extension’s participant of the name takes precedence; ours does not', () => {
  const extension = (id: string, contributes: unknown) => ({ id, packageJSON: { contributes } });
  const with_ = (name: unknown) => ({ chatParticipants: [null, { name }] });
  const odd = [
    extension('a.b', undefined),
    extension('c.d', { chatParticipants: 'workspace' }),
    extension('e.f', null),
  ];
  const ours = extension('TTA.tta-mcp-code-execution', with_('workspace'));
  const isFree = (more: typeof odd) => !isTaken('workspace', [...odd, ours, ...more], 'tta.tta-mcp-code-execution');
  assert.ok(isFree([]));
  assert.ok(isFree([extension('g.h', with_('terminal'))]));
  assert.ok(!isFree([extension('i.j', with_('workspace'))]));
});

test('each way in which a model fails says what to do', () => {
  const error = (code: string, message = 'no', cause?: Error) =>
    failureText(
      new (vscode.LanguageModelError as unknown as new (...of: unknown[]) => Error)(message, code, cause),
      'M',
    );
  assert.match(error('NoPermissions'), /may not use M.*Manage Language Model Access/);
  assert.match(error('NotFound'), /not there any more.*another model/);
  assert.match(error('Blocked'), /quota.*another model/);
  assert.match(error('Blocked', 'content_filter'), /filtered/);
  assert.match(error('', 'Rate limit reached'), /quota/);
  assert.match(error('', 'failed', new Error('off_topic')), /off topic/);
  assert.match(error('', 'socket closed'), /M did not answer: socket closed/);
  assert.match(failureText(new Error('odd'), 'M'), /M did not answer: odd/);
  assert.match(failureText(new TooLong(8_000), 'M'), /8,000 tokens that M takes/);
});

/** A chat that keeps what was said, and a daemon in a state. */
function chat(state: DaemonState) {
  const shown: string[] = [];
  let told: ((state: DaemonState) => void) | undefined;
  const daemon = {
    state,
    onDidChangeState: (listener: (state: DaemonState) => void) => {
      told = listener;
      return { dispose: () => (told = undefined) };
    },
  };
  const stream = {
    markdown: (text: unknown) => shown.push(String(text)),
    progress: (text: string) => shown.push(`… ${text}`),
    button: ({ command }: vscode.Command) => shown.push(command),
  };
  const source = new vscode.CancellationTokenSource();
  const become = (next: DaemonState) => {
    daemon.state = next;
    told?.(next);
  };
  return { daemon, stream: stream as unknown as vscode.ChatResponseStream, shown, become, source };
}

const ready: DaemonState = { kind: 'ready', mcp: { url: 'http://127.0.0.1:1/mcp', token: 't', version: '1' } };
const set = (tools: { name: string }[]) => {
  (vscode.lm as unknown as { tools: unknown[] }).tools = tools;
};

test('without a daemon the chat says why, with a button', async () => {
  set([]);
  const restricted = chat({ kind: 'restricted' });
  assert.equal(await ourTools(restricted.daemon, restricted.stream, restricted.source.token), undefined);
  assert.deepEqual(restricted.shown.slice(1), ['workbench.trust.manage']);
  const stopped = chat({ kind: 'stopped', why: 'no `tta` here' });
  assert.equal(await ourTools(stopped.daemon, stopped.stream, stopped.source.token), undefined);
  assert.match(stopped.shown[0] ?? '', /no \\`tta\\` here/);
  assert.deepEqual(stopped.shown.slice(1), ['tta.restartDaemon', 'tta.openLog']);
});

test('a daemon that starts is waited for, and the tools of others are not ours', async () => {
  set([{ name: 'mcp_tta_run_code' }, { name: 'mcp_other_run' }]);
  const { daemon, stream, shown, become, source } = chat({ kind: 'starting' });
  const tools = ourTools(daemon, stream, source.token);
  become({ kind: 'restarting' });
  become(ready);
  assert.deepEqual(
    (await tools)?.map(({ name }) => name),
    ['mcp_tta_run_code'],
  );
  assert.deepEqual(shown, ['… The daemon is starting']);
});

test('waiting for the daemon ends with the request', async () => {
  const { daemon, stream, source } = chat({ kind: 'starting' });
  const tools = ourTools(daemon, stream, source.token);
  source.cancel();
  await assert.rejects(tools, vscode.CancellationError);
});

test('a tool set that is not running is started', async (t) => {
  set([]);
  t.mock.method(vscode.commands, 'executeCommand', (...given: unknown[]) => {
    assert.deepEqual(given.slice(0, 2), [
      'workbench.mcp.startServer',
      'tta.tta-mcp-code-execution/tta-mcp-code-execution',
    ]);
    set([{ name: 'mcp_tta_run_code' }]);
    return Promise.resolve();
  });
  const { daemon, stream, source } = chat(ready);
  assert.equal((await ourTools(daemon, stream, source.token))?.length, 1);
});

test('an editor that does not start it leads to its list of servers', async (t) => {
  set([]);
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  const { daemon, stream, shown, source } = chat(ready);
  const tools = ourTools(daemon, stream, source.token);
  for (let passed = 0; passed < 30; passed++) {
    await new Promise((resolve) => setImmediate(resolve));
    t.mock.timers.tick(100);
  }
  assert.equal(await tools, undefined);
  assert.match(shown[1] ?? '', /has not started the MCP server/);
  assert.equal(shown[2], 'workbench.mcp.listServer');
});

const runSummary = (changes: Partial<RunSummary>): RunSummary => ({
  run_id: 'r1',
  at_ms: 1_500,
  language: 'python',
  status: 'ok',
  front: 'mcp',
  label: 'mine',
  calls: 3,
  wall_ms: 832,
  ...changes,
});

test('savings are those of the runs that the chat’s calls made', () => {
  const history = [
    asked('How many?'),
    answered('Two.', { metadata: keep([call()], 'answered') }),
    answered('Else.', { metadata: keep([call({ fromMs: 5_000, toMs: 6_000 })]) }, 'other'),
  ];
  const runs = [
    runSummary({ tokens: report({ saved: 900, saved_percent: 90 }) }),
    runSummary({ label: 'the palette’s', front: 'lsp' }),
    runSummary({ label: 'another chat’s', at_ms: 5_500 }),
  ];
  const totals = savings({ saved: 900, saved_percent: 90 });
  const mine = runsOf(callsOf(history, 'tta.tta'), runs);
  assert.deepEqual(
    mine.map(({ label }) => label),
    ['mine'],
  );
  assert.match(savingsText(mine, totals), /^- mine: \*\*.*saved.*\*\*.*\n\n\| tokens[^]*In this workspace:/);
  assert.match(
    savingsText([], { ...totals, workspace: { ...totals.workspace, runs: 0 } }),
    /^No program of this chat is in the ledger\.$/,
  );
  assert.match(savingsText([runSummary({ label: '<b>' })], totals), /\\<b\\>: \*\*not counted yet/);
  const loss = runSummary({ label: 'small', tokens: report({ saved: -242, saved_percent: -30 }) });
  assert.match(savingsText([loss], totals), /−242 tokens saved/);
});

test('the model is told of folders and servers, and by the bundled instructions when to write a program', () => {
  assert.match(INSTRUCTIONS.text, /^---\ndescription/);
  assert.match(TOOL_SET_FILE.text, /"tta-mcp-code-execution\/run_code"/);
  const told = preface(['/w'], ['fs']);
  assert.match(told, /Workspace folders: \/w\n\nServer modules for programs: fs\n\n# Code or a direct call\?/);
  assert.doesNotMatch(told, /applyTo/);
  assert.match(preface([], Array(50).fill('s')), /s, …/);
  assert.doesNotMatch(preface([], []), /Workspace folders|Server modules/);
});
