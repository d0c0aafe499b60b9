/**
 * The requests and notifications between editor and daemon. Their types come from the daemon: see lsp_ext.ts. Names no
 * library, so that what only speaks of a request does not load the language client.
 */

import type {
  Approval,
  ApprovalReply,
  ApprovalRequest,
  CallReply,
  CallRequest,
  CallRow,
  Check,
  EditorTool,
  EditorToolCall,
  EditorToolReply,
  ElicitReply,
  ElicitRequest,
  ExplainRequest,
  Explanation,
  ImportReply,
  ImportRequest,
  InputRequest,
  KeptRequest,
  LiveRun,
  OpenUrlRequest,
  ReportRequest,
  RenderRequest,
  RunDetail,
  RunEvent,
  RunId,
  RunReply,
  RunRequest,
  RunSummary,
  SampleReply,
  SampleRequest,
  SavingsReport,
  SavingsSummary,
  SearchReply,
  SearchRequest,
  ServerStatus,
  TokenReport,
  ToolInfo,
} from './lsp_ext';

/** A request by its name; `P` is what is asked, `R` what is answered. */
export class RequestType<P, R> {
  declare readonly types: [P, R];
  constructor(readonly method: string) {}
}

/**
 * A notification by its name. JSON-RPC knows a list of parameters from one parameter that is a list by nothing but the
 * other side's intention, which is said here.
 */
export class NotificationType<P> {
  declare readonly types: [P];
  constructor(
    readonly method: string,
    readonly isList = false,
  ) {}
}

/** When a call is asked about before it is made. */
export type AskCalls = 'never' | 'destructive' | 'writes' | 'always';

/** What the daemon is told at its start. */
export interface InitializationOptions {
  readonly workspace?: string;
  readonly trusted: boolean;
  readonly dataDir?: string;
  readonly timeoutMs?: number;
  readonly memoryMb?: number;
  readonly askCalls: AskCalls;
  /** Servers of a workspace ask before their first start, though the workspace is trusted. */
  readonly askServers: boolean;
  /** This client answers the requests `tta/approve`, `tta/elicit`, `tta/sample`, `tta/editorTools/*`, `tta/secret/*` and `tta/openUrl`. */
  readonly editor: boolean;
  /** The workspace's folders but the first. */
  readonly folders: readonly string[];
}

/** With `wait_receipt` the reply comes when the ledger has counted the run; `uri` is the document that was run. */
export const run = new RequestType<RunRequest & { wait_receipt?: boolean; uri?: string }, RunReply>('tta/run');
/** What a run was, in full; null where it was another daemon's or is too old. */
export const runDetail = new RequestType<{ run_id: RunId }, RunDetail | null>('tta/run/get');
/** False where the run had ended already. */
export const stopRun = new RequestType<{ run_id: RunId }, boolean>('tta/stopRun');
export const searchTools = new RequestType<SearchRequest, SearchReply>('tta/searchTools');
export const call = new RequestType<CallRequest, CallReply>('tta/call');
/** With `list` the servers that were never asked for their tools are asked first. */
export const servers = new RequestType<{ list?: boolean }, ServerStatus[]>('tta/servers');
export const restartServer = new RequestType<{ server: string }, ServerStatus[]>('tta/restartServer');
export const stopServer = new RequestType<{ server: string }, ServerStatus[]>('tta/stopServer');
/** Has the person log in to a remote server, whatever an earlier login left. */
export const loginServer = new RequestType<{ server: string }, ServerStatus[]>('tta/loginServer');
/** Forgets a login and stops the server; false where there was none. */
export const logoutServer = new RequestType<{ server: string }, boolean>('tta/logoutServer');
/** Takes servers over from other tools' files, or with `dry_run` says what that would be. */
export const importServers = new RequestType<Partial<ImportRequest>, ImportReply>('tta/importServers');
/** What the server wrote to stderr, the newest last. */
export const serverLog = new RequestType<{ server: string }, string>('tta/serverLog');
/** A server that was never asked for its tools is asked first. */
export const serverTools = new RequestType<{ server: string }, ToolInfo[]>('tta/serverTools');
export const doctor = new RequestType<Record<string, never>, Check[]>('tta/doctor');
/** What a period cost and saved. */
export const report = new RequestType<ReportRequest, SavingsReport>('tta/report');
/** A run's calls as the ledger has them, in the order in which they were made. */
export const runCalls = new RequestType<{ run_id: RunId }, CallRow[]>('tta/run/calls');
export const savings = new RequestType<Record<string, never>, SavingsSummary>('tta/savings');
export const runs = new RequestType<{ limit: number }, RunSummary[]>('tta/runs');
/** A report as a text or a file. */
export const renderReport = new RequestType<Partial<RenderRequest>, string>('tta/report/render');
/** How a run's figures came about; of the newest run where none is named. */
export const explain = new RequestType<ExplainRequest, Explanation>('tta/explain');
/** Newest first. */
export const liveRuns = new RequestType<Record<string, never>, LiveRun[]>('tta/runs/live');
export const receipt = new RequestType<{ run_id: RunId }, { tokens: TokenReport; result_tokens: number[] }>(
  'tta/receipt',
);

export const savingsChanged = new NotificationType<SavingsSummary>('tta/savingsChanged');
export const serversChanged = new NotificationType<ServerStatus[]>('tta/serversChanged', true);
export const runEvent = new NotificationType<RunEvent>('tta/runEvent');

/** What was approved before and is remembered. */
export const approvals = new RequestType<Record<string, never>, Approval[]>('tta/approvals');
/** Forgets one approval, or all of them; answers with what is left. */
export const forgetApproval = new RequestType<{ id?: string }, Approval[]>('tta/approvals/forget');

/** The daemon asks these of the editor. */
export const approve = new RequestType<ApprovalRequest, ApprovalReply>('tta/approve');
/** A server asks the person, or the editor's model, in the middle of a call. */
export const elicit = new RequestType<ElicitRequest, ElicitReply>('tta/elicit');
export const sample = new RequestType<SampleRequest, SampleReply>('tta/sample');
export const secret = new RequestType<InputRequest | KeptRequest, { value?: string }>('tta/secret/get');
/** Without a value what is kept is forgotten. */
export const keepSecret = new RequestType<KeptRequest & { value?: string | null }, null>('tta/secret/set');
/** False where the person did not want it opened. */
export const openUrl = new RequestType<OpenUrlRequest, boolean>('tta/openUrl');
export const editorTools = new RequestType<Record<string, never>, EditorTool[]>('tta/editorTools/list');
export const callEditorTool = new RequestType<EditorToolCall, EditorToolReply>('tta/editorTools/call');

/** The editor's tools are others than they were. */
export const editorToolsChanged = new NotificationType<Record<string, never>>('tta/editorTools/changed');
