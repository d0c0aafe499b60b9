/**
 * A tool's JSON Schema as a list of parameters: what the tree of servers shows and what a form asks for. Untrusted and
 * bounded: so many parameters, so deep, and only references within the schema itself. Leaves out checking values in full,
 * which the daemon does before anything is sent. Pure.
 */

/** What kind of field a parameter needs. `json` is whatever no other field can take. */
export type Kind = 'text' | 'number' | 'integer' | 'boolean' | 'choice' | 'list' | 'json';

/** A value that stands alone in a list or in a choice. */
export type Scalar = string | number | boolean;

/** One parameter of a tool, or a property of an object in one. */
export interface Parameter {
  readonly name: string;
  readonly required: boolean;
  readonly kind: Kind;
  /** For people: `string`, `integer[]`, `"a" | "b"`, `object`. */
  readonly type: string;
  readonly doc: string;
  readonly default?: unknown;
  /** The values of a `choice`, or those that the items of a `list` are chosen from. */
  readonly options?: readonly Scalar[];
  /** The kind of a list's items. */
  readonly item?: Exclude<Kind, 'list' | 'json' | 'choice'>;
  readonly bounds: Bounds;
  /** The properties of an object, or of each in a list of them. Made when they are asked for: a schema may hold itself many times over. */
  readonly children: readonly Parameter[];
}

/** What a value's size must be: of a number itself, of a text its length, of a list its items. */
export interface Bounds {
  readonly least?: number;
  readonly most?: number;
}

type Schema = Readonly<Record<string, unknown>>;

const MOST_PARAMETERS = 200;
const DEEPEST = 6;
const MOST_HOPS = 8;
const MOST_OPTIONS = 200;

/** The parameters of a tool, required ones first, otherwise in the schema's order. */
export function parametersOf(schema: Schema): Parameter[] {
  return propertiesOf(schema, schema, 0);
}

function propertiesOf(schema: Schema, root: Schema, depth: number): Parameter[] {
  const properties = asObject(schema['properties']) ?? {};
  const required = new Set(Array.isArray(schema['required']) ? schema['required'] : []);
  const all = Object.entries(properties)
    .slice(0, MOST_PARAMETERS)
    .map(([name, property]) => parameter(name, required.has(name), asObject(property) ?? {}, root, depth));
  return [...all.filter((one) => one.required), ...all.filter((one) => !one.required)];
}

function parameter(name: string, required: boolean, given: Schema, root: Schema, depth: number): Parameter {
  const schema = resolve(given, root);
  const doc = [given['description'], schema['description'], given['title']].find((text) => typeof text === 'string');
  const shape = shapeOf(schema, root);
  const value = given['default'] ?? schema['default'];
  return {
    name,
    required,
    ...shape,
    doc: doc ?? '',
    ...(value === undefined || value === null ? {} : { default: value }),
    bounds: boundsOf(schema, shape.kind),
    get children() {
      const inner = typeOf(schema) === 'array' ? resolve(asObject(schema['items']) ?? {}, root) : schema;
      return depth < DEEPEST && typeOf(inner) === 'object' ? propertiesOf(inner, root, depth + 1) : [];
    },
  };
}

function shapeOf(schema: Schema, root: Schema): Pick<Parameter, 'kind' | 'type' | 'options' | 'item'> {
  const options = optionsOf(schema);
  if (options) {
    return { kind: 'choice', type: options.map((option) => JSON.stringify(option)).join(' | '), options };
  }
  const type = typeOf(schema);
  switch (type) {
    case 'string':
      return { kind: 'text', type };
    case 'number':
    case 'integer':
    case 'boolean':
      return { kind: type, type };
    case 'array':
      return listOf(resolve(asObject(schema['items']) ?? {}, root), root);
    default:
      return { kind: 'json', type: type ?? 'any' };
  }
}

function listOf(items: Schema, root: Schema): Pick<Parameter, 'kind' | 'type' | 'options' | 'item'> {
  const { kind, type, options } =
    typeOf(items) === 'array' ? ({ kind: 'json', type: 'array' } as const) : shapeOf(items, root);
  const shown = type.includes(' ') ? `(${type})[]` : `${type}[]`;
  if (kind === 'choice') {
    return options?.every((option) => typeof option === 'string') === true
      ? { kind: 'list', type: shown, item: 'text', options }
      : { kind: 'json', type: shown };
  }
  return kind === 'json' || kind === 'list' ? { kind: 'json', type: shown } : { kind: 'list', type: shown, item: kind };
}

function optionsOf(schema: Schema): Scalar[] | undefined {
  const values = 'const' in schema ? [schema['const']] : schema['enum'];
  if (!Array.isArray(values) || values.length === 0 || values.length > MOST_OPTIONS) {
    return undefined;
  }
  const scalars = values.filter((value): value is Scalar => ['string', 'number', 'boolean'].includes(typeof value));
  return scalars.length > 0 && values.every((value) => value === null || scalars.includes(value as Scalar))
    ? scalars
    : undefined;
}

/** Follows references and looks through what only adds “or null”. */
function resolve(schema: Schema, root: Schema): Schema {
  let now = schema;
  for (let hops = 0; hops < MOST_HOPS; hops += 1) {
    const next = referred(now, root) ?? onlyAlternative(now);
    if (!next) {
      return now;
    }
    now = next;
  }
  return {};
}

function referred({ $ref: path }: Schema, root: Schema): Schema | undefined {
  if (typeof path !== 'string' || !/^#(\/|$)/.test(path)) {
    return undefined;
  }
  const keys = path
    .split('/')
    .slice(1)
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
  return asObject(keys.reduce<unknown>((at, key) => own(asObject(at), key), root));
}

function onlyAlternative(schema: Schema): Schema | undefined {
  for (const key of ['anyOf', 'oneOf', 'allOf']) {
    const alternatives = schema[key];
    if (Array.isArray(alternatives)) {
      const real = alternatives.map(asObject).filter((one) => one?.['type'] !== 'null');
      return real.length === 1 ? real[0] : undefined;
    }
  }
  return undefined;
}

/** The one type besides null. */
function typeOf(schema: Schema): string | undefined {
  const { type } = schema;
  const types = (Array.isArray(type) ? type : [type]).filter((one): one is string => typeof one === 'string');
  const real = types.filter((one) => one !== 'null');
  if (real.length === 1) {
    return real[0];
  }
  return real.length === 0 && asObject(schema['properties']) ? 'object' : undefined;
}

const BOUND_KEYS: Readonly<Partial<Record<Kind, readonly [string, string]>>> = {
  text: ['minLength', 'maxLength'],
  number: ['minimum', 'maximum'],
  integer: ['minimum', 'maximum'],
  list: ['minItems', 'maxItems'],
};

function boundsOf(schema: Schema, kind: Kind): Bounds {
  const [least, most] = (BOUND_KEYS[kind] ?? []).map((key) => schema[key]);
  return {
    ...(typeof least === 'number' ? { least } : {}),
    ...(typeof most === 'number' ? { most } : {}),
  };
}

function own(object: Schema | undefined, key: string): unknown {
  return object && Object.hasOwn(object, key) ? object[key] : undefined;
}

function asObject(value: unknown): Schema | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Schema) : undefined;
}
