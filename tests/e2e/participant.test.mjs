// `@workspace #tta-mcp-code-execution …` as a person types it: our participant has the chosen model call a program over a
// real MCP server, and answers; the next turn knows of it; a turn that is stopped ends at once.
import assert from 'node:assert/strict';
import test from 'node:test';
import { FOR_EVER, scriptedModel } from './model.mjs';
import { notesWorkspace, settings } from './setup.mjs';
import { extensions } from './vsix.mjs';
import { until, Workbench } from './workbench.mjs';

const RUN_CODE = 'mcp_tta_run_code';
const QUESTION = 'How many words has each of my notes?';
const program = (folder) => `
import asyncio
from servers import fs

names = ["ant", "bee", "cat"]
texts = await asyncio.gather(*[fs.read_text_file(path=f"${folder}/notes/{name}.md") for name in names])
{name: len(text["content"].split()) for name, text in zip(names, texts)}
`;
const COUNTS = /"ant": ?1600, ?"bee": ?2100, ?"cat": ?1500/;

test('@workspace answers by programs, remembers the turns before, and stops when it is told to', async (t) => {
  const folder = notesWorkspace(t);
  const code = program(folder);
  const model = await scriptedModel({
    tool: RUN_CODE,
    args: { code, language: 'python' },
    script: ({ messages }) => {
      const asked = String(textOf(messages?.at(-1)));
      if (asked.includes('Which is the longest?')) return 'The longest is bee.';
      if (asked.includes('Think')) return FOR_EVER;
      if (asked.includes('Spin')) return { code: 'while True:\n    pass', language: 'python' };
      return undefined;
    },
  });
  t.after(() => model.close());
  const workbench = await Workbench.open({ folder, extensions, settings, modelUrl: model.url });
  t.after(() => workbench.close());
  await workbench.statusWith('TTA: ready');
  await workbench.enableAgent();
  await until('the tool set', () =>
    workbench.inHost(`return vscode.lm.tools.some(({ name }) => name === '${RUN_CODE}')`),
  );

  await t.test('a program over a real server answers', async () => {
    await workbench.ask(`@workspace #tta-mcp-code-execution ${QUESTION}`);
    await workbench.allow('Allow in this Session').finally(() => workbench.shoot('participant-asks'));
    await workbench.allow('Allow Without Review in this Session');
    await workbench.answerWith(COUNTS).finally(() => workbench.shoot('participant'));
    const [first, second] = ours(model);
    assert.match(textOf(first.messages.at(-1)), new RegExp(QUESTION.replace('?', '\\?')));
    assert.match(first.messages.map(textOf).join(), new RegExp(`Workspace folders: ${folder}[^]*run_code`));
    assert.match(textOf(second.messages.at(-1)), COUNTS, 'the model saw the program’s result');
    assert.equal((await workbench.savings()).workspace.runs, 1);
  });

  await t.test('what it saved is one click away', async () => {
    await workbench.page
      .locator('.interactive-session .monaco-button:visible', { hasText: 'What did this save?' })
      .click();
    await workbench.answerWith('In this workspace:').finally(() => workbench.shoot('participant-savings'));
    assert.equal(ours(model).length, 2, 'no model was asked');
  });

  await t.test('the next turn knows the one before, and stays with the participant', async () => {
    await workbench.ask('Which is the longest?');
    await workbench.answerWith('The longest is bee.').finally(() => workbench.shoot('participant-history'));
    const { messages } = ours(model).at(-1);
    const told = messages.map(textOf);
    assert.ok(told.some((text) => text.includes(QUESTION)));
    assert.ok(messages.some(({ tool_calls: calls }) => calls?.[0].function.arguments.includes('asyncio.gather')));
    assert.match(told.findLast((text, index) => messages[index].role === 'tool') ?? '', COUNTS);
    assert.ok(
      !told.some((text) => text.includes('In this workspace:')),
      'what no model said is no part of the history',
    );
  });

  await t.test('a turn is stopped at once, and the program that runs in it', async () => {
    const stop = () => workbench.page.locator('.interactive-session .codicon-stop-circle:visible').first().click();
    await workbench.ask('Think');
    await workbench.answerWith(FOR_EVER);
    await stop();
    await until('the end of the request', () => model.abandoned() === 1, 5_000);
    await workbench.ask('Spin');
    await until('a program that runs', async () => (await workbench.savings()).running === 1);
    await stop();
    await until('the end of the program', async () => (await workbench.savings()).running === 0, 5_000);
    await workbench.ask('Which is the longest?');
    await until('an answer after it', () => workbench.page.getByText('The longest is bee.').nth(1).isVisible());
    assert.ok(ours(model).at(-1).messages.map(textOf).includes(FOR_EVER), 'what it had said is remembered');
  });
});

/** The requests of the participant: the only ones with our tools. */
function ours({ requests }) {
  return requests.filter(({ tools }) => tools?.some(({ function: { name } }) => name === RUN_CODE));
}

function textOf(message) {
  const content = message?.content ?? '';
  return typeof content === 'string' ? content : content.map(({ text = '' }) => text).join('');
}
