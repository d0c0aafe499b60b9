/** Numbers and times as people of a locale read them. Pure; the words around them belong to the callers. */

const HOUR_MS = 3_600_000;

/** Writes numbers in one locale. */
export class Numbers {
  private readonly wholes: Intl.NumberFormat;
  private readonly compacts: Intl.NumberFormat;
  private readonly dates: Intl.DateTimeFormat;
  private readonly days: Intl.DateTimeFormat;
  private readonly utcDays: Intl.DateTimeFormat;
  private readonly clocks: Intl.DateTimeFormat;
  /** Units by name and digits: making a format takes longer than all that a page does with it. */
  private readonly units = new Map<string, Intl.NumberFormat>();

  constructor(
    readonly locale: string | undefined,
    timeZone?: string,
  ) {
    const zone = timeZone === undefined ? {} : { timeZone };
    this.wholes = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
    this.compacts = new Intl.NumberFormat(locale, { notation: 'compact', maximumFractionDigits: 1 });
    this.dates = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short', ...zone });
    this.days = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', ...zone });
    this.utcDays = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeZone: 'UTC' });
    this.clocks = new Intl.DateTimeFormat(locale, { timeStyle: 'medium', ...zone });
  }

  /** 41,234 */
  whole(count: number): string {
    return minus(this.wholes.format(count));
  }

  /** +41,234: with its sign, whichever. */
  signed(count: number): string {
    return count > 0 ? `+${this.whole(count)}` : this.whole(count);
  }

  /** 41.2K, for axes. */
  compact(count: number): string {
    return minus(this.compacts.format(count));
  }

  /** 87 %, 96.4 %: never rounds a loss, or less than everything, away. */
  percent(value: number): string {
    const size = Math.abs(value);
    const digits = size < 10 || (size > 95 && size < 100) ? 1 : 0;
    const unit = 10 ** digits;
    const shown = (Math.floor(size * unit) / unit) * Math.sign(value);
    const format = new Intl.NumberFormat(this.locale, { style: 'percent', maximumFractionDigits: digits });
    return minus(format.format(shown / 100));
  }

  /** US dollars; small amounts keep two digits that say something. */
  dollars(value: number): string {
    const size = Math.abs(value);
    const digits = size === 0 || size >= 0.1 ? 2 : Math.min(8, Math.ceil(-Math.log10(size)) + 1);
    const format = {
      style: 'currency',
      currency: 'USD',
      minimumFractionDigits: 2,
      maximumFractionDigits: digits,
    } as const;
    return minus(new Intl.NumberFormat(this.locale, format).format(value));
  }

  /** 0.9 ms, 41 ms, 1.2 s, 3 min */
  duration(ms: number): string {
    if (ms < 1_000) {
      return this.unit(ms, 'millisecond', ms < 10 ? 1 : 0);
    }
    return ms < 120_000 ? this.unit(ms / 1_000, 'second', 1) : this.unit(ms / 60_000, 'minute', 0);
  }

  /** 950 B, 1.2 MB */
  bytes(count: number): string {
    if (count < 999.5) {
      return `${this.whole(count)} B`;
    }
    const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte'] as const;
    let [size, power] = [count, 0];
    while (size >= 999.5 && power < units.length - 1) {
      [size, power] = [size / 1_000, power + 1];
    }
    return this.unit(size, units[power] ?? 'byte', power > 0 && size < 100 ? 1 : 0);
  }

  /** The moment, to the minute. */
  moment(atMs: number): string {
    return this.dates.format(atMs);
  }

  /** The time of day, to the second. */
  clock(atMs: number): string {
    return this.clocks.format(atMs);
  }

  /** A step of a series: a day, here or in UTC, or the hour that it begins with. */
  step(atMs: number, { stepMs, utc }: { readonly stepMs: number; readonly utc: boolean }): string {
    return stepMs <= HOUR_MS ? this.moment(atMs) : (utc ? this.utcDays : this.days).format(atMs);
  }

  private unit(value: number, unit: string, digits: number): string {
    const key = `${unit} ${digits}`;
    const options = { style: 'unit', unit, unitDisplay: 'short', maximumFractionDigits: digits } as const;
    const format = this.units.get(key) ?? new Intl.NumberFormat(this.locale, options);
    this.units.set(key, format);
    return format.format(value);
  }
}

function minus(text: string): string {
  return text.replace('-', '−');
}
