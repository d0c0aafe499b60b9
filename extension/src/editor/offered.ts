/**
 * Which of the editor's tools are offered to programs, and what their answers are in the words of the wire. Ours are left
 * out, so that no program runs another through the editor. Pure.
 */

import type { LanguageModelToolInformation } from 'vscode';
import type { EditorContent, EditorTool } from '../lsp_ext';

/** The name of the tool set, which is its server's label; and how a host names its tools. */
const OURS = /^tta-mcp-code-execution(\/|$)/;
const OUR_NAMES = /^(mcp_)?tta_/;
/** An editor with more tools than these offers the first ones. */
const MOST_TOOLS = 1_000;
/** The most that one answer may hold. */
const MOST_BYTES = 8 << 20;

/** The editor knows more than it declares: an MCP tool's `<server's label>/<tool>`. */
type Known = LanguageModelToolInformation & { readonly fullReferenceName?: unknown };

/** The tools of other servers and extensions; `addresses` are those of the editor's gateway, by a server's name. */
export function offered(
  tools: readonly LanguageModelToolInformation[],
  addresses?: ReadonlyMap<string, string>,
): EditorTool[] {
  return tools
    .filter((tool) => !isOurs(tool))
    .slice(0, MOST_TOOLS)
    .map((tool) => ({
      name: tool.name,
      ...origin(tool, addresses),
      ...(tool.description === '' ? {} : { description: tool.description }),
      ...(isRecord(tool.inputSchema) ? { input_schema: tool.inputSchema } : {}),
    }));
}

/** Changes when a tool comes, goes or is described otherwise; cheap enough to be asked often. */
export function fingerprint(tools: readonly LanguageModelToolInformation[]): string {
  return tools.map(({ name, description }) => `${name}:${description.length}`).join();
}

/** The answer's blocks. Fails where they are more than a program should be handed. */
export function contentOf(parts: readonly unknown[]): EditorContent[] {
  let bytes = 0;
  return parts.flatMap((part) => {
    const block = blockOf(part);
    bytes += block === undefined ? 0 : (block.type === 'text' ? block.text : block.data).length;
    if (bytes > MOST_BYTES) {
      throw new Error(`The tool answered with more than ${MOST_BYTES >> 20} MiB.`);
    }
    return block === undefined ? [] : [block];
  });
}

/** Whether a server's label is our own. */
export function isOurLabel(label: string): boolean {
  return OURS.test(label);
}

/** Whether a tool is of our own tool set. */
export function isOurs(tool: Known): boolean {
  return (
    OUR_NAMES.test(tool.name) || (typeof tool.fullReferenceName === 'string' && isOurLabel(tool.fullReferenceName))
  );
}

function origin(tool: Known, addresses?: ReadonlyMap<string, string>): { server: string; tool: string; url?: string } {
  const prefixed = /^mcp_([^_]+)_(.+)$/s.exec(tool.name);
  if (!prefixed?.[1] || !prefixed[2]) {
    return { server: 'vscode', tool: tool.name };
  }
  const full = typeof tool.fullReferenceName === 'string' ? tool.fullReferenceName : '';
  const slash = full.lastIndexOf('/');
  if (slash <= 0 || slash >= full.length - 1) {
    // A name that may be cut says of no address that it is this server's.
    return { server: prefixed[1], tool: prefixed[2] };
  }
  const server = full.slice(0, slash);
  const url = addresses?.get(server);
  return { server, tool: full.slice(slash + 1), ...(url === undefined ? {} : { url }) };
}

/** Parts are told apart by their shape: which classes there are depends on the editor's version. */
function blockOf(part: unknown): EditorContent | undefined {
  if (!isRecord(part)) {
    return undefined;
  }
  const { value, data, mimeType } = part;
  if (typeof value === 'string') {
    return { type: 'text', text: value };
  }
  if (data instanceof Uint8Array && typeof mimeType === 'string') {
    if (mimeType.startsWith('image/')) {
      return { type: 'image', mime_type: mimeType, data: Buffer.from(data).toString('base64') };
    }
    if (mimeType.startsWith('text/') || /[/+]json$/.test(mimeType)) {
      return { type: 'text', text: Buffer.from(data).toString('utf8') };
    }
    return { type: 'text', text: `[${data.byteLength} bytes of ${mimeType} left out]` };
  }
  return undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
