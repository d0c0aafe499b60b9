// The benchmark's figures as a Markdown table: what was measured, what it is compared with in the same run, the ratio, and
// what the project wants to reach.

const ms = (value) => `${value < 10 ? value.toFixed(2) : value.toFixed(0)} ms`;
const more = (value, unit) => `${value < 0 ? '−' : '+'}${unit(Math.abs(value))}`;
const us = (value) => `${value.toFixed(0)} µs`;
const times = (value) => `${value < 10 ? value.toFixed(1) : value.toFixed(0)}×`;
const both = ({ p50_ms, p99_ms }) => `p50 ${ms(p50_ms)}, p99 ${ms(p99_ms)}`;

/** One row a figure (of a thousand calls, milliseconds in all are microseconds each): [what, figure, compared with, ratio, to reach]. */
export function rows(f) {
  const cpu = (ours, native) =>
    Object.keys(ours)
      .map((kind) => `${kind} ${times(ours[kind] / native[kind])}`)
      .join(', ');
  return [
    [
      'warm `1+1`, Python 3.14',
      both(f.warm_python),
      `\`python3 -c\` ${ms(f.python_start_ms)}`,
      faster(f.python_start_ms, f.warm_python),
      'p50 ≤ 4, p99 ≤ 10 ms; ≥ 10× faster',
    ],
    [
      'warm `1+1`, JavaScript',
      both(f.warm_javascript),
      `\`node -e\` ${ms(f.node_start_ms)}`,
      faster(f.node_start_ms, f.warm_javascript),
      'p50 ≤ 0.5, p99 ≤ 2 ms; ≥ 100× faster',
    ],
    [
      'the same, a fresh pyodide in node',
      '',
      `${ms(f.pyodide_start_ms)}`,
      `Python ${faster(f.pyodide_start_ms, f.warm_python)}`,
      '',
    ],
    [
      'TypeScript, 200 lines to strip',
      both(f.warm_typescript_200_lines),
      `the same as JavaScript ${ms(f.warm_javascript_200_lines.p50_ms)}`,
      more(f.warm_typescript_200_lines.p50_ms - f.warm_javascript_200_lines.p50_ms, ms),
      '≤ 1 ms more',
    ],
    ['30-line program, Python', both(f.thirty_lines_python), '', '', ''],
    ['30-line program, TypeScript', both(f.thirty_lines_typescript), '', '', ''],
    [
      'one tool call in a Python program',
      `${f.sequential_1000_python_ms.toFixed(0)} µs`,
      `bare client ${f.bare_fast_1000_ms.toFixed(0)} µs`,
      more(f.sequential_1000_python_ms - f.bare_fast_1000_ms, us),
      '≤ 80 µs more',
    ],
    [
      'one tool call in a JavaScript program',
      `${f.sequential_1000_javascript_ms.toFixed(0)} µs`,
      `bare client ${f.bare_fast_1000_ms.toFixed(0)} µs`,
      more(f.sequential_1000_javascript_ms - f.bare_fast_1000_ms, us),
      '≤ 80 µs more',
    ],
    [
      '100 calls in a row, real stdio server',
      ms(f.real_100_sequential_ms.best),
      `bare client ${ms(f.bare_real_100_ms)}`,
      more(f.real_100_sequential_ms.best - f.bare_real_100_ms, ms),
      '≤ 10 ms more',
    ],
    [
      '100 parallel calls of 100 ms, Python',
      both(f['parallel_100x100ms_python']),
      'one by one 10,000 ms',
      faster(10_000, f['parallel_100x100ms_python']),
      '≤ 130 ms',
    ],
    [
      '100 parallel calls of 100 ms, JavaScript',
      both(f['parallel_100x100ms_javascript']),
      'one by one 10,000 ms',
      faster(10_000, f['parallel_100x100ms_javascript']),
      '≤ 130 ms',
    ],
    ['1,000 immediate calls gathered, Python', both(f.gather_1000_python), '', '', '≤ 100 ms'],
    ['1,000 immediate calls gathered, JavaScript', both(f.gather_1000_javascript), '', '', ''],
    [
      'two CPU-bound programs at once',
      `${f.cpu_two_over_one.toFixed(2)}× the time of one`,
      'one program',
      '',
      '≤ 1.1×',
    ],
    [
      'CPU-bound Python',
      Object.entries(f.cpu_python)
        .map(([k, v]) => `${k} ${v}`)
        .join(', ') + ' ms',
      '`python3`',
      `slower: ${cpu(f.cpu_python, f.native_python)}`,
      '',
    ],
    [
      'CPU-bound JavaScript',
      Object.entries(f.cpu_javascript)
        .map(([k, v]) => `${k} ${v}`)
        .join(', ') + ' ms',
      '`node --jitless`',
      `slower: ${cpu(f.cpu_javascript, f.native_node)}`,
      '',
    ],
    ['throughput, 2 submitters, Python', `${f.throughput_python.toFixed(0)} runs/s`, '', '', '≥ 250 runs/s'],
    ['throughput, 2 submitters, JavaScript', `${f.throughput_javascript.toFixed(0)} runs/s`, '', '', '≥ 4,000 runs/s'],
    [
      'memory per live run, Python',
      mib(f.live_python_mib),
      `with 50 live: ${mib(f.live_python_mib_with_50)}`,
      '',
      '≤ 19.5 MiB',
    ],
    [
      'memory per live run, JavaScript',
      mib(f.live_javascript_mib),
      `with 50 live: ${mib(f.live_javascript_mib_with_50)}`,
      '',
      '≤ 0.65 MiB',
    ],
    [
      'daemon idle, nothing run yet',
      mib(f.rss_before_any_run_mib),
      `after a run of each language: ${mib(f.rss_idle_after_a_run_mib)}`,
      '',
      '≤ 60 MiB',
    ],
    ['exec of the daemon to its first Python reply', ms(f.first_reply_ms), '', '', '≤ 150 ms'],
    [
      '50 servers listed from cold',
      ms(f.cold_50_servers_ms),
      `the slowest of them alone ${ms(f.cold_slowest_alone_ms)}`,
      `${(f.cold_50_servers_ms / f.cold_slowest_alone_ms).toFixed(2)}×`,
      '≤ 1.1×',
    ],
    ['search over 10,000 tools', both(f.search_10000_tools), '', '', 'p99 ≤ 5 ms'],
    ['ledger, handing in a run of one call', ledger(f.ledger.busy), '', '', '≤ 20 µs'],
    ['the same after a pause: it wakes the ledger', ledger(f.ledger.rested), '', '', ''],
    [
      'a call handed in, at 1,000 calls/s',
      `${f.ledger_load.record_us_per_call.toFixed(1)} µs`,
      `one tool call ${f.sequential_1000_javascript_ms.toFixed(0)} µs`,
      `+${((100 * f.ledger_load.record_us_per_call) / f.sequential_1000_javascript_ms).toFixed(1)} %`,
      '≤ 1 % more',
    ],
    [
      'counting 1,000 calls/s, runs of ten',
      `${f.ledger_load.cpu_percent_runs_of_ten.toFixed(1)} % of a core`,
      `runs of one call: ${f.ledger_load.cpu_percent_runs_of_one.toFixed(1)} %`,
      '',
      '≤ 5 %',
    ],
    [
      'results taken in and counted',
      `${f.ledger_load.flood_mb_per_s.toFixed(0)} MB/s, ${f.ledger_load.flood_counted_percent.toFixed(0)} % counted`,
      `estimated, each marked: ${f.ledger_load.flood_estimated_percent.toFixed(0)} %; lost: ${f.ledger_load.flood_dropped}`,
      `${f.ledger_load.counting_mb_per_s.toFixed(0)} MB/s of a core`,
      '100 MB/s, none lost',
    ],
    [
      'the slowest report over a million calls',
      ms(f.ledger_million.slowest_report_ms),
      `first time ${ms(f.ledger_million.slowest_first_report_ms)}`,
      '',
      '≤ 100 ms',
    ],
    ['the slowest other question to it', ms(f.ledger_million.slowest_other_ms), '', '', '≤ 100 ms'],
    ['opening that ledger', ms(f.ledger_million.open_ms), '', '', ''],
    ...dashboard(f.dashboard),
  ];
}

/** Opening the dashboard over a million calls; nothing where no browser is installed. */
function dashboard(figures) {
  if (figures === undefined) return [];
  const both = ({ p50_ms, slowest_ms }) => `p50 ${ms(p50_ms)}, slowest of 7 ${ms(slowest_ms)}`;
  return [
    ['the dashboard over it in Chromium, from navigation to drawn, 7 days', both(figures.week), '', '', '≤ 300 ms'],
    ['the same, all time', both(figures.all), '', '', '≤ 300 ms'],
  ];
}

/** The rows as Markdown. */
export function table(all) {
  const head = ['what', 'measured', 'compared with, same run', 'ratio', 'to reach'];
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...all.map(line)].join('\n');
}

function faster(other, { p50_ms }) {
  return `${times(other / p50_ms)} faster`;
}

function mib(value) {
  return `${value < 10 ? value.toFixed(2) : value.toFixed(0)} MiB`;
}

function ledger({ p50_us, p99_us }) {
  return `p50 ${p50_us.toFixed(1)} µs, p99 ${p99_us.toFixed(1)} µs`;
}
