/**
 * `tta/openUrl`: the page on which a person logs in to an MCP server, opened in their own browser. The editor itself asks
 * before it opens a page that it does not trust yet. Leaves out the login: the browser goes back to the daemon.
 */

import * as vscode from 'vscode';
import type { OpenUrlRequest } from '../lsp_ext';
import { cut, visible } from './plain';

/** Whether the page was opened. */
export async function openLogin({ server, url, redirect }: OpenUrlRequest): Promise<boolean> {
  const page = new URL(url);
  if (page.protocol !== 'https:' && page.protocol !== 'http:') {
    throw new Error(vscode.l10n.t('the page is no web page'));
  }
  await reachable(redirect);
  // As text, which the editor hands on as it is: a `Uri` would be decoded and encoded anew, and so be another address.
  const opened = await vscode.env.openExternal(url as unknown as vscode.Uri);
  if (opened) {
    const name = cut(visible(server), 60).text;
    vscode.window.setStatusBarMessage(vscode.l10n.t('TTA: log in to “{0}” in the browser', name), 20_000);
  }
  return opened;
}

/** The daemon listens on its own machine: where that is another one than the browser's, the editor forwards the port. */
async function reachable(redirect: string): Promise<void> {
  if (vscode.env.remoteName === undefined) {
    return;
  }
  const here = await vscode.env.asExternalUri(vscode.Uri.parse(new URL(redirect).origin));
  const port = new URL(redirect).port;
  if (new URL(here.toString(true)).port !== port) {
    throw new Error(vscode.l10n.t('port {0} of this machine is taken, to which the login would come back', port));
  }
}
