/**
 * Two series over time as bars: direct calls behind, programs before them. Drawn by uPlot on a canvas, in the page's own
 * colours, which are read anew when the theme changes and before the page is printed. What is drawn stands in a table too.
 */

import uPlot from 'uplot';
import type { Numbers } from './numbers';
import { DAY_MS, type Steps } from './steps';

const HEIGHT = 220;
const MINUTE_MS = 60_000;
/** The least width of a bar in pixels: of a year's days, those of one side touch. */
const LEAST = 3;

/** What a chart tells: the step under the pointer, or none; the step that was pressed. */
export interface Told {
  over(index: number | undefined): void;
  pressed(index: number): void;
}

/** One chart in one element, for as long as that is in the page. */
export class Chart {
  private readonly plot: uPlot;
  private readonly observers: { disconnect(): void }[] = [];
  private readonly ended = new AbortController();
  private readonly colours = new Map<string, string>();
  private steps: Steps;

  constructor(
    private readonly root: HTMLElement,
    steps: Steps,
    private readonly numbers: Numbers,
    told: Told,
  ) {
    this.steps = steps;
    this.plot = new uPlot(this.options(told), columns(steps), root);
    const resized = new ResizeObserver(() => {
      this.fit();
    });
    resized.observe(root);
    const themed = new MutationObserver(() => {
      this.redraw();
    });
    themed.observe(document.body, { attributes: true, attributeFilter: ['class'] });
    themed.observe(document.documentElement, { attributes: true, attributeFilter: ['style', 'class'] });
    this.observers.push(resized, themed);
    for (const query of ['(prefers-color-scheme: dark)', '(forced-colors: active)', 'print']) {
      matchMedia(query).addEventListener(
        'change',
        () => {
          this.fit();
          this.redraw();
        },
        { signal: this.ended.signal },
      );
    }
    this.plot.over.addEventListener('click', () => {
      const { idx } = this.plot.cursor;
      if (idx !== null && idx !== undefined) {
        told.pressed(idx);
      }
    });
  }

  /** Other figures in the same chart. */
  show(steps: Steps): void {
    this.steps = steps;
    this.plot.setData(columns(steps));
  }

  destroy(): void {
    this.ended.abort();
    for (const observer of this.observers) {
      observer.disconnect();
    }
    this.plot.destroy();
  }

  private fit(): void {
    const width = Math.max(200, this.root.clientWidth);
    if (width !== this.plot.width) {
      this.plot.setSize({ width, height: HEIGHT });
    }
  }

  private redraw(): void {
    this.colours.clear();
    this.plot.redraw(false, true);
  }

  private options(told: Told): uPlot.Options {
    const colour = (name: string) => () => this.colour(name);
    const bars = (width: number, most: number): uPlot.Series.PathBuilder =>
      uPlot.paths.bars?.({ size: [width, most, LEAST], radius: 0.08 }) ?? (() => null);
    const series = (look: string, width: number, most: number): uPlot.Series => ({
      fill: colour(look),
      stroke: colour(look),
      width: 0,
      paths: bars(width, most),
      points: { show: false },
    });
    const axis = { stroke: colour('--muted'), font: this.font(), ticks: { show: false } };
    const line = { stroke: colour('--line'), width: 1 };
    return {
      width: Math.max(200, this.root.clientWidth),
      height: HEIGHT,
      ms: 1,
      tzDate: (ms) => (this.steps.utc ? asUtc(ms) : new Date(ms)),
      legend: { show: false },
      cursor: {
        y: false,
        points: { show: false },
        drag: { x: false, y: false, setScale: false },
      },
      padding: [8, 12, 0, 0],
      scales: {
        x: { time: true, range: (_, min, max) => this.room(min, max) },
        y: { range: (_, __, max) => [0, Math.max(10, max * 1.08)] },
      },
      axes: [
        { ...axis, grid: { show: false }, values: (_, ticks) => this.ticks(ticks), space: 80 },
        { ...axis, grid: line, size: 56, space: 40, values: (_, ticks) => ticks.map((n) => this.numbers.compact(n)) },
      ],
      series: [{}, series('--direct', 0.72, 46), series('--program', 0.4, 24)],
      hooks: {
        setCursor: [
          ({ cursor: { idx } }) => {
            told.over(idx ?? undefined);
          },
        ],
      },
    };
  }

  /** Half a step on each side, for bars stand in the middle of their steps. */
  private room(min: number, max: number): [number, number] {
    const half = this.steps.stepMs / 2;
    return [min - half, max + half];
  }

  private ticks(ticks: readonly number[]): string[] {
    const { stepMs, utc } = this.steps;
    return ticks.map((ms, index) => {
      const day = this.numbers.day(ms, utc);
      const otherDay = index > 0 && day !== this.numbers.day(ticks[index - 1] ?? ms, utc);
      if (stepMs >= DAY_MS) {
        // Where there are few days, the axis marks hours between them.
        return index === 0 || otherDay ? day : '';
      }
      return otherDay ? day : this.numbers.hour(ms);
    });
  }

  private font(): string {
    const { fontFamily } = getComputedStyle(this.root);
    return `11px ${fontFamily}`;
  }

  /** A colour of the page as a canvas takes it: the browser works out what it is made of. */
  private colour(name: string): string {
    const known = this.colours.get(name);
    if (known !== undefined) {
      return known;
    }
    const probe = document.createElement('span');
    probe.style.color = `var(${name})`;
    this.root.append(probe);
    const { color } = getComputedStyle(probe);
    probe.remove();
    this.colours.set(name, color);
    return color;
  }
}

/** A date whose own day and hour are those of UTC. */
function asUtc(ms: number): Date {
  return new Date(ms + new Date(ms).getTimezoneOffset() * MINUTE_MS);
}

function columns({ atMs, direct, program }: Steps): uPlot.AlignedData {
  return [[...atMs], [...direct], [...program]];
}
