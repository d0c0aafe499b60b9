// Notion's API, as far as the tests write pages with its MCP server: a search by title, a page made, its text replaced.
import { serve } from './http.mjs';

const TOKEN = 'ntn_0123456789abcdefghijklmnop';

/** Serves it; `pages` are those that were made, by their ids. */
export async function notionApi(t) {
  const pages = new Map();
  add(pages, 'Ants of the garden', 'Ants are small.');
  const known = (answer) => (request) => {
    if (request.headers.authorization !== `Bearer ${TOKEN}`)
      return refused(401, 'unauthorized', 'API token is invalid.');
    const { id } = request.params;
    return id && !pages.has(id)
      ? refused(404, 'object_not_found', `Could not find page with ID: ${id}.`)
      : answer(request);
  };
  const { url, seen } = await serve(t, {
    'GET /v1/users/me': known(() => ({ object: 'user', id: 'b0', type: 'bot', name: 'Gardener', bot: {} })),
    'POST /v1/search': known(({ json }) => ({
      object: 'list',
      results: [...pages.values()].filter(({ title }) => title.includes(json().query ?? '')).map(page),
      has_more: false,
      next_cursor: null,
    })),
    'POST /v1/pages': known(({ json }) => page(add(pages, json().properties.title[0].text.content, ''))),
    'GET /v1/pages/:id/markdown': known(({ params }) => markdown(pages.get(params.id))),
    'PATCH /v1/pages/:id/markdown': known(({ params, json }) => {
      const changed = pages.get(params.id);
      changed.text = json().replace_content.new_str;
      return markdown(changed);
    }),
  });
  return { url, seen, pages, env: { NOTION_TOKEN: TOKEN, BASE_URL: url } };
}

function add(pages, title, text) {
  const id = `00000000-0000-4000-8000-${String(pages.size + 1).padStart(12, '0')}`;
  pages.set(id, { id, title, text });
  return pages.get(id);
}

function page({ id, title }) {
  const content = { type: 'text', text: { content: title }, plain_text: title };
  return { object: 'page', id, properties: { title: { id: 'title', type: 'title', title: [content] } } };
}

function markdown({ id, text }) {
  return { object: 'page_markdown', id, markdown: text, truncated: false, unknown_block_ids: [] };
}

function refused(status, code, message) {
  return { status, body: { object: 'error', status, code, message } };
}
