/** The requests and notifications between editor and daemon. Their types come from the daemon: see lsp_ext.ts. */

import { NotificationType, RequestType } from 'vscode-languageclient/node';
import type {
  CallReply,
  CallRequest,
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
} from './lsp_ext';

/** What the daemon is told at its start. */
export interface InitializationOptions {
  readonly workspace?: string;
  readonly trusted: boolean;
  readonly dataDir?: string;
  readonly timeoutMs?: number;
  readonly memoryMb?: number;
}

/** With `wait_receipt` the reply comes when the ledger has counted the run. */
export const run = new RequestType<RunRequest & { wait_receipt?: boolean }, RunReply, void>('tta/run');
export const searchTools = new RequestType<SearchRequest, SearchReply, void>('tta/searchTools');
export const call = new RequestType<CallRequest, CallReply, void>('tta/call');
/** With `list` the servers that were never asked for their tools are asked first. */
export const servers = new RequestType<{ list?: boolean }, ServerStatus[], void>('tta/servers');
export const restartServer = new RequestType<{ server: string }, ServerStatus[], void>('tta/restartServer');
export const savings = new RequestType<Record<string, never>, SavingsSummary, void>('tta/savings');
export const runs = new RequestType<{ limit: number }, RunSummary[], void>('tta/runs');
export const receipt = new RequestType<{ run_id: RunId }, { tokens: TokenReport; result_tokens: number[] }, void>(
  'tta/receipt',
);

export const savingsChanged = new NotificationType<SavingsSummary>('tta/savingsChanged');
export const serversChanged = new NotificationType<ServerStatus[]>('tta/serversChanged');
export const runEvent = new NotificationType<RunEvent>('tta/runEvent');
