/** Reports with round figures. */

import type { RunReply, SavingsSummary, ServerStatus, SideTokens, TokenReport, ToolInfo } from '../src/lsp_ext';

function side(total: number): SideTokens {
  return {
    definitions: total / 2,
    output: total / 4,
    results: total / 4,
    turns: 2,
    total,
    peak_context: total / 2,
    cacheable: total / 4,
  };
}

/** A program of 100 tokens against 1,000, 2,000 and 500. */
export function report(changes: Partial<TokenReport>): TokenReport {
  return {
    encoding: 'o200k_base',
    code_mode: side(100),
    direct: { deferred: side(1_000), all_servers: side(2_000), needed_servers: side(500) },
    saved: 0,
    labels: { results: 'measured' },
    ...changes,
  };
}

/** Two runs in this workspace, one of them in this session. */
export function savings(changes: Partial<TokenReport>): SavingsSummary {
  const tokens = report(changes);
  return { session: { runs: 1, calls: 3, tokens }, workspace: { runs: 2, calls: 6, tokens }, running: 0, pending: 0 };
}

/** A run that ended well and returned nothing. */
export function reply(changes: Partial<RunReply>): RunReply {
  return {
    run_id: 'r1',
    status: 'ok',
    language: 'python',
    language_guessed: false,
    stdout: '',
    stderr: '',
    calls: [],
    usage: { wall_ms: 41.2, cpu_ms: 3, peak_memory_bytes: 1, output_bytes: 1 },
    truncated: [],
    ...changes,
  };
}

/** A server that is ready, with two tools. */
export function server(changes: Partial<ServerStatus>): ServerStatus {
  return {
    name: 'fs',
    identifier: 'fs',
    source: { file: '/w/.vscode/mcp.json', line: 3, scope: 'workspace' },
    transport: 'stdio',
    target: 'node fs.js',
    state: 'ready',
    tools: 2,
    definition_tokens: 1_834,
    problems: [],
    ...changes,
  };
}

/** A tool with these parameters. */
export function tool(name: string, properties: Record<string, unknown>, required: string[] = []): ToolInfo {
  return {
    name,
    identifier: name,
    description: 'Reads.\nMore.',
    input_schema: { type: 'object', properties, required },
    read_only: true,
    destructive: false,
    python: `async def fs.${name}(*, path: str) -> str:\n    """Reads."""`,
    typescript: `function fs.${name}(args: { path: string }): Promise<string> // Reads.`,
  };
}
