/**
 * What the page knows: the view, the report for it, the calls of the run that is open, and whether all that is fresh. Asks
 * its home when the view changes and when something was counted, one question at a time; an answer to an older view is
 * dropped. Draws nothing.
 */

import type { CallRow, Explanation, SavingsReport } from '../lsp_ext';
import { Refused, type Home } from './home';
import { fromFragment, toFragment, toRequest, type View } from './view';

/** The shortest time between two looks that nobody asked for. */
const PAUSE_MS = 1_000;

/** A failure, in words; `locked` where the page's key was refused. */
export interface Failure {
  readonly message: string;
  readonly locked: boolean;
}

/** What is drawn. */
export interface State {
  readonly view: View;
  readonly report: SavingsReport | undefined;
  readonly calls: readonly CallRow[] | undefined;
  readonly callsFailure: Failure | undefined;
  /** How the open run's figures came about, where somebody can say. */
  readonly explained: Explanation | undefined;
  readonly failure: Failure | undefined;
  /** A question is under way that the person asked. */
  readonly busy: boolean;
  readonly connected: boolean;
  /** When the report was had, by this machine's clock. */
  readonly freshMs: number;
}

export class Store {
  private state: State;
  private drawn: (state: State) => void = () => undefined;
  private asked = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private looking = false;
  private again = false;

  constructor(
    readonly home: Home,
    private readonly now: () => number = Date.now,
  ) {
    const view = fromFragment(home.address.fragment());
    const none = { report: undefined, calls: undefined, callsFailure: undefined, explained: undefined };
    this.state = { ...none, view, failure: undefined, busy: true, connected: true, freshMs: 0 };
  }

  /** Asks for the first time, until it is answered; that may be before anybody draws it. */
  ask(): Promise<void> {
    return this.look();
  }

  /** Begins to follow; `draw` is told of this state and every later one. */
  start(draw: (state: State) => void): void {
    this.drawn = draw;
    draw(this.state);
    this.home.address.onMoved(() => {
      this.show(fromFragment(this.home.address.fragment()));
    });
    this.home.follow({
      changed: () => {
        this.soon();
      },
      connected: (yes) => {
        // After a pause without a daemon everything may be different.
        if (yes && !this.state.connected) {
          this.soon();
        }
        this.set({ connected: yes });
      },
    });
  }

  /** Another view. A `step` is one that the person can take back. */
  go(changes: Partial<View>, how: 'step' | 'replace'): void {
    const view = { ...this.state.view, ...changes };
    this.home.address.go(toFragment(view), how);
    this.show(view);
  }

  /** Asks again, because the person wants it. */
  retry(): void {
    this.show(this.state.view);
  }

  private show(view: View): void {
    const { run } = this.state.view;
    const other = view.run !== run ? { calls: undefined, callsFailure: undefined, explained: undefined } : {};
    this.set({ view, busy: true, ...other });
    void this.look();
  }

  /** A look that nobody waits for: many events are one reason. */
  private soon(): void {
    if (this.looking) {
      this.again = true;
      return;
    }
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      void this.look();
    }, PAUSE_MS);
  }

  private async look(): Promise<void> {
    this.asked += 1;
    const asked = this.asked;
    this.looking = true;
    const { view } = this.state;
    const [report, calls, explained] = await Promise.all([
      settled(this.home.report(toRequest(view, this.now()))),
      view.run === undefined ? undefined : settled(this.home.calls(view.run)),
      view.run === undefined ? undefined : this.home.explain?.(view.run, view.model).catch(() => undefined),
    ]);
    if (asked !== this.asked) {
      return;
    }
    this.looking = false;
    this.set({
      busy: false,
      explained,
      ...('value' in report
        ? { report: report.value, failure: undefined, freshMs: this.now() }
        : { failure: report.failure }),
      ...(calls === undefined
        ? { calls: undefined, callsFailure: undefined }
        : 'value' in calls
          ? { calls: calls.value, callsFailure: undefined }
          : { callsFailure: calls.failure }),
    });
    if (this.again) {
      this.again = false;
      this.soon();
    }
  }

  private set(changes: Partial<State>): void {
    this.state = { ...this.state, ...changes };
    this.drawn(this.state);
  }
}

async function settled<T>(answer: Promise<T>): Promise<{ readonly value: T } | { readonly failure: Failure }> {
  try {
    return { value: await answer };
  } catch (error) {
    return { failure: { message: messageOf(error), locked: error instanceof Refused && error.status === 401 } };
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
