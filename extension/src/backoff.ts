/**
 * When a crashed daemon may start again: at once at first, then after longer and longer pauses, and never a fifth time
 * within three minutes. Knows no daemon and no clock of its own.
 */

const WINDOW_MS = 3 * 60_000;
const MOST_CRASHES = 5;
const FIRST_PAUSE_MS = 250;

/** What to do after a crash: start again after a pause, or leave it. */
export type Verdict = { readonly restartInMs: number } | { readonly giveUp: { crashes: number; withinMs: number } };

/** The crashes of the last three minutes. */
export class CrashLog {
  private crashes: number[] = [];

  constructor(private readonly now: () => number = Date.now) {}

  /** Notes a crash and says what to do about it. */
  crashed(): Verdict {
    const at = this.now();
    this.crashes = [...this.crashes.filter((earlier) => at - earlier < WINDOW_MS), at];
    if (this.crashes.length >= MOST_CRASHES) {
      return { giveUp: { crashes: this.crashes.length, withinMs: at - (this.crashes[0] ?? at) } };
    }
    return { restartInMs: FIRST_PAUSE_MS * 4 ** (this.crashes.length - 1) };
  }

  /** The user wants a new start: old crashes no longer count. */
  forget(): void {
    this.crashes = [];
  }
}
