import assert from 'node:assert/strict';
import test from 'node:test';
import { FORMATS, type Source } from '../src/report';
import { doctorReport } from '../src/views/doctor_report';
import { report, savings } from './samples';

const SOURCE: Source = {
  workspace: 'notes',
  at: new Date(0),
  savings: { ...savings({ saved: 900, saved_percent: 90 }), pending: 1 },
  runs: [
    {
      run_id: 'r1',
      at_ms: 0,
      language: 'python',
      status: 'ok',
      front: 'lsp',
      label: '=HYPERLINK("x"), | a',
      calls: 3,
      wall_ms: 41.2,
      tokens: report({ saved: -5, saved_percent: -2 }),
    },
    {
      run_id: 'r2',
      at_ms: 1,
      language: 'typescript',
      status: 'error',
      front: 'mcp',
      label: '-1',
      calls: 0,
      wall_ms: 1,
    },
  ],
};

test('the Markdown report holds totals, baselines, labels and one row a run', () => {
  const text = FORMATS.md(SOURCE);
  assert.match(text, /\*\*900 tokens saved · 90 %\*\*, 2 runs, 6 tool calls/);
  assert.match(text, /1 runs are not counted yet/);
  assert.match(text, /\| \*\*total\*\* \| \*\*100\*\* \| \*\*1,000\*\* \| \*\*2,000\*\* \| \*\*500\*\* \|/);
  assert.match(
    text,
    /\\=HYPERLINK\\\(\\"x\\"\\\)\\, \\\| a \| 1970-01-01T00:00:00.000Z \| done \| 3 \| 41 ms \| −5 \| −2 % \|/,
  );
  assert.match(text, /- results: measured/);
});

test('the CSV report holds no formula, and the JSON report the daemon’s own words', () => {
  const [head, first, second, last] = FORMATS.csv(SOURCE).split('\r\n');
  assert.match(head ?? '', /^run_id,submitted,program,.*,saved_tokens$/);
  assert.equal(
    first,
    'r1,1970-01-01T00:00:00.000Z,"\'=HYPERLINK(""x""), | a",python,ok,lsp,3,41.2,100,1000,500,2000,-5',
  );
  assert.match(second ?? '', /^r2,[^,]*,'-1,typescript,error,mcp,0,1,,,,,$/);
  assert.equal(last, '');
  const json = JSON.parse(FORMATS.json(SOURCE)) as { totals: { pending: number }; runs: unknown[] };
  assert.deepEqual([json.totals.pending, json.runs], [1, SOURCE.runs]);
});

test('the doctor says what is wrong first, and how to mend it', () => {
  const text = doctorReport([
    { name: 'python guest', ok: true, detail: 'ready | fast', mend: '' },
    { name: 'server <fs>', ok: false, detail: 'exit 1', mend: 'install it' },
  ]);
  assert.match(text, /1 of 2 checks do not hold/);
  assert.ok(text.indexOf('server \\<fs\\>') < text.indexOf('python guest'));
  assert.match(text, /\*\*To mend it:\*\*|\*\*To mend it\*\*: ?install it|install it/);
  assert.match(text, /\| ✓ python guest \| ready \\\| fast \|/);
});
