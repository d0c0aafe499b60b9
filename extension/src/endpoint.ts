/** Where the daemon serves the tool set, as it says in its `initialize` result. Pure. */

/** The public name of the tool set, which people type: the label of its MCP server. package.json names it too. */
export const TOOL_SET = 'tta-mcp-code-execution';

/** The daemon's MCP front on this machine's loopback. */
export interface McpEndpoint {
  readonly url: string;
  readonly token: string;
  readonly version: string;
}

/** The MCP endpoint in an `initialize` result; undefined where the other side is no daemon of ours. */
export function endpointOf(experimental: unknown): McpEndpoint | undefined {
  const mcp = property(property(experimental, 'tta'), 'mcp');
  const [url, token, version] = ['url', 'token', 'version'].map((key) => property(mcp, key));
  return typeof url === 'string' && typeof token === 'string' && typeof version === 'string'
    ? { url, token, version }
    : undefined;
}

function property(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined;
}
