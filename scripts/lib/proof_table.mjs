// The proof's figures as Markdown tables.

const number = (value) => Math.round(value).toLocaleString('en-US');
const share = (direct, program) => (direct > 0 ? `${Math.round((100 * (direct - program)) / direct)}` : '–');
const table = (rows) => rows.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
const BASELINES = ['all_servers', 'needed_servers', 'deferred'];

/** A row for each task set: what programs save of each baseline, in % of tokens / dollars with prompt caching. */
export function taskTable(results) {
  const cells = (sums, ways) =>
    BASELINES.map(
      (name) =>
        `${share(ways[name].tokens, sums.code_mode_tokens)} / ${share(ways[name].dollars.cached, sums.code_mode_dollars.cached)}`,
    );
  const rows = results.map((sums) => [
    sums.suite,
    `${sums.tasks}${sums.left_out.length > 0 ? ` of ${sums.tasks + sums.left_out.length}` : ''}`,
    number(sums.calls),
    ...cells(sums, sums.direct),
    ...cells(sums, sums.direct_at_once),
    sums.lost,
    sums.worst ? `${sums.worst[1].toFixed(0)} %` : '–',
  ]);
  const head = ['task set', 'tasks', 'calls', 'all servers', 'needed servers', 'deferred'];
  const once = ['all, at once', 'needed, at once', 'deferred, at once', 'tasks that lose', 'worst task'];
  return table([[...head, ...once], [...head, ...once].map((_, n) => (n === 0 ? '---' : '--:')), ...rows]);
}

/** A row for each program of the demonstrations. Without the baseline of all servers: those that were not used were not started. */
export function demoTable(shown) {
  const rows = shown.flatMap(({ title, programs, replies }) =>
    replies.map(({ calls, tokens }, n) => [
      replies.length > 1 ? `${title}: \`${programs[n]}\`` : title,
      calls.length,
      new Set(calls.map(({ wave }) => wave)).size,
      number(tokens.code_mode.total),
      ...['deferred', 'needed_servers'].map(
        (name) =>
          `${number(tokens.direct[name].total)} (${share(tokens.direct[name].total, tokens.code_mode.total)} %)`,
      ),
    ]),
  );
  const head = ['demonstration', 'calls', 'waves', 'program', 'direct, deferred', 'needed servers'];
  return table([head, head.map((_, n) => (n === 0 ? '---' : '--:')), ...rows]);
}
