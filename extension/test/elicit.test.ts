import assert from 'node:assert/strict';
import test from 'node:test';
import * as vscode from 'vscode';
import type { Approvals } from '../src/editor/approve';
import { Elicitations } from '../src/editor/elicit';
import { Questions } from '../src/editor/questions';
import type { Wording } from '../src/editor/wording';
import type { ApprovalReply, ElicitReply, ElicitRequest } from '../src/lsp_ext';

/** A person who gives `answers` one after the other: what they were shown, what was opened, and what came of it. */
async function visited(
  awaited: boolean,
  answers: ApprovalReply['decision'][],
): Promise<{ shown: string[]; opened: readonly unknown[]; reply: ElicitReply }> {
  const shown: string[] = [];
  const show = (words: Wording): Promise<ApprovalReply> => {
    shown.push(words.text);
    return Promise.resolve({ decision: answers.shift() ?? 'deny' } as ApprovalReply);
  };
  const { opened } = vscode as unknown as { opened: unknown[] };
  opened.length = 0;
  const elicitations = new Elicitations(new Questions(() => undefined), { show } as unknown as Approvals);
  const request: ElicitRequest = {
    mode: 'url',
    server: 's',
    message: 'Log in',
    url: 'https://good.example/a%20b',
    id: '1',
    awaited,
  };
  const reply = await elicitations.answer(request, new vscode.CancellationTokenSource().token);
  return { shown, opened, reply };
}

test('a page is opened after a yes, and not awaited is all there is to it', async () => {
  const { shown, opened, reply } = await visited(false, ['once']);
  assert.deepEqual(opened, ['https://good.example/a%20b']);
  assert.deepEqual([shown.length, reply], [1, { action: 'accept', content: {} }]);
  assert.deepEqual((await visited(false, ['deny'])).opened, []);
});

test('a page that is awaited is answered when the person is done there', async () => {
  const { shown, opened, reply } = await visited(true, ['once', 'once']);
  assert.deepEqual(opened, ['https://good.example/a%20b']);
  assert.match(shown[1] ?? '', /“s” waits until you are done on the page of ▸ good.example ◂/);
  assert.deepEqual(reply, { action: 'accept', content: {} });
  assert.deepEqual((await visited(true, ['once', 'deny'])).reply, { action: 'cancel' });
  assert.deepEqual((await visited(true, ['deny'])).reply, { action: 'decline' });
});
