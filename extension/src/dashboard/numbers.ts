/** Numbers and times as people of a locale read them. Pure; the words around them belong to the callers. */

const HOUR_MS = 3_600_000;

/** Writes numbers in one locale. Each format is made when it is first needed, which takes longer than to use it often. */
export class Numbers {
  private readonly zone: { readonly timeZone?: string };
  private readonly numbers = new Map<string, Intl.NumberFormat>();
  private readonly dates = new Map<string, Intl.DateTimeFormat>();

  constructor(
    readonly locale: string | undefined,
    timeZone?: string,
  ) {
    this.zone = timeZone === undefined ? {} : { timeZone };
  }

  /** 41,234 */
  whole(count: number): string {
    return this.number(count, { maximumFractionDigits: 0 });
  }

  /** +41,234: with its sign, whichever. */
  signed(count: number): string {
    return count > 0 ? `+${this.whole(count)}` : this.whole(count);
  }

  /** 41.2K, for axes. */
  compact(count: number): string {
    return this.number(count, { notation: 'compact', maximumFractionDigits: 1 });
  }

  /** 87 %, 96.4 %: never rounds a loss, or less than everything, away. */
  percent(value: number): string {
    const size = Math.abs(value);
    const digits = size < 10 || (size > 95 && size < 100) ? 1 : 0;
    const unit = 10 ** digits;
    const shown = (Math.floor(size * unit) / unit) * Math.sign(value);
    return this.number(shown / 100, { style: 'percent', maximumFractionDigits: digits });
  }

  /** US dollars; small amounts keep two digits that say something. */
  dollars(value: number): string {
    const size = Math.abs(value);
    const digits = size === 0 || size >= 0.1 ? 2 : Math.min(8, Math.ceil(-Math.log10(size)) + 1);
    const format = { style: 'currency', currency: 'USD', minimumFractionDigits: 2 } as const;
    return this.number(value, { ...format, maximumFractionDigits: digits });
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

  /** 4.2: no more digits than say something. */
  decimal(value: number): string {
    return this.number(value, { maximumFractionDigits: 1 });
  }

  /** The moment, to the minute. */
  moment(atMs: number): string {
    return this.date(atMs, { dateStyle: 'medium', timeStyle: 'short', ...this.zone });
  }

  /** The time of day, to the second. */
  clock(atMs: number): string {
    return this.date(atMs, { timeStyle: 'medium', ...this.zone });
  }

  /** A step of a series: a day, here or in UTC, or the hour that it begins with. */
  step(atMs: number, { stepMs, utc }: { readonly stepMs: number; readonly utc: boolean }): string {
    return stepMs <= HOUR_MS ? this.moment(atMs) : this.date(atMs, { dateStyle: 'medium', ...this.zoneOf(utc) });
  }

  /** 3 Nov, for axes. */
  day(atMs: number, utc: boolean): string {
    return this.date(atMs, { day: 'numeric', month: 'short', ...this.zoneOf(utc) });
  }

  /** 14:00, for axes. */
  hour(atMs: number): string {
    return this.date(atMs, { hour: 'numeric', minute: '2-digit', ...this.zone });
  }

  private zoneOf(utc: boolean): { readonly timeZone?: string } {
    return utc ? { timeZone: 'UTC' } : this.zone;
  }

  private unit(value: number, unit: string, digits: number): string {
    return this.number(value, { style: 'unit', unit, unitDisplay: 'short', maximumFractionDigits: digits });
  }

  private number(value: number, options: Intl.NumberFormatOptions): string {
    const format = kept(this.numbers, options, () => new Intl.NumberFormat(this.locale, options));
    return format.format(value).replace('-', '−');
  }

  private date(atMs: number, options: Intl.DateTimeFormatOptions): string {
    return kept(this.dates, options, () => new Intl.DateTimeFormat(this.locale, options)).format(atMs);
  }
}

function kept<T>(formats: Map<string, T>, options: object, make: () => T): T {
  const key = JSON.stringify(options);
  const format = formats.get(key) ?? make();
  formats.set(key, format);
  return format;
}
