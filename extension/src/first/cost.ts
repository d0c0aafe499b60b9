/** What a stretch of the activation costs the thread it runs on. Pure but for the clocks it reads. */

/** Milliseconds on the clock, and those that the thread had the processor for; undefined where Node does not tell. */
export interface Cost {
  readonly wallMs: number;
  readonly cpuMs: number | undefined;
}

/** A point in both times; the bundle's first line writes one as well (build.mjs). */
export interface Clocks {
  readonly wall: number;
  /** Microseconds. */
  readonly cpu: { readonly user: number; readonly system: number } | undefined;
}

/** Node 22.19 and later know a thread's own time. */
type Knowing = typeof process & { threadCpuUsage?: () => NonNullable<Clocks['cpu']> };

export function clocks(): Clocks {
  return { wall: performance.now(), cpu: (process as Knowing).threadCpuUsage?.() };
}

export function costSince(start: Clocks): Cost {
  const now = clocks();
  const cpuMs = now.cpu && start.cpu && (now.cpu.user + now.cpu.system - start.cpu.user - start.cpu.system) / 1_000;
  return { wallMs: now.wall - start.wall, cpuMs };
}

export function sum(one: Cost, other: Cost): Cost {
  const known = one.cpuMs !== undefined && other.cpuMs !== undefined;
  return { wallMs: one.wallMs + other.wallMs, cpuMs: known ? one.cpuMs + other.cpuMs : undefined };
}
