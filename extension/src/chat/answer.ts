/**
 * Answers one request of the chat: help and savings by ourselves, everything else by the chosen model with our tools. Fails
 * never: what went wrong is part of the result, and what was called before it is kept for the next turn.
 */

import * as vscode from 'vscode';
import type { Ctx } from '../ctx';
import * as wire from '../wire';
import { questionWith } from './attached';
import { Conversation } from './conversation';
import { failureText } from './failure';
import { keep, pastTurns } from './history';
import { converse, MOST_ROUNDS, type Call, type Ending, type Parties } from './loop';
import { ourTools } from './ready';
import { callsOf, MOST_RUNS, runsOf, savingsText } from './savings';
import { preface } from './texts';

/** The handler of the participant whose id is `participant` and whose name is `name`. */
export function answering(ctx: Ctx, participant: string, name: string): vscode.ChatRequestHandler {
  return async (request, context, stream, token) => {
    if (request.command === 'savings') {
      return savings(ctx, callsOf(context.history, participant), stream);
    }
    if (request.command === 'help' || bare(request) === '') {
      stream.markdown(help(name));
      return {};
    }
    const calls: Call[] = [];
    try {
      const ending = await agent(ctx, participant, request, context, stream, token, calls);
      return ending === undefined ? {} : { metadata: { ...keep(calls, ending) } };
    } catch (error) {
      const metadata = { ...keep(calls) };
      if (token.isCancellationRequested) {
        return { metadata };
      }
      ctx.logError(error);
      return { errorDetails: { message: failureText(error, request.model.name) }, metadata };
    }
  };
}

/** Has the model answer; undefined where its tools are not there, which was said then. */
async function agent(
  ctx: Ctx,
  participant: string,
  request: vscode.ChatRequest,
  { history }: vscode.ChatContext,
  stream: vscode.ChatResponseStream,
  token: vscode.CancellationToken,
  calls: Call[],
): Promise<Ending | undefined> {
  const ours = await ourTools(ctx, stream, token);
  if (!ours) {
    return undefined;
  }
  const parties: Parties = {
    model: request.model,
    tools: withAttached(ours, request.toolReferences).map(({ name, description, inputSchema }) => ({
      name,
      description,
      inputSchema,
    })),
    say: (text) => {
      stream.markdown(text);
    },
    invoke: (name, input) =>
      vscode.lm.invokeTool(name, { input, toolInvocationToken: request.toolInvocationToken }, token),
    token,
  };
  const question = await questionWith(request.prompt, request.references);
  const conversation = new Conversation(
    await instructions(ctx, token),
    pastTurns(history, participant),
    vscode.LanguageModelChatMessage.User(question),
    JSON.stringify(parties.tools),
  );
  const ending = await converse(parties, conversation, calls);
  if (ending === 'rounds') {
    stream.markdown(
      `\n\n${vscode.l10n.t('Stopped here: the model has called tools {0} times in a row. Say so if it should go on.', MOST_ROUNDS)}`,
    );
  }
  return ending;
}

/** Our tools, and those that the person attached beside them. */
function withAttached(
  ours: readonly vscode.LanguageModelToolInformation[],
  references: vscode.ChatRequest['toolReferences'],
): vscode.LanguageModelToolInformation[] {
  const attached = new Set(references.map(({ name }) => name));
  return [...ours, ...vscode.lm.tools.filter((tool) => attached.has(tool.name) && !ours.includes(tool))];
}

async function instructions(ctx: Ctx, token: vscode.CancellationToken): Promise<string> {
  const folders = vscode.workspace.workspaceFolders ?? [];
  const servers = await ctx.request(wire.servers, {}, token).catch((error: unknown) => {
    ctx.logError(error);
    return [];
  });
  return preface(
    folders.map(({ uri }) => uri.fsPath),
    servers.filter(({ state }) => state !== 'disabled').map(({ identifier }) => identifier),
  );
}

/** The prompt without the tools and files that it names. */
function bare({ prompt }: vscode.ChatRequest): string {
  return prompt.replace(/(^|\s)#[\w:./-]+/g, '').trim();
}

async function savings(ctx: Ctx, calls: readonly Call[], stream: vscode.ChatResponseStream) {
  try {
    const [runs, totals] = await Promise.all([
      ctx.request(wire.runs, { limit: MOST_RUNS }),
      ctx.request(wire.savings, {}),
    ]);
    stream.markdown(savingsText(runsOf(calls, runs), totals));
    stream.button({ command: 'tta.showDashboard', title: vscode.l10n.t('Show Dashboard') });
    return {};
  } catch (error) {
    return { errorDetails: { message: error instanceof Error ? error.message : String(error) } };
  }
}

function help(name: string): string {
  return [
    vscode.l10n.t(
      'Ask for something that needs your MCP servers. The model writes one program for it, and reads its result alone.',
    ),
    [
      `- \`@${name} ${vscode.l10n.t('How many words has each of my notes?')}\``,
      `- \`@${name} /savings\` ${vscode.l10n.t('shows what the programs of this chat saved; no model is asked.')}`,
      `- ${vscode.l10n.t('`#` attaches files and other tools; what you attach is given to the model as well.')}`,
    ].join('\n'),
    vscode.l10n.t('A program runs in WebAssembly and can do what your servers offer, nothing else.'),
  ].join('\n\n');
}
