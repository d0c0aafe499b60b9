// Context7's API, as far as its MCP server asks it: a search for libraries, and a library's documentation.
import { serve } from './http.mjs';

const LIBRARIES = [
  {
    id: '/bytecodealliance/wasmtime',
    title: 'Wasmtime',
    description: 'A standalone runtime for WebAssembly',
    state: 'finalized',
    totalSnippets: 412,
    trustScore: 9.4,
    versions: ['v48.0.0'],
  },
  {
    id: '/wasmerio/wasmer',
    title: 'Wasmer',
    description: 'Containers of WebAssembly',
    totalSnippets: 120,
    trustScore: 6,
  },
];

const DOCUMENTATION = {
  '/bytecodealliance/wasmtime': '### Fuel\n\n```rust\nconfig.consume_fuel(true);\nstore.set_fuel(10_000)?;\n```\n',
};

/** Serves it; the URL is what `CONTEXT7_API_URL` names. */
export async function context7Api(t) {
  const { url, seen } = await serve(t, {
    'GET /api/v2/libs/search': ({ query }) => ({
      results: LIBRARIES.filter(({ title }) => title.toLowerCase().includes(query.libraryName.toLowerCase())),
    }),
    'GET /api/v2/context': ({ query }) =>
      DOCUMENTATION[query.libraryId] ?? { status: 404, body: { message: `No library ${query.libraryId}` } },
  });
  return { url: `${url}/api`, seen };
}
