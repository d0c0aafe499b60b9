/**
 * The tool set `#tta-mcp-code-execution`: one MCP server with that label, the daemon's own loopback front. The label is
 * the name users type, so it is never translated. Told anew whenever the daemon, and with it port and token, changes.
 */

import * as vscode from 'vscode';
import { TOOL_SET, type McpEndpoint } from './endpoint';

/** Offers the daemon's MCP front to the editor. */
export class ToolSetProvider
  implements vscode.McpServerDefinitionProvider<vscode.McpHttpServerDefinition>, vscode.Disposable
{
  private readonly changed = new vscode.EventEmitter<void>();
  private endpoint: McpEndpoint | undefined;

  readonly onDidChangeMcpServerDefinitions = this.changed.event;

  /** Sets where the tool set is served; undefined while it is not. */
  serveAt(endpoint: McpEndpoint | undefined): void {
    if (endpoint?.url !== this.endpoint?.url || endpoint?.token !== this.endpoint?.token) {
      this.endpoint = endpoint;
      this.changed.fire();
    }
  }

  provideMcpServerDefinitions(): vscode.McpHttpServerDefinition[] {
    if (!this.endpoint) {
      return [];
    }
    const { url, token, version } = this.endpoint;
    const headers = { Authorization: `Bearer ${token}` };
    return [new vscode.McpHttpServerDefinition(TOOL_SET, vscode.Uri.parse(url, true), headers, version)];
  }

  dispose(): void {
    this.changed.dispose();
  }
}
