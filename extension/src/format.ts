/** Numbers as people read them: tokens, percents, times. Pure; the words around them belong to the callers. */

const MINUS = '−';

/** Tokens: 950, 41.2k, 1.3M, −1.2k. */
export function tokens(count: number): string {
  const size = Math.abs(count);
  const sign = count < 0 ? MINUS : '';
  if (size < 1_000) {
    return `${sign}${size}`;
  }
  // 999,950 and more would round to 1000.0k.
  const [divisor, unit] = size < 999_950 ? [1_000, 'k'] : [1_000_000, 'M'];
  return `${sign}${(size / divisor).toFixed(1)}${unit}`;
}

/** A whole number with its thousands apart: 41,234. */
export function whole(count: number): string {
  return `${count < 0 ? MINUS : ''}${Math.abs(Math.round(count)).toLocaleString('en-US')}`;
}

/** A percentage with a thin look: 87 %, −12 %. Never rounds a loss, or less than everything, away. */
export function percent(value: number): string {
  const rounded =
    Math.abs(value) < 1 && value !== 0 ? Math.abs(value).toFixed(1) : Math.floor(Math.abs(value)).toString();
  return `${value < 0 ? MINUS : ''}${rounded} %`;
}

/** A duration: 0.9 ms, 41 ms, 1.2 s, 3 min. */
export function duration(ms: number): string {
  if (ms < 10) {
    return `${ms.toFixed(1)} ms`;
  }
  if (ms < 1_000) {
    return `${Math.round(ms)} ms`;
  }
  return ms < 120_000 ? `${(ms / 1_000).toFixed(1)} s` : `${Math.round(ms / 60_000)} min`;
}
