/** A {@link Row} as the editor's own item. */

import * as vscode from 'vscode';
import type { Row } from './row';

/** The editor's item for `row`, which stands for `node`. */
export function treeItem(row: Row, node: unknown): vscode.TreeItem {
  const { None, Collapsed, Expanded } = vscode.TreeItemCollapsibleState;
  const state = row.children === undefined ? None : row.children === 'open' ? Expanded : Collapsed;
  const item = new vscode.TreeItem(row.label, state);
  item.id = row.id;
  item.accessibilityInformation = { label: row.description ? `${row.label}, ${row.description}` : row.label };
  if (row.description !== undefined) {
    item.description = row.description;
  }
  if (row.icon) {
    const [name, color] = row.icon;
    item.iconPath = new vscode.ThemeIcon(name, color === undefined ? undefined : new vscode.ThemeColor(color));
  }
  if (row.tooltip !== undefined) {
    item.tooltip = new vscode.MarkdownString(row.tooltip);
  }
  if (row.context !== undefined) {
    item.contextValue = row.context;
  }
  if (row.command !== undefined) {
    item.command = { command: row.command, title: row.label, arguments: [node] };
  }
  return item;
}
