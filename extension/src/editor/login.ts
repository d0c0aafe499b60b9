/**
 * `tta/openUrl`: the page on which a person logs in to an MCP server, opened in their own browser. The editor itself asks
 * before it opens a page that it does not trust yet. The browser goes back to the daemon; where it is on another machine
 * and cannot, the person hands over the address that it was sent to. Leaves out the login.
 */

import { get } from 'node:http';
import * as vscode from 'vscode';
import type { OpenUrlRequest } from '../lsp_ext';
import { forNotification } from './plain';

const NAME_CHARS = 60;
/** What the daemon answers once somebody came back with the login that is open. */
const LOGGED_IN = 200;
const REFUSED = 403;

/** Whether the page was opened. */
export async function openLogin({ server, url, redirect }: OpenUrlRequest): Promise<boolean> {
  const page = new URL(url);
  if (page.protocol !== 'https:' && page.protocol !== 'http:') {
    throw new Error(vscode.l10n.t('the page is no web page'));
  }
  const returns = await isReachable(redirect);
  // As text, which the editor hands on as it is: a `Uri` would be decoded and encoded anew, and so be another address.
  const opened = await vscode.env.openExternal(url as unknown as vscode.Uri);
  if (opened) {
    const name = forNotification(server, NAME_CHARS);
    vscode.window.setStatusBarMessage(vscode.l10n.t('TTA: log in to “{0}” in the browser', name), 20_000);
    if (!returns) {
      void takeOver(name, redirect);
    }
  }
  return opened;
}

/**
 * Whether the browser can come back to the daemon by itself, which listens on its own machine: where that is another one
 * than the browser's, the editor forwards the port, unless it is taken there or the editor is itself a page.
 */
async function isReachable(redirect: string): Promise<boolean> {
  if (vscode.env.remoteName === undefined) {
    return true;
  }
  const { origin } = new URL(redirect);
  const here = await vscode.env.asExternalUri(vscode.Uri.parse(origin));
  return new URL(here.toString(true)).origin === origin;
}

/** Takes the address from the person to the daemon. A login that ended otherwise needs nothing of it. */
async function takeOver(name: string, redirect: string): Promise<void> {
  const enter = vscode.l10n.t('Enter the Address');
  const question = vscode.l10n.t(
    'TTA: where the login to “{0}” ends on a page that your browser cannot reach, copy that page’s address.',
    name,
  );
  if ((await vscode.window.showInformationMessage(question, enter)) !== enter) {
    return;
  }
  const address = await vscode.window.showInputBox({
    title: vscode.l10n.t('TTA: the end of the login to “{0}”', name),
    prompt: vscode.l10n.t('The address that the browser was sent to; it begins with {0}', redirect),
    ignoreFocusOut: true,
    validateInput: (text) => (isReturn(text, redirect) ? undefined : vscode.l10n.t('It begins with {0}?…', redirect)),
  });
  if (address === undefined) {
    return;
  }
  const status = await visit(address.trim());
  // What a refused login failed of is said where it was asked for.
  if (status !== LOGGED_IN && status !== REFUSED) {
    void vscode.window.showErrorMessage(
      vscode.l10n.t('TTA: the login to “{0}” is over, or this is the address of another one. Start it again.', name),
    );
  }
}

/** Whether a text is the redirect with an answer. */
export function isReturn(text: string, redirect: string): boolean {
  return text.trim().startsWith(`${redirect}?`) && URL.canParse(text.trim());
}

/** What this machine's own listener answers; nothing where there is none. Past every proxy. */
function visit(address: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    const request = get(address, { agent: false, timeout: 30_000 }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => {
      resolve(undefined);
    });
  });
}
