/**
 * Work that many events ask for and that is done once for all of them: `pauseMs` after the first, never twice at a time,
 * and once more where something came while it was at it.
 */

export class Coalesced {
  private timer: NodeJS.Timeout | undefined;
  private busy = false;
  private again = false;
  private ended = false;

  constructor(
    private readonly work: () => Promise<void> | void,
    private readonly pauseMs = 100,
  ) {}

  /** Asks for the work. */
  request(): void {
    if (this.busy) {
      this.again = true;
    } else if (!this.ended) {
      this.timer ??= setTimeout(() => void this.run(), this.pauseMs);
    }
  }

  dispose(): void {
    this.ended = true;
    clearTimeout(this.timer);
  }

  private async run(): Promise<void> {
    this.timer = undefined;
    this.busy = true;
    try {
      await this.work();
    } finally {
      this.busy = false;
      if (this.again) {
        this.again = false;
        this.request();
      }
    }
  }
}
