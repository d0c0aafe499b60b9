/**
 * `tta/openUrl`: the page on which a person logs in to an MCP server, opened in their own browser. The editor itself asks
 * before it opens a page that it does not trust yet. The browser goes back to the daemon; where it is on another machine
 * and cannot, the person hands over the address that it was sent to. Leaves out the login.
 */

import { get } from 'node:http';
import { connect } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import * as vscode from 'vscode';
import type { OpenUrlRequest } from '../lsp_ext';
import { forNotification } from './plain';

/** The command behind the link in that offer. Its arguments are a server's name and a redirect. */
export const ENTER_ADDRESS = 'tta.enterLoginAddress';

const NAME_CHARS = 60;
/** How often it is looked whether the daemon still waits. */
const LOOK_MS = 2_000;
/** Where the daemon waits for a browser that may not come. */
const waiting = new Set<string>();
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
      void offerAddress(name, redirect);
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

/** Offers to take the address from the person to the daemon, for as long as the daemon waits for the login. */
async function offerAddress(name: string, redirect: string): Promise<void> {
  const enter = `command:${ENTER_ADDRESS}?${encodeURIComponent(JSON.stringify([name, redirect]))}`;
  const title = vscode.l10n.t(
    'TTA: waiting for the login to “{0}”. Does it end on a page that your browser cannot reach? [Enter its address]({1})',
    name,
    enter,
  );
  waiting.add(redirect);
  // With its button the notification shows all of its text.
  const options = { location: vscode.ProgressLocation.Notification, title, cancellable: true };
  await vscode.window.withProgress(options, async (_, dismissed) => {
    while (!dismissed.isCancellationRequested && (await isOpen(redirect))) {
      await setTimeout(LOOK_MS);
    }
  });
  waiting.delete(redirect);
}

/** Takes an address from the person to the daemon. */
export async function enterAddress(name: string, redirect: string): Promise<void> {
  if (!waiting.has(redirect)) {
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

/** Whether the daemon waits there. */
function isOpen(redirect: string): Promise<boolean> {
  const { hostname, port } = new URL(redirect);
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname);
    const done = (open: boolean) => (): void => {
      socket.destroy();
      resolve(open);
    };
    socket.on('connect', done(true)).on('error', done(false));
  });
}
