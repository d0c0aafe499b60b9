// The real servers: how each is started, over stdio and, where it offers that, over streamable HTTP and the older HTTP+SSE; what
// stands behind it; and what is true of what its program in `tests/fixtures/real` returns, in words and as a check.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { serverEntries } from '../../../scripts/lib/servers.mjs';
import { chromium } from '../../../scripts/lib/toolchain.mjs';
import { context7Api } from './context7.mjs';
import { grafanaApi } from './grafana.mjs';
import { npm, pypi } from './install.mjs';
import { kubernetesApi } from './kubernetes.mjs';
import { notionApi } from './notion.mjs';
import { selfScraping } from './prometheus.mjs';
import { site } from './site.mjs';

const ANTS = `"""The ants of the garden."""


def weight(ants: int) -> float:
    return ants * 0.004


def feed(name: str) -> str:
    return "Fed " + name


total = weight("many")
print(feed("ants"), total)
`;
const HTTP_TOKEN = 'a-token-for-this-test';

/** A refusal by our own check of arguments; by the server, as an error of the tool. */
const ours = (pattern) => ({
  'wrong arguments are refused before they are sent': ({ refused }) => typed(refused, 'arguments', pattern),
});
const theirs = (pattern) => ({ 'its refusal is a typed error': ({ refused }) => typed(refused, 'tool', pattern) });

function typed(refused, kind, pattern) {
  assert.equal(refused[0], kind);
  assert.match(refused[1], pattern);
}

/**
 * Each has `world(t, folder)`: what stands behind it, or a text that says why there is none; `start(world, folder)`: {command, args,
 * env}; for each further transport what becomes of the arguments, `http(args, port)`; `headers` and `host` where it wants some.
 */
export const SERVERS = {
  context7: {
    package: '@upstash/context7-mcp',
    program: 'context7.ts',
    world: context7Api,
    start: ({ url }) => npm('@upstash/context7-mcp', 'dist/index.js', [], { CONTEXT7_API_URL: url }),
    http: (args, port) => [...args, '--transport', 'http', '--port', port],
    checks: {
      'a library’s ID found': ({ libraryId }) => assert.equal(libraryId, '/bytecodealliance/wasmtime'),
      'its documentation as the API has it': ({ docs }) => assert.match(docs, /store\.set_fuel\(10_000\)/),
      'an unknown library is a text': ({ unknown }) => assert.equal(unknown, 'No library /none/none'),
      ...ours(/libraryId: expected string, got number 7/),
    },
  },
  notion: {
    package: '@notionhq/notion-mcp-server',
    program: 'notion.ts',
    world: notionApi,
    start: ({ env }) => npm('@notionhq/notion-mcp-server', 'bin/cli.mjs', [], env),
    http: (args, port) => [...args, '--transport', 'http', '--port', port, '--auth-token', HTTP_TOKEN],
    headers: { Authorization: `Bearer ${HTTP_TOKEN}` },
    checks: {
      'its token reaches the API': ({ self }) => assert.equal(self, 'Gardener'),
      'a search finds a page': ({ found }) => assert.equal(found, 1),
      'a page is made and its text written': ({ id, markdown }, { pages }) => {
        assert.deepEqual(pages.get(id), { id, title: 'Bees of the garden', text: 'Bees make honey.' });
        assert.equal(markdown, 'Bees make honey.');
      },
      'an unknown page is a value': ({ unknown }) => assert.deepEqual(unknown, [404, 'object_not_found']),
      ...ours(/page_id/),
    },
  },
  grafana: {
    package: 'mcp-grafana',
    program: 'grafana.py',
    world: async (t) => {
      const prometheus = await selfScraping(t);
      if (!prometheus) return 'there is no Prometheus: install your system’s package `prometheus`';
      return { ...(await grafanaApi(t, prometheus.url)), prometheus };
    },
    start: ({ env }) => pypi('mcp-grafana', [], env),
    http: (args, port) => [...args, '-t', 'streamable-http', '-address', `127.0.0.1:${port}`],
    sse: (args, port) => [...args, '-t', 'sse', '-address', `127.0.0.1:${port}`],
    checks: {
      'a datasource, a dashboard’s panels and query': ({ sources, panels }) => {
        assert.deepEqual([sources, panels], [['Prometheus'], ['Samples', 'Notes']]);
      },
      'a real Prometheus answers PromQL about itself': ({ up, version, product }, { prometheus }) => {
        assert.deepEqual([up, product], [['self', '1'], '42']);
        assert.equal(version, prometheus.version);
      },
      'names of metrics, values of labels': ({ names, jobs }) => assert.deepEqual([names, jobs], [['up'], ['self']]),
      'an annotation is made and kept': ({ kept }, { annotations }) => {
        assert.deepEqual(kept, ['A second garden', ['garden']]);
        assert.deepEqual(
          annotations.map(({ text }) => text),
          ['A second garden'],
        );
      },
      'a resource read: an MCP App’s page': ({ page }) => {
        assert.deepEqual(page, ['text/html;profile=mcp-app', '<!doctype html>']);
      },
      ...theirs(/parse error: unexpected end of input/),
    },
  },
  kubernetes: {
    package: 'kubernetes-mcp-server',
    program: 'kubernetes.py',
    world: async (t, folder) => {
      const cluster = await kubernetesApi(t);
      writeFileSync(join(folder, 'kubeconfig'), cluster.config);
      return cluster;
    },
    start: (_, folder) => npm('kubernetes-mcp-server', 'bin/index.js', ['--kubeconfig', join(folder, 'kubeconfig')]),
    http: (args, port) => [...args, '--bind-address', '127.0.0.1', '--port', port],
    checks: {
      'pods and namespaces listed': ({ before, namespaces }) => {
        assert.deepEqual(
          [before, namespaces],
          [
            ['ant', 'bee'],
            ['default', 'garden'],
          ],
        );
      },
      'a pod is run, another deleted': ({ after, image }, { pods }) => {
        assert.deepEqual([after, image], [['cat'], ['cats:3']]);
        assert.deepEqual([...pods.keys()], ['default/ant', 'garden/cat']);
      },
      'its log': ({ log }) => assert.match(log, /cat woke\ncat sleeps/),
      'a prompt made of the cluster’s state': ({ health }) => assert.match(health, /Cluster Health Check/),
      ...theirs(/pods "bee" not found/),
    },
  },
  filesystem: {
    package: '@modelcontextprotocol/server-filesystem',
    program: 'filesystem.ts',
    world: (_, folder) => ({ folder }),
    start: (_, folder) => common('fs', folder),
    checks: {
      'a file is written, edited and read': ({ diff, content }, { folder }) => {
        assert.match(diff, /-Ants are small\.\n\+Ants are strong\./);
        assert.equal(content, 'Ants are strong.\n');
        assert.equal(readFileSync(join(folder, 'garden', 'ants.md'), 'utf8'), content);
      },
      'a tree of folders': ({ tree }) => assert.deepEqual(tree, [{ name: 'ants.md', type: 'file' }]),
      ...theirs(/Access denied/),
    },
  },
  memory: {
    package: '@modelcontextprotocol/server-memory',
    program: 'memory.py',
    world: (_, folder) => ({ folder }),
    start: (_, folder) => common('memory', folder),
    checks: {
      'entities, relations, observations are kept': ({ observations, relations }, { folder }) => {
        assert.deepEqual([observations, relations], [['small', 'strong'], [['ant', 'lives in', 'garden']]]);
        assert.match(readFileSync(join(folder, 'memory.jsonl'), 'utf8'), /"strong"/);
      },
      ...theirs(/Entity with name bee not found/),
    },
  },
  git: {
    package: 'mcp-server-git',
    program: 'git.py',
    world: (_, folder) => {
      const git = (...args) => execFileSync('git', ['-C', folder, ...args], { encoding: 'utf8' });
      git('init', '--quiet');
      git('config', 'user.name', 'Gardener');
      git('config', 'user.email', 'gardener@example.org');
      writeFileSync(join(folder, 'ants.md'), 'Ants are small.\n');
      return { git };
    },
    start: (_, folder) => common('git', folder),
    checks: {
      'status and staged changes': ({ before, staged }) => {
        assert.match(before, /Untracked files[^]*ants\.md/);
        assert.match(staged, /\+Ants are small\./);
      },
      'a commit is made': ({ log }, { git }) => {
        assert.match(log, /Ants of the garden/);
        assert.equal(git('log', '--format=%an: %s').trim(), 'Gardener: Ants of the garden');
      },
      ...theirs(/none/),
    },
  },
  time: {
    package: 'mcp-server-time',
    program: 'time.ts',
    world: () => ({}),
    start: (_, folder) => common('time', folder),
    checks: {
      'the time somewhere': ({ now }) => assert.match(now, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+09:00$/),
      'a conversion': ({ target, difference }) => {
        assert.match(target, /T17:30:00\+05:30$/);
        assert.equal(difference, '+5.5h');
      },
      ...theirs(/Mars\/Olympus/),
    },
  },
  fetch: {
    package: 'mcp-server-fetch',
    program: 'fetch.py',
    world: async (t) => ({ input: { site: (await site(t)).url } }),
    start: () => pypi('mcp-server-fetch', ['--allow-private-ips', '--ignore-robots-txt']),
    checks: {
      'a page of this machine as Markdown': ({ page }) => assert.match(page, /carries up to \*\*fifty\*\* times/),
      'its source, cut': ({ start }) => assert.match(start, /<!doctype html>[^]*start_index of 15/),
      'a prompt with the page in it': ({ prompt }) => assert.match(prompt, /\*\*fifty\*\*/),
      ...theirs(/status code 404/),
    },
  },
  playwright: {
    package: '@playwright/mcp',
    program: 'playwright.py',
    world: async (t) => {
      const browser = chromium();
      return browser
        ? { input: { site: (await site(t)).url }, browser }
        : 'there is no Chromium: install your system’s package';
    },
    start: ({ browser }) =>
      npm('@playwright/mcp', 'cli.js', ['--headless', '--no-sandbox', '--isolated', '--executable-path', browser]),
    http: (args, port) => [...args, '--host', '127.0.0.1', '--port', port],
    sse: (args, port) => [...args, '--host', '127.0.0.1', '--port', port],
    host: 'localhost', // It answers to that name alone.
    checks: {
      'a page of this machine in Chromium': ({ heading, console: said }) =>
        assert.deepEqual([heading, said], [true, true]),
      'typed and clicked, the page changes': ({ output }) => assert.match(output, /"Fed the ants"/),
      'a screenshot as an image': ({ image: [mime, magic, width, height] }) => {
        assert.deepEqual([mime, magic], ['image/png', 'PNG']);
        assert.ok(width >= 640 && height >= 360, `${width} × ${height}`);
      },
      ...theirs(/does not match any elements/),
    },
  },
  everything: {
    package: '@modelcontextprotocol/server-everything',
    program: 'everything.ts',
    world: () => ({}),
    start: (_, folder) => common('everything', folder),
    http: (args, port) => ({ args: [...args, 'streamableHttp'], env: { PORT: port } }),
    sse: (args, port) => ({ args: [...args, 'sse'], env: { PORT: port } }),
    checks: {
      'structured content as a value': ({ sum, weather }) => {
        assert.match(sum, /42/);
        assert.deepEqual(weather, ['conditions', 'humidity', 'temperature']);
      },
      'an image and links to resources': ({ blocks, links }) => {
        assert.deepEqual(
          [blocks, links],
          [
            ['text', 'image', 'text'],
            ['text', 'resource_link', 'resource_link'],
          ],
        );
      },
      'a resource, a prompt': ({ text, message }) => {
        assert.match(text, /^Resource 1/);
        assert.match(message, /Bern/);
      },
      'progress of a call': ({ steps }) => assert.deepEqual(steps, [1, 2, 3]),
      'an unknown resource is a typed error': ({ unknown }) => typed(unknown, 'tool', /demo:\/\/none/),
      ...ours(/a: expected number, got string "two"/),
    },
  },
  pyright: {
    package: 'jons-mcp-pyright',
    program: 'pyright.py',
    world: (_, folder) => writeFileSync(join(folder, 'ants.py'), ANTS),
    start: (_, folder) => pypi('jons-mcp-pyright', [folder]),
    checks: {
      'an environment, the symbols of a file': ({ environments, symbols }) => {
        assert.equal(environments, 1);
        assert.deepEqual(symbols, ['weight', 'weight.ants', 'feed', 'feed.name', 'total']);
      },
      'a type, a definition, references': ({ hover, definition, references }) => {
        assert.match(hover, /def weight\(ants: int\) -> float/);
        assert.deepEqual([definition, references], [[4], [8, 13]]);
      },
      'a mistake of types found': ({ diagnostics }) => assert.deepEqual(diagnostics, [['reportArgumentType', 12]]),
      'the edits of a renaming': ({ edits }) => assert.deepEqual(edits, ['nourish', 'nourish']),
      'an unknown file is a value': ({ unknown }) => assert.equal(unknown, 'path_validation_error'),
      ...ours(/line: expected integer, got string "one"/),
    },
  },
  'sequential-thinking': {
    package: '@modelcontextprotocol/server-sequential-thinking',
    program: 'sequential-thinking.py',
    world: () => ({}),
    start: () => npm('@modelcontextprotocol/server-sequential-thinking', 'dist/index.js'),
    checks: {
      'thoughts are kept between calls, structured': ({ first, second, branches }) => {
        assert.deepEqual([first, second, branches], [1, 2, ['cutters']]);
      },
      ...ours(/thoughtNumber: value is less than the minimum of 1/),
    },
  },
};

/** One of the five that the demo shares. */
function common(name, folder) {
  const { command, args, env } = serverEntries(folder)[name];
  return { command, args, env };
}
