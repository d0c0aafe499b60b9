/** Commands about the daemon itself. */

import type { Ctx } from '../ctx';

/** Stops the daemon and starts it again. */
export function restartDaemon(ctx: Ctx): Promise<void> {
  return ctx.restart();
}

/** Shows what the daemon and the extension wrote to the log. */
export function openLog(ctx: Ctx): void {
  ctx.log.show();
}
