interface Row {
  id: number;
  team: string;
  day: string;
  cost: number;
  note: string;
}

// What a typical program does after its calls: shape, group, rank, sum up.
const rows: Row[] = Array.from({ length: 300 }, (_, i) => ({
  id: i,
  team: `team-${i % 7}`,
  day: new Date(Date.UTC(2026, 0, 1 + (i % 90))).toISOString().slice(0, 10),
  cost: ((i * 37) % 101) + 0.5,
  note: `order ${i} from customer C${String(i % 13).padStart(3, '0')}`,
}));
const byTeam = new Map<string, Row[]>();
for (const row of rows) byTeam.set(row.team, [...(byTeam.get(row.team) ?? []), row]);
const customers = new Map<string, number>();
for (const row of rows) {
  const name = /C(\d+)/.exec(row.note)![0];
  customers.set(name, (customers.get(name) ?? 0) + 1);
}
const mean = (xs: number[]): number => xs.reduce((a, b) => a + b, 0) / xs.length;
const summary = Object.fromEntries(
  [...byTeam].sort().map(([team, mine]) => [team, { orders: mine.length, mean: mean(mine.map((r) => r.cost)) }]),
);
const packed = JSON.stringify(rows);
const top = rows.reduce((a, b) => (b.cost > a.cost ? b : a));
({ teams: summary, customers: [...customers].slice(0, 3), top: top.id, bytes: packed.length });
