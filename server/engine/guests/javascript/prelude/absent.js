// What a program might expect and does not find here, and the nearest thing that exists.
import { nearest } from 'sandbox/told';

const NETWORK = "there is no network in the sandbox: call a server's tool instead, `import * as x from \"servers/…\"`";
const FILES = "there is no file system in the sandbox: use a file server's tool instead, `import * as x from \"servers/…\"`";
const PROCESS = 'there are no processes in the sandbox: call a server\'s tool instead';
const LIBRARY = 'only the language itself exists here, no packages: write the few lines that are needed';

const modules = {
  fs: FILES, 'fs/promises': FILES, path: 'use string methods: path.split("/"), parts.join("/")', os: PROCESS,
  child_process: PROCESS, worker_threads: 'tool calls run in parallel by themselves: `await Promise.all(calls)`',
  http: NETWORK, https: NETWORK, net: NETWORK, axios: NETWORK, 'node-fetch': NETWORK, undici: NETWORK, got: NETWORK, ws: NETWORK,
  '@modelcontextprotocol/sdk': NETWORK, puppeteer: NETWORK, playwright: NETWORK,
  crypto: 'use the global crypto: crypto.randomUUID(), crypto.getRandomValues(bytes)',
  util: 'use structuredClone, JSON.stringify and console.log', url: 'URL and URLSearchParams are globals',
  timers: 'setTimeout is a global', 'timers/promises': 'use await new Promise((done) => setTimeout(done, ms))',
  buffer: 'use Uint8Array, TextEncoder and TextDecoder', events: 'use functions and promises', stream: 'use arrays and async generators',
  lodash: 'use the methods of arrays and objects: Object.groupBy, toSorted, flatMap', moment: 'use Date', dayjs: 'use Date',
  'date-fns': 'use Date', uuid: 'use crypto.randomUUID()', zod: LIBRARY,
};

const globals = {
  fetch: NETWORK, XMLHttpRequest: NETWORK, WebSocket: NETWORK, EventSource: NETWORK,
  require: 'programs are ECMAScript modules: write `import * as x from "servers/…"`',
  module: 'programs are ECMAScript modules: the last expression, or `export default`, is the value',
  exports: 'programs are ECMAScript modules: the last expression, or `export default`, is the value',
  process: 'the sandbox has neither environment nor arguments: use `import { inputs } from "tta"`',
  Buffer: 'use Uint8Array, TextEncoder, TextDecoder, atob and btoa',
  Intl: 'use toFixed, padStart, toLocaleString() and Date methods', Deno: FILES, Bun: FILES,
  window: 'use globalThis', document: 'there is no page: parse text with string methods', localStorage: 'keep values in variables',
  __dirname: FILES, __filename: FILES, alert: 'use console.log', prompt: 'use `import { inputs } from "tta"`',
  setImmediate: 'use queueMicrotask or setTimeout', Worker: 'tool calls run in parallel by themselves: `await Promise.all(calls)`',
};

/** What to do about a module that does not exist. */
export function hintForModule(specifier, servers) {
  const name = specifier.replace(/^node:/, '');
  const top = name.startsWith('@') ? name.split('/').slice(0, 2).join('/') : name.split('/')[0];
  if (servers.includes(name)) return `${name} is a server here: write \`import * as ${name} from "servers/${name}"\``;
  if (/^\.{0,2}\//.test(name)) return FILES;
  const hint = modules[name] ?? modules[top];
  if (hint) return hint;
  return `${LIBRARY}; ${nearest(name, ['tta', 'servers', ...servers.map((s) => `servers/${s}`)], 'the modules are')}`;
}

/** What to do about a global that does not exist; undefined for a name that nobody knows. */
export function hintForGlobal(name) {
  return Object.hasOwn(globals, name) ? globals[name] : undefined;
}
