// A scripted model behind an OpenAI-style endpoint on loopback: it takes part in the editor's real agent loop, calls the
// one tool it is told to, and then repeats what the tool answered. Keeps every request, for the tests to look into.
import { createServer } from 'node:http';

/** The beginning of an answer that has no end. */
export const FOR_EVER = 'Let me think about this for a while.';

/**
 * Starts a model that calls `tool` with `args` where the request offers that tool, and otherwise answers “[]”, which
 * satisfies the side requests (titles, suggestions) that the agent sends as well. `script` may answer a request before that:
 * with a text, with `FOR_EVER` for an answer that begins and does not end, or with other arguments for the tool.
 */
export async function scriptedModel({ tool, args, script = () => undefined }) {
  const requests = [];
  let abandoned = 0;
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const asked = JSON.parse(body || '{}');
    requests.push(asked);
    const scripted = script(asked);
    const delta = typeof scripted === 'string' ? { content: scripted } : answer(asked, tool, scripted ?? args);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    if (scripted === FOR_EVER) {
      response.on('close', () => abandoned++);
      response.write(`data: ${JSON.stringify(chunk(asked.model, { delta, finish_reason: null }))}\n\n`);
      return;
    }
    for (const choice of [
      { delta: { role: 'assistant', ...delta }, finish_reason: null },
      { delta: {}, finish_reason: delta.tool_calls ? 'tool_calls' : 'stop' },
    ]) {
      response.write(`data: ${JSON.stringify(chunk(asked.model, choice))}\n\n`);
    }
    response.end('data: [DONE]\n\n');
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}/v1`,
    requests,
    /** How many endless answers were hung up on. */
    abandoned: () => abandoned,
    /** What the tool answered, as the model saw it; undefined before it did. */
    toolResult: () =>
      requests.flatMap(({ messages }) => messages ?? []).findLast(({ role }) => role === 'tool')?.content,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

function answer({ messages, tools }, tool, args) {
  const last = messages?.at(-1);
  if (last?.role === 'tool') {
    return { content: `The program answered: ${last.content}` };
  }
  if (tools?.some(({ function: { name } }) => name === tool)) {
    return {
      tool_calls: [
        { index: 0, id: 'call-1', type: 'function', function: { name: tool, arguments: JSON.stringify(args) } },
      ],
    };
  }
  return { content: '[]' };
}

function chunk(model, choice) {
  return { id: 'scripted', object: 'chat.completion.chunk', created: 1, model, choices: [{ index: 0, ...choice }] };
}
