// A run's --json reply as text for a terminal: its calls, what the model sees, and the receipt with every baseline.

const number = (value) => Math.round(value).toLocaleString('en-US');
const percent = (part, whole) => (whole === 0 ? '' : ` (${((100 * part) / whole).toFixed(1)} %)`);

/** “1 wave”, “2 waves”. */
const count = (n, thing) => `${number(n)} ${thing}${n === 1 ? '' : 's'}`;

/** All that is worth seeing of one run. */
export function describe(reply) {
  const { calls, usage } = reply;
  const waves = new Set(calls.map(({ wave }) => wave)).size;
  return [
    `${'─'.repeat(100)}`,
    `${count(calls.length, 'tool call')} in ${count(waves, 'wave')}, ${usage.wall_ms.toFixed(0)} ms, ${(usage.peak_memory_bytes / 2 ** 20).toFixed(0)} MiB`,
    ...byTool(calls),
    '',
    'What the model sees of it:',
    indent(JSON.stringify(reply.result, null, 2)),
    '',
    'What it would have seen, calling the tools itself:',
    `  ${number(sum(calls, 'result_bytes'))} bytes of results, ${number(sum(calls, 'result_tokens'))} tokens, in ${count(waves, 'turn')}`,
    '',
    receipt(reply.tokens),
  ].join('\n');
}

function byTool(calls) {
  return [...group(calls)].map(([tool, made]) => {
    const ms = sum(made, 'ms') / made.length;
    return `  ${tool.padEnd(28)} × ${String(made.length).padEnd(4)} ${ms.toFixed(1)} ms each, ${number(sum(made, 'result_tokens'))} tokens`;
  });
}

function group(calls) {
  const groups = new Map();
  for (const call of calls) {
    const name = `${call.server}.${call.tool}`;
    groups.set(name, [...(groups.get(name) ?? []), call]);
  }
  return groups;
}

function receipt({ code_mode: program, direct, labels, encoding }) {
  const sides = [
    ['this program', program],
    ['direct, definitions deferred', direct.deferred],
    ['direct, all servers up front', direct.all_servers],
    ['direct, needed servers only', direct.needed_servers],
  ];
  const rows = sides.map(([name, side]) => {
    const saved =
      side === program ? '' : `${number(side.total - program.total)}${percent(side.total - program.total, side.total)}`;
    const cells = [side.definitions, side.output, side.results, side.turns, side.total].map((cell) =>
      number(cell).padStart(11),
    );
    return `  ${name.padEnd(29)}${cells.join('')}  ${saved}`;
  });
  const head = ['definitions', 'written', 'results', 'turns', 'total'].map((title) => title.padStart(11)).join('');
  return [
    `Receipt (${encoding} tokens)`,
    `  ${''.padEnd(29)}${head}  saved`,
    ...rows,
    ...Object.entries(labels).map(([figure, label]) => `  ${figure}: ${label}`),
  ].join('\n');
}

function sum(items, field) {
  return items.reduce((total, item) => total + (item[field] ?? 0), 0);
}

function indent(text) {
  return text
    .split('\n')
    .map((line) => `  ${line}`)
    .join('\n');
}
