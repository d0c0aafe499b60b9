/**
 * The client's trace without secrets: what `tta/secret/*` and `tta/openUrl` say, the editor's tools with their addresses, and the token of
 * the tool set's address,
 * never reach the log, whatever its level. Leaves every other message as it is.
 */

import type { LogOutputChannel } from 'vscode';

/** Messages whose content is left out, as the trace names them. */
const SECRET = /'(tta\/secret\/(get|set)|tta\/openUrl|tta\/editorTools\/list|initialize) - \(/;
/** In the trace's JSON form an answer does not name what it answers, so that all of them lose their content. */
const JSON_ANSWER = /^\{"isLSPMessage":true,"type":"(send|receive)-response"/;
const JSON_SECRET = /^\{"isLSPMessage":true,.*"method":"tta\/(secret\/|openUrl)/;

/** One traced message as it may be logged. Pure. */
export function redacted(message: string): string {
  if (JSON_ANSWER.test(message)) {
    return '{"isLSPMessage":true,"left_out":"an answer"}';
  }
  if (JSON_SECRET.test(message)) {
    return '{"isLSPMessage":true,"left_out":"a request"}';
  }
  const end = message.indexOf('\n');
  const head = end < 0 ? message : message.slice(0, end);
  return end >= 0 && SECRET.test(head) ? `${head}\n(left out)` : message;
}

/** The channel `log` for traces. */
export function withoutSecrets(log: LogOutputChannel): LogOutputChannel {
  const trace = (message: string): void => {
    log.trace(redacted(message));
  };
  return Object.create(log, { trace: { value: trace } }) as LogOutputChannel;
}
