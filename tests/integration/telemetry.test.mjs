// Telemetry against what it is for: a real Prometheus scrapes the endpoint with the token, every expression of the dashboard and
// of the alerts is asked of it, and a program asks the same through Grafana's own MCP server.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { serverEntries } from '../../scripts/lib/servers.mjs';
import { root } from '../../scripts/lib/step.mjs';
import { freePort } from '../lib/ports.mjs';
import { grafanaApi } from '../lib/real/grafana.mjs';
import { serve } from '../lib/real/http.mjs';
import { prometheus, pypi } from '../lib/real/install.mjs';
import { scratch } from '../lib/real/process.mjs';
import { promtool, scraping, until } from '../lib/real/prometheus.mjs';
import { guestCache, runJson, tta, workspace } from '../lib/tta.mjs';

const grafana = join(root, 'server', 'telemetry', 'grafana');
const dashboard = JSON.parse(readFileSync(join(grafana, 'dashboard.json'), 'utf8'));
const TOKEN = 'a-token-for-this-test-alone';
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';

/** What has no data where nothing failed and no traces are sent. */
const MAY_BE_EMPTY = ['Calls that fail, by server', 'Spans that did not arrive'];

test('the alerts are what Prometheus takes, and fire where they should', { skip: !prometheus() }, (t) => {
  const folder = scratch(t, 'alerts');
  cpSync(grafana, folder, { recursive: true });
  assert.equal(promtool(folder, 'check', 'rules', 'alerts.yml').code, 0);
  const good = promtool(folder, 'test', 'rules', 'alerts.test.yml');
  assert.equal(good.code, 0, good.output);
  const rules = readFileSync(join(folder, 'alerts.yml'), 'utf8');
  for (const [from, to] of [
    ['> 0.3', '> 0.9'],
    ['{state="quarantined"}', '{state="ready"}'],
  ]) {
    assert.ok(rules.includes(from));
    writeFileSync(join(folder, 'alerts.yml'), rules.replace(from, to));
    assert.notEqual(promtool(folder, 'test', 'rules', 'alerts.test.yml').code, 0, `${to} passes too`);
  }
});

test('a real Prometheus and Grafana’s MCP server see the metrics', { skip: !prometheus() }, async (t) => {
  const collected = [];
  const collector = await serve(t, {
    'POST /v1/traces': ({ text }) => (collected.push(text), {}),
    'POST /v1/metrics': ({ text }) => (collected.push(text), {}),
  });
  const daemon = await endpoint(t, { TTA_TELEMETRY: 'otlp', OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
  await daemon.run('import asyncio\nfrom servers import memory\nawait memory.read_graph()');
  const authorization = { type: 'Bearer', credentials: TOKEN };
  const found = await scraping(t, () => ({
    job_name: 'tta',
    authorization,
    static_configs: [{ targets: [`127.0.0.1:${daemon.port}`] }],
  }));
  const value = async (expression) => (await found.query(expression)).result[0]?.value[1];
  await daemon.run('from servers import memory\nawait memory.read_graph()');
  await until(async () => (await value('tta_runs_total{status="ok"}')) === '2', 'the second run is not scraped');
  await until(async () => Number(await value('sum(increase(tta_runs_total[5m]))')) > 0, 'no increase is seen');

  for (const panel of dashboard.panels) {
    for (const { expr } of panel.targets) {
      const asked = expr.replaceAll('$__range', '5m').replaceAll('$__rate_interval', '1m');
      const { result } = await found.query(asked);
      assert.ok(MAY_BE_EMPTY.includes(panel.title) || result.length > 0, `${panel.title}: ${asked}`);
    }
  }
  const expressions = alerts();
  assert.ok(expressions.length > 5);
  for (const expression of expressions) assert.ok((await found.query(expression)).result, expression);

  const api = await grafanaApi(t, found.url);
  const { env } = api;
  const other = workspace(t, { servers: () => ({ grafana: pypi('mcp-grafana', [], env) }) });
  const program = [
    'from servers import grafana',
    'answer = await grafana.query_prometheus(datasourceUid="prom", expr="tta_runs_total", queryType="instant", endTime="now")',
    'str(answer)',
  ];
  const { json, stderr } = await runJson(other, ['run', '--trust', '--lang', 'python', '-e', program.join('\n')]);
  assert.equal(json.status, 'ok', `${JSON.stringify(json.error)}${stderr}`);
  assert.match(json.result, /tta_runs_total/);

  await daemon.stop();
  const all = collected.join('');
  assert.ok(all.includes('tta.run') && all.includes('tools/call read_graph'), 'spans were sent');
  assert.ok(!all.includes('await memory'), 'no program is sent');
});

/** `tta mcp --http` over one real server; {port, run(code), stop()}. */
async function endpoint(t, env) {
  const folder = workspace(t, { servers: (here) => ({ memory: serverEntries(here).memory }) });
  const port = await freePort();
  const child = spawn(tta, ['mcp', '--http', `127.0.0.1:${port}`, '--trust', '--workspace', folder], {
    env: {
      PATH: process.env.PATH,
      HOME: `${folder}-home`,
      XDG_CACHE_HOME: join(guestCache, '..'),
      TTA_HTTP_TOKEN: TOKEN,
      ...env,
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  t.after(() => child.kill('SIGKILL'));
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text) => (said += text));
  await until(() => said.includes('MCP at'), 'it does not serve');
  let session;
  const post = async (method, params, id) => {
    const headers = {
      authorization: `Bearer ${TOKEN}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...(session ? { 'mcp-session-id': session } : {}),
    };
    const body = JSON.stringify({ jsonrpc: '2.0', method, params, ...(id ? { id } : {}) });
    const answer = await fetch(`http://127.0.0.1:${port}/mcp`, { method: 'POST', headers, body });
    session ??= answer.headers.get('mcp-session-id') ?? undefined;
    return answer.text();
  };
  const clientInfo = { name: 'test', version: '1' };
  await post('initialize', { protocolVersion: '2025-06-18', capabilities: {}, clientInfo }, 1);
  await post('notifications/initialized', {});
  let id = 1;
  return {
    port,
    run: async (code) => {
      const _meta = { traceparent: `00-${TRACE}-00f067aa0ba902b7-01` };
      const text = await post(
        'tools/call',
        { name: 'run_code', arguments: { code, language: 'python' }, _meta },
        (id += 1),
      );
      assert.doesNotMatch(text, /"isError":true/);
    },
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** The expressions of the alerts; YAML is read as far as ours goes. */
function alerts() {
  const text = readFileSync(join(grafana, 'alerts.yml'), 'utf8');
  return [...text.matchAll(/^ {8}expr: (?:\|\n((?: {10}.*\n)+)|(.*)\n)/gm)].map(([, block, line]) => block ?? line);
}
