// URL and URLSearchParams, as the WHATWG has them for the schemes that programs use. Left out: international domain names
// (they are lower-cased and kept) and numeric forms of IPv4 addresses.
const PORTS = { 'http:': '80', 'https:': '443', 'ws:': '80', 'wss:': '443', 'ftp:': '21', 'file:': '' };
const isSpecial = (protocol) => Object.hasOwn(PORTS, protocol);

const PARTS = /^(?:([a-zA-Z][a-zA-Z0-9+.-]*):)?([^?#]*)(\?[^#]*)?(#.*)?$/su;

const encodeWith = (unsafe) => (text) => text.replace(unsafe, (c) => encodeURIComponent(c.toWellFormed()).replace(/'/g, '%27'));
const encodePath = encodeWith(/[^!$%&'()*+,\-./0-9:;=@A-Z_a-z~[\]|^\\]/gu);
const encodeQuery = encodeWith(/[^!$%&'()*+,\-./0-9:;=?@A-Z_a-z~[\]|^\\`{}]/gu);
const encodeHash = encodeWith(/[^!#$%&'()*+,\-./0-9:;=?@A-Z_a-z~[\]|^\\{}]/gu);
const encodeUser = encodeWith(/[^!$%&'()*+,\-.0-9A-Z_a-z~]/gu);

export class URL {
  #protocol = '';
  #username = '';
  #password = '';
  #hostname = null;
  #port = '';
  #path = '';
  #query = '';
  #hash = '';
  #params;

  constructor(url, base) {
    const text = String(url).replace(/^[\0-\x20]+|[\0-\x20]+$|[\t\n\r]/g, '');
    const from = base === undefined ? undefined : base instanceof URL ? base : new URL(base);
    if (!this.#parse(text, from)) throw new TypeError(`Invalid URL: ${url}`);
    this.#params = new URLSearchParams(this.#query);
    this.#params[OWNER] = (query) => { this.#query = query ? `?${query}` : ''; };
  }

  static canParse(url, base) {
    return URL.parse(url, base) !== null;
  }

  static parse(url, base) {
    try {
      return new URL(url, base);
    } catch {
      return null;
    }
  }

  #parse(text, base) {
    let [, scheme, rest, query = '', hash = ''] = PARTS.exec(text) ?? [];
    if (rest === undefined) return false;
    const protocol = scheme === undefined ? undefined : `${scheme.toLowerCase()}:`;
    if (protocol === undefined && !base) return false;
    this.#protocol = protocol ?? base.#protocol;
    if (isSpecial(this.#protocol)) rest = rest.replaceAll('\\', '/');
    this.#hash = hash.length > 1 ? encodeHash(hash) : '';

    const isRelative = protocol === undefined || (base && protocol === base.#protocol && isSpecial(protocol) && !rest.startsWith('/'));
    if (isRelative && !rest.startsWith('//')) {
      if (base.#hostname === null && !base.#path.startsWith('/') && (rest || query)) return false;
      this.#takeAuthority(base);
      if (!rest) {
        this.#path = base.#path;
        query ||= base.#query;
      } else {
        this.#path = this.#normal(rest.startsWith('/') ? rest : base.#path.replace(/[^/]*$/, '') + rest);
      }
    } else if (rest.startsWith('//') || isSpecial(this.#protocol)) {
      const [, authority, path] = /^\/*([^/]*)(.*)$/su.exec(this.#protocol === 'file:' ? rest.replace(/^\/\/(?=\/)/, '//') : rest);
      if (this.#protocol === 'file:' && !rest.startsWith('//')) {
        this.#hostname = '';
        this.#path = this.#normal(rest);
      } else if (this.#protocol === 'file:') {
        const [, host, filePath] = /^\/\/([^/]*)(.*)$/su.exec(rest);
        this.#hostname = host === 'localhost' ? '' : host.toLowerCase();
        this.#path = this.#normal(filePath);
      } else {
        if (!this.#parseAuthority(authority)) return false;
        this.#path = this.#normal(path);
      }
    } else {
      this.#path = rest.startsWith('/') ? this.#normal(rest) : encodeHash(rest).replaceAll('#', '%23');
    }
    this.#query = query.length > 1 ? encodeQuery(query).replaceAll("'", isSpecial(this.#protocol) ? '%27' : "'") : '';
    return true;
  }

  #takeAuthority(other) {
    this.#username = other.#username;
    this.#password = other.#password;
    this.#hostname = other.#hostname;
    this.#port = other.#port;
  }

  #parseAuthority(authority) {
    const [, user, host, port] = /^(?:(.*)@)?(\[[^\]]*\]|[^:]*)(?::(\d*))?$/su.exec(authority) ?? [];
    if (host === undefined || (!host && isSpecial(this.#protocol))) return false;
    const hostname = this.#parseHost(host);
    if (hostname === undefined || Number(port) > 65535) return false;
    if (user !== undefined) {
      const colon = user.indexOf(':');
      this.#username = encodeUser(colon < 0 ? user : user.slice(0, colon));
      this.#password = colon < 0 ? '' : encodeUser(user.slice(colon + 1));
    }
    this.#hostname = hostname;
    this.#setPort(port ?? '');
    return true;
  }

  #parseHost(host) {
    if (host.startsWith('[')) return /^\[[0-9a-fA-F:.]+\]$/.test(host) ? host.toLowerCase() : undefined;
    if (!isSpecial(this.#protocol)) return /[\0\t\n\r #/<>?@[\\\]^|]/.test(host) ? undefined : host;
    let name;
    try {
      name = decodeURIComponent(host).toLowerCase();
    } catch {
      return undefined;
    }
    return /[\0-\x20"#%/:<>?@[\\\]^`{|}\x7f]/.test(name) ? undefined : name;
  }

  #setPort(port) {
    const number = port === '' ? '' : String(Number(port));
    this.#port = number === PORTS[this.#protocol] ? '' : number;
  }

  #normal(path) {
    const out = [];
    const parts = path.split('/');
    if (parts[0] === '') parts.shift();
    parts.forEach((part, i) => {
      const plain = part.replace(/%2e/gi, '.');
      const isLast = i === parts.length - 1;
      if (plain === '..') {
        out.pop();
        if (isLast) out.push('');
      } else if (plain !== '.') {
        out.push(part);
      } else if (isLast) {
        out.push('');
      }
    });
    return path || isSpecial(this.#protocol) ? `/${encodePath(out.join('/'))}` : '';
  }

  get protocol() { return this.#protocol; }
  set protocol(value) {
    const protocol = `${String(value).split(':')[0].toLowerCase()}:`;
    if (/^[a-z][a-z0-9+.-]*:$/.test(protocol) && isSpecial(protocol) === isSpecial(this.#protocol)) {
      this.#protocol = protocol;
      this.#setPort(this.#port);
    }
  }
  get username() { return this.#username; }
  set username(value) { if (this.#hostname) this.#username = encodeUser(String(value)); }
  get password() { return this.#password; }
  set password(value) { if (this.#hostname) this.#password = encodeUser(String(value)); }
  get hostname() { return this.#hostname ?? ''; }
  set hostname(value) {
    const name = this.#hostname === null ? undefined : this.#parseHost(String(value));
    if (name) this.#hostname = name;
  }
  get port() { return this.#port; }
  set port(value) {
    const digits = /^\d*/.exec(String(value))[0];
    if (this.#hostname && (digits || value === '') && Number(digits) <= 65535) this.#setPort(digits);
  }
  get host() { return this.hostname + (this.#port && `:${this.#port}`); }
  set host(value) {
    const [, name, port] = /^(\[[^\]]*\]|[^:]*)(?::(\d*))?/.exec(String(value));
    this.hostname = name;
    if (port) this.port = port;
  }
  get origin() { return isSpecial(this.#protocol) && this.#protocol !== 'file:' ? `${this.#protocol}//${this.host}` : 'null'; }
  get pathname() { return this.#path; }
  set pathname(value) { this.#path = this.#normal(String(value)); }
  get search() { return this.#query; }
  set search(value) {
    const query = String(value).replace(/^\?/, '');
    this.#query = query ? encodeQuery(`?${query}`).replaceAll('#', '%23') : '';
    this.#params[RESET](query);
  }
  get searchParams() { return this.#params; }
  get hash() { return this.#hash; }
  set hash(value) {
    const hash = String(value).replace(/^#/, '');
    this.#hash = hash ? `#${encodeHash(hash)}` : '';
  }
  get href() {
    const user = this.#username + (this.#password && `:${this.#password}`);
    const authority = this.#hostname === null ? '' : `//${user && `${user}@`}${this.host}`;
    return this.#protocol + authority + this.#path + this.#query + this.#hash;
  }
  set href(value) {
    const other = new URL(value);
    this.#protocol = other.#protocol;
    this.#takeAuthority(other);
    this.#path = other.#path;
    this.#hash = other.#hash;
    this.search = other.#query;
  }
  toString() { return this.href; }
  toJSON() { return this.href; }
}

const OWNER = Symbol('owner');
const RESET = Symbol('reset');

const encodeForm = (text) => encodeURIComponent(text.toWellFormed())
  .replace(/[!'()~]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
  .replaceAll('%20', '+');

function decodeForm(text) {
  const plain = text.replaceAll('+', ' ');
  try {
    return decodeURIComponent(plain);
  } catch {
    return plain.replace(/(?:%[0-9a-f]{2})+/gi, (run) => new TextDecoder().decode(Uint8Array.fromHex(run.replaceAll('%', ''))));
  }
}

export class URLSearchParams {
  #pairs = [];

  constructor(init = '') {
    if (typeof init === 'string') this[RESET](init.replace(/^\?/, ''));
    else if (init instanceof URLSearchParams) this.#pairs = init.#pairs.map((pair) => [...pair]);
    else if (init?.[Symbol.iterator]) this.#pairs = Array.from(init, ([name, value]) => [String(name), String(value)]);
    else this.#pairs = Object.entries(init ?? {}).map(([name, value]) => [name, String(value)]);
  }

  [RESET](query) {
    this.#pairs = query.split('&').filter(Boolean).map((part) => {
      const equals = part.indexOf('=');
      return equals < 0 ? [decodeForm(part), ''] : [decodeForm(part.slice(0, equals)), decodeForm(part.slice(equals + 1))];
    });
  }

  #change(pairs) {
    this.#pairs = pairs;
    this[OWNER]?.(this.toString());
  }

  get size() { return this.#pairs.length; }
  append(name, value) { this.#change([...this.#pairs, [String(name), String(value)]]); }
  delete(name, value) { this.#change(this.#pairs.filter(([n, v]) => n !== String(name) || (value !== undefined && v !== String(value)))); }
  get(name) { return this.#pairs.find(([n]) => n === String(name))?.[1] ?? null; }
  getAll(name) { return this.#pairs.filter(([n]) => n === String(name)).map(([, v]) => v); }
  has(name, value) { return this.#pairs.some(([n, v]) => n === String(name) && (value === undefined || v === String(value))); }
  set(name, value) {
    const at = this.#pairs.findIndex(([n]) => n === String(name));
    if (at < 0) return this.append(name, value);
    this.#change(this.#pairs.filter(([n], i) => n !== String(name) || i === at).map((pair, i) => (i === at ? [pair[0], String(value)] : pair)));
  }
  sort() { this.#change(this.#pairs.toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))); }
  forEach(callback, self) { for (const [name, value] of this) callback.call(self, value, name, this); }
  *keys() { for (const [name] of this.#pairs) yield name; }
  *values() { for (const [, value] of this.#pairs) yield value; }
  *entries() { for (const pair of this.#pairs) yield [...pair]; }
  [Symbol.iterator]() { return this.entries(); }
  toString() { return this.#pairs.map(([name, value]) => `${encodeForm(name)}=${encodeForm(value)}`).join('&'); }
}
