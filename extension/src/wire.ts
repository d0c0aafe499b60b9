/** The requests and notifications between editor and daemon. Their types come from the daemon: see lsp_ext.ts. */

import { NotificationType, RequestType } from 'vscode-languageclient/node';
import type {
  CallReply,
  CallRequest,
  Check,
  RunDetail,
  RunEvent,
  RunId,
  RunReply,
  RunRequest,
  RunSummary,
  SavingsSummary,
  SearchReply,
  SearchRequest,
  ServerStatus,
  TokenReport,
  ToolInfo,
} from './lsp_ext';

/** What the daemon is told at its start. */
export interface InitializationOptions {
  readonly workspace?: string;
  readonly trusted: boolean;
  readonly dataDir?: string;
  readonly timeoutMs?: number;
  readonly memoryMb?: number;
}

/** With `wait_receipt` the reply comes when the ledger has counted the run; `uri` is the document that was run. */
export const run = new RequestType<RunRequest & { wait_receipt?: boolean; uri?: string }, RunReply, void>('tta/run');
/** What a run was, in full; null where it was another daemon's or is too old. */
export const runDetail = new RequestType<{ run_id: RunId }, RunDetail | null, void>('tta/run/get');
/** False where the run had ended already. */
export const stopRun = new RequestType<{ run_id: RunId }, boolean, void>('tta/stopRun');
export const searchTools = new RequestType<SearchRequest, SearchReply, void>('tta/searchTools');
export const call = new RequestType<CallRequest, CallReply, void>('tta/call');
/** With `list` the servers that were never asked for their tools are asked first. */
export const servers = new RequestType<{ list?: boolean }, ServerStatus[], void>('tta/servers');
export const restartServer = new RequestType<{ server: string }, ServerStatus[], void>('tta/restartServer');
export const stopServer = new RequestType<{ server: string }, ServerStatus[], void>('tta/stopServer');
/** What the server wrote to stderr, the newest last. */
export const serverLog = new RequestType<{ server: string }, string, void>('tta/serverLog');
/** A server that was never asked for its tools is asked first. */
export const serverTools = new RequestType<{ server: string }, ToolInfo[], void>('tta/serverTools');
export const doctor = new RequestType<Record<string, never>, Check[], void>('tta/doctor');
export const savings = new RequestType<Record<string, never>, SavingsSummary, void>('tta/savings');
export const runs = new RequestType<{ limit: number }, RunSummary[], void>('tta/runs');
export const receipt = new RequestType<{ run_id: RunId }, { tokens: TokenReport; result_tokens: number[] }, void>(
  'tta/receipt',
);

export const savingsChanged = new NotificationType<SavingsSummary>('tta/savingsChanged');
export const serversChanged = new NotificationType<ServerStatus[]>('tta/serversChanged');
export const runEvent = new NotificationType<RunEvent>('tta/runEvent');
