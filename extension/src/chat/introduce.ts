/** Makes the tool set known to the editor before the first question. */

import * as vscode from 'vscode';
import { startToolSet, type Daemon } from './ready';

/**
 * Has the editor start the tool set as soon as the daemon is ready, where it has never listed its tools: `#` completes only
 * names that it knows. It remembers them, so that this is done once. Leaves it alone where servers are not to start unasked.
 */
export function introduceToolSet(ctx: Daemon): vscode.Disposable {
  const source = new vscode.CancellationTokenSource();
  const listener = ctx.onDidChangeState(({ kind }) => {
    const chat = vscode.workspace.getConfiguration('chat');
    if (kind === 'ready' && chat.get('mcp.autostart') !== 'never' && chat.get('disableAIFeatures') !== true) {
      void startToolSet(source.token);
    }
  });
  return new vscode.Disposable(() => {
    listener.dispose();
    source.cancel();
  });
}
