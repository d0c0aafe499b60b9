/** Before and after, step by step: the chart, the step under the pointer in words, and the same as a table. */

import * as l10n from '@vscode/l10n';
import type { JSX } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { SavingsReport } from '../lsp_ext';
import { Legend } from './breakdowns';
import { Chart, type Told } from './chart';
import { compared, type Compared } from './figures';
import { Section, Table, Unfold, type Look } from './parts';
import { DAY_MS, endOf, stepsOf, type Steps } from './steps';

/** The whole section. */
export function OverTime({
  report,
  look,
}: {
  readonly report: SavingsReport;
  readonly look: Look;
}): JSX.Element | null {
  const steps = stepsOf(report, look.state.view.baseline);
  const [over, setOver] = useState<number | undefined>(undefined);
  if (steps.atMs.length === 0) {
    return null;
  }
  const open = (index: number): void => {
    const at = steps.atMs[index];
    if (at !== undefined && look.store.home.asks && (steps.runs[index] ?? 0) > 0) {
      look.store.go({ range: 'custom', sinceMs: at, untilMs: endOf(steps, index) }, 'step');
    }
  };
  return (
    <Section title={l10n.t('Over time')} note={<Legend />} wide>
      <Plot steps={steps} look={look} told={{ over: setOver, pressed: open }} />
      <p class="note reading">{over === undefined ? summary(steps, look) : reading(steps, over, look)}</p>
      <Unfold title={l10n.t('As a table')}>
        <StepTable steps={steps} look={look} open={open} />
      </Unfold>
    </Section>
  );
}

function Plot({ steps, look, told }: { readonly steps: Steps; readonly look: Look; readonly told: Told }): JSX.Element {
  const root = useRef<HTMLDivElement>(null);
  const chart = useRef<Chart | undefined>(undefined);
  const latest = useRef(told);
  latest.current = told;
  // In the same frame as the figures around it.
  useLayoutEffect(() => {
    if (root.current === null) {
      return undefined;
    }
    const made = new Chart(root.current, steps, look.numbers, {
      over: (index) => {
        latest.current.over(index);
      },
      pressed: (index) => {
        latest.current.pressed(index);
      },
    });
    chart.current = made;
    return () => {
      made.destroy();
    };
  }, []);
  useEffect(() => {
    chart.current?.show(steps);
  });
  return <div class="plot" ref={root} role="img" aria-label={summary(steps, look)} />;
}

function summary({ atMs, stepMs, direct, program }: Steps, { numbers }: Look): string {
  const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
  const all = compared(sum(direct), sum(program));
  const figures = [atMs.length, all.direct, all.program].map((figure) => numbers.whole(figure));
  return stepMs < DAY_MS
    ? l10n.t('Hours shown: {0}. {1} tokens by direct calls, {2} by programs', ...figures)
    : l10n.t('Days shown: {0}. {1} tokens by direct calls, {2} by programs', ...figures);
}

function reading(steps: Steps, index: number, { numbers }: Look): string {
  const { direct, program, runs } = steps;
  const { saved, ...sides } = compared(direct[index] ?? 0, program[index] ?? 0);
  return l10n.t(
    '{0}: {1} by direct calls, {2} by programs, saved {3} in {4} runs',
    numbers.step(steps.atMs[index] ?? 0, steps),
    numbers.whole(sides.direct),
    numbers.whole(sides.program),
    numbers.whole(saved),
    numbers.whole(runs[index] ?? 0),
  );
}

interface StepRow {
  readonly at: number;
  readonly index: number;
  readonly runs: number;
  readonly sum: Compared;
}

function StepTable(props: {
  readonly steps: Steps;
  readonly look: Look;
  readonly open: (index: number) => void;
}): JSX.Element {
  const { steps, look } = props;
  const { numbers } = look;
  const rows = steps.atMs.flatMap((at, index): StepRow[] => {
    const sum = compared(steps.direct[index] ?? 0, steps.program[index] ?? 0);
    const runs = steps.runs[index] ?? 0;
    return runs === 0 ? [] : [{ at, index, runs, sum }];
  });
  const name = ({ at, index }: StepRow): JSX.Element | string => {
    const text = numbers.step(at, steps);
    return look.store.home.asks ? (
      <button
        type="button"
        class="way"
        title={l10n.t('Show its runs')}
        onClick={() => {
          props.open(index);
        }}
      >
        {text}
      </button>
    ) : (
      text
    );
  };
  return (
    <Table
      caption={l10n.t('Over time')}
      rows={rows}
      keyOf={({ at }) => String(at)}
      columns={[
        { name: l10n.t('Begin'), cell: name },
        { name: l10n.t('Runs'), kind: 'number', cell: ({ runs }) => numbers.whole(runs) },
        { name: l10n.t('Direct calls'), kind: 'number', cell: ({ sum }) => numbers.whole(sum.direct) },
        { name: l10n.t('Programs'), kind: 'number', cell: ({ sum }) => numbers.whole(sum.program) },
        {
          name: l10n.t('Saved'),
          kind: 'number',
          cell: ({ sum }) => <span class={sum.outcome}>{numbers.whole(sum.saved)}</span>,
        },
      ]}
    />
  );
}
