// The modules of the sandbox: `servers`, `servers/NAME` and `tta`.
//
// A server is described by the host when a program first imports or touches it. Its tools stand under their identifiers
// and under their camelCase aliases; `tta.call` takes the original names. `resources` and `prompts` are there beside the
// tools, unless a tool has that name.
import * as host from 'sandbox/host';
import { hintForModule } from 'sandbox/absent';
import { forget, start, ToolError } from 'sandbox/calls';
import { subscription } from 'sandbox/subscription';
import { nearest, told } from 'sandbox/told';

const described = Object.create(null); // identifier -> server, as the host described it

const serverNames = () => JSON.parse(host.servers());

/** What C makes a module of: its exports, and what stands for all of them. */
export function load(specifier) {
  if (specifier === 'tta') return { exports: { ...tta, default: tta }, namespace: tta };
  if (specifier === 'servers') {
    const servers = serversObject();
    return { exports: { ...servers, default: servers }, namespace: servers };
  }
  if (specifier.startsWith('servers/')) {
    const server = describe(specifier.slice('servers/'.length));
    return { exports: { ...server.exports, default: server.face }, namespace: server.face };
  }
  throw told(
    new ReferenceError(`there is no module "${specifier}" in the sandbox`),
    'import',
    hintForModule(specifier, serverNames()),
  );
}

/** Every server under its name, described when it is first used. */
function serversObject() {
  const servers = Object.create(null);
  for (const name of serverNames()) servers[name] = lazily(name);
  return servers;
}

function lazily(name) {
  const face = () => describe(name).face;
  return new Proxy(Object.create(null), {
    get: (_, key) => (typeof key === 'symbol' || key === 'then' ? undefined : face()[key]),
    has: (_, key) => key in face(),
    ownKeys: () => Reflect.ownKeys(face()),
    getOwnPropertyDescriptor: (_, key) => ({ value: face()[key], enumerable: true, configurable: true }),
  });
}

/** One server: `exports`, and `face`, the object that knows what it has not. */
function describe(identifier) {
  if (described[identifier]) return described[identifier];
  const [ok, json] = host.describe(identifier);
  const answer = JSON.parse(json);
  if (!ok) throw failure(identifier, answer);
  const exports = Object.create(null);
  const { tools, aliases = {} } = answer;
  for (const name of Object.keys(tools)) exports[name] = tool(identifier, tools[name], name);
  for (const alias of Object.keys(aliases)) exports[alias] ??= exports[aliases[alias]];
  exports.resources ??= new Resources(identifier);
  exports.prompts ??= new Prompts(identifier);
  const face = new Proxy(exports, {
    get(target, key) {
      if (typeof key === 'symbol' || key in target || key === 'then' || key === 'toJSON' || key === 'default') return target[key];
      throw unknownTool(identifier, key);
    },
  });
  return (described[identifier] = { tools, exports, face });
}

function failure(identifier, { kind = 'tool', message, hint }) {
  if (kind === 'unknown_tool') hint ??= nearest(identifier, serverNames(), 'the servers are');
  return told(new ReferenceError(message), kind, hint);
}

/** The error for a tool that a server does not have. */
export function unknownTool(identifier, name) {
  const known = Object.keys(described[identifier]?.tools ?? {});
  const lead = known.length <= 20 ? 'its tools are' : 'some of its tools are';
  return told(new ReferenceError(`${identifier} has no tool "${String(name)}"`), 'unknown_tool', nearest(String(name), known, lead));
}

/** The error for a name that `servers` or `tta` does not export. */
export function unknownExport(specifier, name) {
  if (specifier === 'servers') {
    const message = `there is no server "${name}"`;
    return told(new ReferenceError(message), 'unknown_tool', nearest(name, serverNames(), 'the servers are'));
  }
  return told(new ReferenceError(`tta has no "${name}"`), 'import', nearest(name, Object.keys(tta), 'it has'));
}

/** What a server has beside its tools. `read` and `get` also take their arguments as one object. */
class Beside {
  #server;

  constructor(server) {
    this.#server = server;
  }

  ask(method, label, args, madeOf) {
    return start(this.#server, method, args, `${this.#server}.${label}`, madeOf);
  }
}

class Resources extends Beside {
  /** All of them: `uri`, `name`, perhaps `mimeType`, `description` and more. */
  list() {
    return this.ask('resources/list', 'resources.list', {}, (all) => all.resources);
  }
  /** The templates of further ones: `uriTemplate`, `name` and more. */
  templates() {
    return this.ask('resources/templates/list', 'resources.templates', {}, (all) => all.resourceTemplates);
  }
  /** Its text, or its bytes; a list of them where it has several parts. */
  read(uri) {
    return this.ask('resources/read', 'resources.read', isPlainObject(uri) ? uri : { uri }, ({ contents }) => {
      const parts = contents.map(({ text, blob }) => text ?? Uint8Array.fromBase64(blob));
      return parts.length === 1 ? parts[0] : parts;
    });
  }
  /** Its parts as the server gives them: `uri`, perhaps `mimeType`, and `text` or a base64 `blob`. */
  contents(uri) {
    return this.ask('resources/read', 'resources.contents', isPlainObject(uri) ? uri : { uri }, (all) => all.contents);
  }
  /** Its changes, for `for await`: `uri` and `times`. Leaving the loop, or the end of the run, unsubscribes. */
  subscribe(uri) {
    return subscription(this.ask('resources/subscribe', 'resources.subscribe', isPlainObject(uri) ? uri : { uri }));
  }
}

class Prompts extends Beside {
  /** All of them: `name`, perhaps `description`, `arguments` and more. */
  list() {
    return this.ask('prompts/list', 'prompts.list', {}, (all) => all.prompts);
  }
  /** Its messages: `role` and `content`. */
  get(name, args = {}) {
    const given = isPlainObject(name) ? name : { name, arguments: args };
    return this.ask('prompts/get', 'prompts.get', given, (all) => all.messages);
  }
}

function tool(server, original, identifier) {
  const name = `${server}.${identifier}`;
  const call = (...positional) => start(server, original, named(positional, name, original), name);
  Object.defineProperty(call, 'name', { value: identifier });
  tools.set(call, { server, original, name });
  return Object.setPrototypeOf(call, toolPrototype);
}
const tools = new WeakMap();

const toolPrototype = Object.create(Function.prototype, {
  /** The same call with all that the server answers: `content`, `structuredContent`, `_meta`. */
  raw: {
    value(...positional) {
      const { server, original, name } = tools.get(this);
      return start(server, 'tools/call', { name: original, arguments: named(positional, name, original) }, `${name}.raw`);
    },
  },
});

function named(positional, name, original) {
  const [args = {}] = positional;
  if (positional.length > 1 || !isPlainObject(args)) {
    throw told(
      new TypeError(`${name} takes one object with named arguments`),
      'arguments',
      `write \`await ${name}({ name: value })\`; \`await tta.search_tools("${original}")\` shows the names`,
    );
  }
  return args;
}

const isPlainObject = (value) => Object(value) === value && !Array.isArray(value) && typeof value !== 'function';

export const tta = {
  inputs: undefined,
  /** Calls any tool by its original names: `await tta.call("files", "read-file", { path: "a" })`. */
  call(server, name, args = {}) {
    if (!isPlainObject(args)) {
      throw told(new TypeError('tta.call takes the arguments as an object'), 'arguments', 'write `await tta.call(server, tool, { name: value })`');
    }
    return start(String(server), tools.get(name)?.original ?? String(name), args, 'tta.call');
  },
  /** Finds tools by what they do. The options are `server`, `limit` and `detail`. */
  search_tools(query, options = {}, limit) {
    const given = isPlainObject(query) ? query : { query, ...(isPlainObject(options) ? options : { server: options, limit }) };
    return start('tta', 'search_tools', given, 'tta.search_tools');
  },
  /** The names that can be imported from "servers". */
  servers: serverNames,
  /** Tells whoever watches how far the program is. Needs no await. */
  progress: (message) => forget(start('tta', 'progress', { message: String(message) }, 'tta.progress')),
  ToolError,
};
tta.searchTools = tta.search_tools;
