import assert from 'node:assert/strict';
import test from 'node:test';
import { FORMATS, type Source } from '../src/report';
import { figures } from '../src/views/dashboard_model';
import { page } from '../src/views/dashboard_page';
import { doctorReport } from '../src/views/doctor_report';
import { report, savings, server } from './samples';

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

test('the dashboard shows every baseline, marks losses, and lets no word of others be markup', () => {
  const evil = '<script>"x"</script>';
  const run = { id: 'r1', label: evil, language: 'python', atMs: 0, status: 'ok', calls: 1, wallMs: 2 } as const;
  const body = figures({
    savings: savings({ labels: { results: 'measured' } }),
    runs: [
      { ...run, tokens: report({}) },
      { ...run, id: 'r2' },
    ],
    servers: [server({ name: evil })],
  });
  assert.doesNotMatch(body, /<script/);
  for (const [baseline, saved] of [
    ['deferred', '900'],
    ['needed_servers', '400'],
    ['all_servers', '1,900'],
  ]) {
    assert.match(body, new RegExp(`<div class="totals ${baseline}">.*?saved ${saved} tokens`, 's'));
    assert.match(body, new RegExp(`<td class="${baseline}">${saved}</td>`));
  }
  assert.match(body, /<dt>results<\/dt><dd>measured<\/dd>/);
  const labels = { 'code_mode.results': 'measured, what the model saw', 'direct.deferred': 'computed; of 3 tools' };
  const labelled = figures({ savings: savings({ labels }), runs: [], servers: [] });
  assert.match(
    labelled,
    /totals deferred">.*?results<\/th>.*?<td class="label">computed<.*?totals needed_servers">.*?results<\/th>.*?<td class="label">measured</s,
  );
  const loss = savings({ code_mode: { ...report({}).code_mode, total: 1_500 } });
  assert.match(figures({ savings: loss, runs: [], servers: [] }), /class="saved loss">cost 500 tokens more · 50 %/);
});

test('the page runs its own script and style alone', () => {
  const text = page('', 'N0nce', 'en');
  assert.match(text, /default-src 'none'; style-src 'nonce-N0nce'; script-src 'nonce-N0nce'"/);
  assert.doesNotMatch(text, / style=| on[a-z]+=|https?:|src="/);
  assert.equal(text.match(/nonce="N0nce"/g)?.length, 2);
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
