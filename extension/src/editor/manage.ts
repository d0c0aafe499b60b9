/** Manage Approvals: what was allowed and is remembered; a button forgets one, another one all. */

import * as vscode from 'vscode';
import type { Ctx } from '../ctx';
import type { Approval } from '../lsp_ext';
import * as wire from '../wire';
import { forPick } from './plain';

interface Item extends vscode.QuickPickItem {
  readonly approval: Approval;
}

/** Shows the approvals of this workspace until the list is closed. */
export async function manageApprovals(ctx: Ctx): Promise<void> {
  const pick = vscode.window.createQuickPick<Item>();
  const forgetAll = { iconPath: new vscode.ThemeIcon('clear-all'), tooltip: vscode.l10n.t('Forget all') };
  pick.title = vscode.l10n.t('Approvals that are remembered');
  pick.matchOnDetail = true;
  const load = async (ask: Promise<Approval[]>): Promise<void> => {
    pick.busy = true;
    try {
      const approvals = await ask;
      pick.items = approvals.map(item);
      pick.buttons = approvals.length === 0 ? [] : [forgetAll];
      pick.placeholder =
        approvals.length === 0
          ? vscode.l10n.t('Nothing is approved beforehand.')
          : vscode.l10n.t('Choose an approval to forget it');
    } catch (error) {
      pick.placeholder = error instanceof Error ? error.message : String(error);
    } finally {
      pick.busy = false;
    }
  };
  const forget = (id?: string): void => {
    void load(ctx.request(wire.forgetApproval, id === undefined ? {} : { id }));
  };
  pick.onDidAccept(() => {
    const [chosen] = pick.selectedItems;
    if (chosen) {
      forget(chosen.approval.id);
    }
  });
  pick.onDidTriggerItemButton(({ item: { approval } }) => {
    forget(approval.id);
  });
  pick.onDidTriggerButton(() => {
    forget();
  });
  pick.onDidHide(() => {
    pick.dispose();
  });
  pick.show();
  await load(ctx.request(wire.approvals, {}));
}

function item(approval: Approval): Item {
  const [icon, what] =
    approval.tool === undefined
      ? ['server-process', approval.server]
      : ['tools', `${approval.server}.${approval.tool}`];
  return {
    label: `$(${icon}) ${forPick(what, 120)}`,
    description: new Date(approval.at_ms).toLocaleString(vscode.env.language),
    detail: forPick(approval.label, 300),
    buttons: [{ iconPath: new vscode.ThemeIcon('trash'), tooltip: vscode.l10n.t('Forget') }],
    approval,
  };
}
