// Loopback HTTP servers that stand in for the remote APIs that real MCP servers call. Each keeps what was asked of it, so that
// a test sees an effect where it happened. What no route answers is a 404, as of an API that lacks it.
import { createServer } from 'node:http';

const LONGEST_BODY = 1 << 20;

/**
 * Serves `routes`, {'METHOD /path/:name': answer}, until the test `t` is over. An answer gets {params, query, headers, text,
 * json()} and returns a value to send as JSON, a string to send as it is, or {status, type, body}. Returns {url, seen}.
 */
export async function serve(t, routes) {
  const table = Object.entries(routes).map(([route, answer]) => ({ ...pattern(route), answer }));
  const seen = [];
  const server = createServer((request, response) => {
    void respond(table, seen, request)
      .catch((error) => ({ status: 500, body: { message: String(error) } }))
      .then((reply) => send(response, reply));
  });
  await new Promise((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve);
  });
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${server.address().port}`, seen };
}

async function respond(table, seen, request) {
  const { pathname, searchParams } = new URL(request.url, 'http://stub');
  const text = await bodyOf(request);
  seen.push(`${request.method} ${pathname}`);
  for (const { method, path, answer } of table) {
    const found = method === request.method && path.exec(pathname);
    if (!found) continue;
    const params = Object.fromEntries(Object.entries(found.groups ?? {}).map(([k, v]) => [k, decodeURIComponent(v)]));
    const query = Object.fromEntries(searchParams);
    return answered(await answer({ params, query, headers: request.headers, text, json: () => JSON.parse(text) }));
  }
  return { status: 404, body: { message: `no such path: ${pathname}`, code: 404 } };
}

function answered(value) {
  return value !== null && typeof value === 'object' && 'status' in value && 'body' in value ? value : { body: value };
}

function send(response, { status = 200, type, body }) {
  const plain = typeof body === 'string' || Buffer.isBuffer(body);
  response.writeHead(status, { 'content-type': type ?? (plain ? 'text/plain; charset=utf-8' : 'application/json') });
  response.end(plain ? body : JSON.stringify(body));
}

/** `:name` is one segment of a path, `*name` all that follows. */
function pattern(route) {
  const [method, path] = route.split(' ');
  const source = path
    .replace(/[.]/g, String.raw`\.`)
    .replace(/:(\w+)/g, '(?<$1>[^/]+)')
    .replace(/\*(\w+)/g, '(?<$1>.*)');
  return { method, path: new RegExp(`^${source}/?$`) };
}

async function bodyOf(request) {
  let text = '';
  request.setEncoding('utf8');
  for await (const chunk of request) {
    text += chunk;
    if (text.length > LONGEST_BODY) throw new Error('too long for a stub');
  }
  return text;
}
