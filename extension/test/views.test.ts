import assert from 'node:assert/strict';
import test from 'node:test';
import type { CallRecord, RunDetail, RunEvent, RunSummary } from '../src/lsp_ext';
import { Coalesced } from '../src/views/coalesced';
import { detailNodes, liveNodes, Runs, runsRow, type Run, type RunsNode } from '../src/views/runs_model';
import { besideTools, parameterNodes, serversRow, toolsKnown, type ServersNode } from '../src/views/servers_model';
import { codeBlock, fileName, html, iconless, markdown, oneLine } from '../src/views/untrusted';
import { report, server, tool } from './samples';

const CALL: CallRecord = {
  server: 'fs',
  tool: 'read',
  status: 'ok',
  ms: 1.9,
  cache: 'miss',
  wave: 0,
  argument_bytes: 2,
  result_bytes: 1_234,
};

function summary(id: string, changes: Partial<RunSummary> = {}): RunSummary {
  return {
    run_id: id,
    at_ms: 5,
    language: 'python',
    status: 'ok',
    front: 'lsp',
    label: `${id}.py`,
    calls: 1,
    wall_ms: 41,
    ...changes,
  };
}

const started = (id: string): RunEvent => ({ event: 'started', run_id: id, language: 'python', label: `${id}.py` });
const called = (id: string, call = CALL): RunEvent => ({ event: 'call', run_id: id, call });
const finished = (id: string): RunEvent => ({ event: 'finished', run_id: id, status: 'ok', wall_ms: 41 });

function line(node: RunsNode): string {
  const { label, description, icon } = runsRow(node, 'en');
  return `${icon?.[0] ?? ''} ${label} | ${description ?? ''}`;
}

function text(node: ServersNode): string {
  const { label, description, icon } = serversRow(node);
  return `${icon?.[0] ?? ''} ${label} | ${description ?? ''}`;
}

test('a server says its state, tools and tokens; menus tell it by its state', () => {
  assert.equal(text({ kind: 'server', server: server({}) }), 'pass fs | ready · 2 tools · 1,834 tokens');
  const unknown = server({ state: 'unapproved' });
  delete unknown.tools;
  delete unknown.definition_tokens;
  assert.equal(text({ kind: 'server', server: unknown }), 'question fs | asks before it starts');
  assert.equal(serversRow({ kind: 'server', server: unknown }).context, 'server.unapproved');
});

test('what is wrong with a server stands first below it, and leads to its line', () => {
  const problem = {
    file: '/w/m.json',
    line: 4,
    column: 1,
    severity: 'warning',
    message: 'no X',
    hint: 'set X',
  } as const;
  const failed = server({ state: 'failed', last_error: 'exit 1', problems: [problem] });
  delete failed.tools;
  assert.deepEqual(besideTools(failed).map(text), [
    'warning no X | line 4',
    'error exit 1 | ',
    'play List its tools | starts the server',
  ]);
  assert.equal(text({ kind: 'server', server: failed }), 'error fs | failed · 1,834 tokens · 1 problem');
});

test('looking at a server that was never started offers to start it, where it may be', () => {
  const never = (state: 'untrusted' | 'disabled' | 'starting' | 'stopped'): string[] => {
    const one = server({ state });
    delete one.tools;
    assert.equal(toolsKnown(one), false);
    return besideTools(one).map(({ kind }) => kind);
  };
  assert.deepEqual(
    [never('untrusted'), never('disabled'), never('starting'), never('stopped')],
    [['message'], ['message'], ['message'], ['list']],
  );
  assert.equal(toolsKnown(server({ state: 'stopped' })), true, 'its tools were listed before');
});

test('a tool opens to its parameters, and objects to their properties', () => {
  const where = { type: 'object', properties: { year: { type: 'integer', default: 2026 } }, description: 'When' };
  const node = {
    kind: 'tool',
    server: 'fs',
    tool: tool('find', { name: { type: 'string' }, where }, ['name']),
  } as const;
  const parameters = parameterNodes(node);
  assert.deepEqual(parameters.map(text), [
    'symbol-parameter name | string · required',
    'symbol-parameter where | object — When',
  ]);
  assert.deepEqual(parameters.flatMap(parameterNodes).map(text), ['symbol-parameter year | integer · = 2026']);
  const ids = [node, ...parameters, ...parameters.flatMap(parameterNodes)].map((one) => serversRow(one).id);
  assert.equal(new Set(ids).size, ids.length);
});

test('what servers write is text in every tooltip', () => {
  const evil = tool('x', {}, []);
  evil.description = '[click](command:evil) <img src=http://x> **b** $(bug)\n# h';
  evil.python = '```[click](command:evil)';
  const { tooltip = '' } = serversRow({ kind: 'tool', server: 'fs', tool: evil });
  const [outside = ''] = tooltip.split('````python');
  assert.doesNotMatch(outside, /(?<!\\)[[\]<>#$]/);
  assert.match(tooltip, /````python\n```\[click\]\(command:evil\)\n````$/);
});

test('a run that goes on stands above the recorded ones and takes its calls from the events', () => {
  const runs = new Runs(() => 7);
  runs.record([summary('old', { tokens: report({ saved: 900, saved_percent: 90 }) })]);
  runs.apply(started('new'));
  runs.apply(called('new'));
  runs.apply({ event: 'progress', run_id: 'new', message: 'half' });
  const lines = (): string[] => runs.list().map((run) => line({ kind: 'run', run }));
  assert.deepEqual(lines(), [
    'loading~spin new.py | running · 1 tool call · half',
    'pass old.py | 900 tokens saved · 90 % · 1 tool call · 41 ms',
  ]);
  assert.deepEqual(
    runs.going().map(({ id }) => id),
    ['new'],
  );
  const [run] = runs.list();
  assert.ok(run);
  assert.deepEqual(liveNodes(run, runs.callsOf('new')).map(line), ['check fs.read | 1.9 ms · 1,234 bytes']);

  runs.apply(finished('new'));
  assert.equal(lines()[0], 'pass new.py | 1 tool call · 41 ms');
  runs.record([summary('new'), summary('old')]);
  assert.deepEqual(
    runs.list().map(({ id }) => id),
    ['new', 'old'],
  );
  assert.deepEqual(runs.callsOf('new'), [], 'what is recorded is no longer remembered here');
});

test('events of a run that is not known change nothing, and many runs and calls are bounded', () => {
  const runs = new Runs();
  assert.equal(runs.apply(called('gone')), undefined);
  for (let index = 0; index < 200; index += 1) {
    runs.apply(started(`r${index}`));
  }
  assert.equal(runs.list().length, 50);
  for (let index = 0; index < 1_000; index += 1) {
    runs.apply(called('r199'));
  }
  const [run] = runs.list();
  assert.ok(run);
  assert.deepEqual([run.calls, runs.callsOf('r199').length], [1_000, 200]);
  assert.equal(liveNodes(run, runs.callsOf('r199')).map(line).at(-1), 'info … 800 more calls | ');
});

test('an ended run shows why it failed, its calls, and what was too long; one of another window says so', () => {
  const [run] = [new Runs()].flatMap((runs) => {
    runs.record([summary('a')]);
    return runs.list();
  }) as [Run];
  const detail: RunDetail = {
    run_id: 'a',
    label: 'a.py',
    language: 'python',
    code: 'x',
    status: 'error',
    result: '',
    stdout: '',
    stderr: '',
    error: { kind: 'tool', message: 'gone', line: 4 },
    calls: [
      { record: { ...CALL, status: 'error', error: 'ENOENT', line: 4 }, arguments: '{"path":"`"}', result: 'no' },
      { record: { ...CALL, cache: 'hit', result_tokens: 456 }, arguments: '{}', result: '' },
    ],
    truncated: [
      { what: 'result', kept_bytes: 1, total_bytes: 2_000_000, artifact: '/d/a.json' },
      { what: 'stdout', kept_bytes: 1, total_bytes: 2 },
    ],
  };
  const nodes = detailNodes(run, detail);
  assert.deepEqual(nodes.map(line), [
    'error gone | tool · line 4',
    'error fs.read | failed · 1.9 ms · 1,234 bytes · line 4',
    'check fs.read | 1.9 ms · 456 tokens · from the cache',
    'file The whole result | 2,000,000 bytes',
  ]);
  assert.match(nodes[1] ? (runsRow(nodes[1], 'en').tooltip ?? '') : '', /ENOENT[\s\S]*```json\n\{"path":"`"\}\n```/);
  assert.deepEqual(
    detailNodes(run, { ...detail, calls: [], truncated: [], error: undefined } as unknown as RunDetail).map(line),
    ['info It called no tool. | '],
  );
  assert.deepEqual(detailNodes(run, null).map(line), [
    'info Its details went with the window that ran it. The receipt is kept. | ',
  ]);
});

test('untrusted text is plain wherever it goes', () => {
  assert.equal(markdown('a*b\n<i>'), 'a\\*b  \n\\<i\\>');
  assert.equal(html('<a href="x">&\'`'), '&#60;a href=&#34;x&#34;&#62;&#38;&#39;&#96;');
  assert.equal(iconless('a $(bug) $(loading~spin) $(x y)'), 'a \\$(bug) \\$(loading~spin) $(x y)');
  assert.equal(oneLine('a\r\n\u2028 b\u202e\u0007c'), 'a bc');
  assert.equal(oneLine('abcdef', 4), 'abc…');
  assert.equal(fileName('../a/b:c\n'), '..·a·b·c');
  assert.equal(codeBlock('a````b').split('\n')[0], '`````');
});

test('work is done once for many requests, and once more for those that came meanwhile', async () => {
  let runs = 0;
  let release = (): void => undefined;
  const began: (() => void)[] = [];
  const next = (): Promise<void> => new Promise((resolve) => began.push(resolve));
  const work = new Coalesced(() => {
    runs += 1;
    began.shift()?.();
    return new Promise<void>((resolve) => (release = resolve));
  }, 0);
  const first = next();
  work.request();
  work.request();
  await first;
  assert.equal(runs, 1);
  work.request();
  work.request();
  const second = next();
  release();
  await second;
  assert.equal(runs, 2);
  work.dispose();
});
