// Grafana's API, as far as its MCP server asks it: datasources, dashboards, annotations that are kept, and the proxy through
// which it queries a datasource. What stands behind the proxy is real.
import { URLSearchParams } from 'node:url';
import { serve } from './http.mjs';

const TOKEN = 'glsa_0123456789abcdefghijklmnopqrstuv_01234567';
const DASHBOARD = {
  uid: 'scrapes',
  title: 'Scrapes',
  tags: ['self'],
  schemaVersion: 41,
  panels: [
    { id: 1, title: 'Samples', type: 'timeseries', datasource: { uid: 'prom' }, targets: [{ refId: 'A', expr: 'up' }] },
    { id: 2, title: 'Notes', type: 'text', targets: [] },
  ],
};

/** Serves it over the Prometheus at `prometheus`; `annotations` are those that were made. */
export async function grafanaApi(t, prometheus) {
  const annotations = [];
  const source = {
    id: 1,
    uid: 'prom',
    name: 'Prometheus',
    type: 'prometheus',
    access: 'proxy',
    url: prometheus,
    isDefault: true,
  };
  const known = (answer) => (request) =>
    request.headers.authorization === `Bearer ${TOKEN}`
      ? answer(request)
      : { status: 401, body: { message: 'Invalid API key' } };
  const proxy = known(async ({ params, query, text, headers }) => {
    const address = `${prometheus}/${params.rest}?${new URLSearchParams(query)}`;
    const post = { method: 'POST', body: text, headers: { 'content-type': headers['content-type'] ?? 'text/plain' } };
    const answer = await fetch(address, text === '' ? {} : post);
    return { status: answer.status, type: 'application/json', body: await answer.text() };
  });
  const { url, seen } = await serve(t, {
    'GET /api/frontend/settings': known(() => ({ buildInfo: { version: '12.3.0' } })),
    'GET /api/datasources': known(() => [source]),
    'GET /api/datasources/uid/prom': known(() => source),
    'GET /api/search': known(({ query }) => {
      const { uid, title, tags } = DASHBOARD;
      const hit = { id: 1, uid, title, tags, type: 'dash-db', url: `/d/${uid}/${uid}`, uri: `db/${uid}` };
      return title.toLowerCase().includes((query.query ?? '').toLowerCase()) ? [hit] : [];
    }),
    'GET /api/dashboards/uid/scrapes': known(() => ({
      dashboard: DASHBOARD,
      meta: { slug: 'scrapes', url: '/d/scrapes/scrapes', version: 3 },
    })),
    'POST /api/annotations': known(({ json }) => {
      annotations.push({ ...json(), id: annotations.length + 1 });
      return { id: annotations.length, message: 'Annotation added' };
    }),
    'GET /api/annotations': known(() => annotations),
    'GET /api/datasources/proxy/uid/prom/*rest': proxy,
    'POST /api/datasources/proxy/uid/prom/*rest': proxy,
    'GET /api/datasources/uid/prom/resources/*rest': proxy,
    'POST /api/datasources/uid/prom/resources/*rest': proxy,
  });
  return { url, seen, annotations, env: { GRAFANA_URL: url, GRAFANA_SERVICE_ACCOUNT_TOKEN: TOKEN } };
}
