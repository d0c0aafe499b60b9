// Four demonstrations over real servers: what each one's workspace holds, its programs in order, and what must come of them.
// All data is made here, the same at every run; the servers that answer are those of the registries.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const COUNTRIES = ['NO', 'SE', 'DK', 'FI', 'DE', 'FR', 'NL', 'ES'];
const DIAGNOSES = ['asthma', 'diabetes', 'migraine', 'gout'];
const NAMES = [
  'Ada Quist',
  'Bo Lindqvist',
  'Cleo Marsh',
  'Dag Hollund',
  'Eva Tamm',
  'Finn Roos',
  'Gry Aasen',
  'Hal Berg',
];

/** Numbers that look random and are the same everywhere (Park and Miller). */
function* numbers(seed) {
  for (let x = seed; ;) yield (x = (x * 48_271) % 2_147_483_647);
}

function put(folder, name, text) {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

function orders(count, seed) {
  const random = numbers(seed);
  const next = (below) => random.next().value % below;
  const rows = Array.from({ length: count }, (_, id) =>
    [id + 1, COUNTRIES[next(8)], next(10) === 0 ? 'open' : 'paid', next(500_000)].join(','),
  );
  return ['id,country,status,cents', ...rows, ''].join('\n');
}

function patients(folder) {
  const random = numbers(7);
  for (let n = 0; n < 40; n++) {
    const name = NAMES[n % 8];
    const diagnosis = n === 39 ? 'gout' : DIAGNOSES[n % 3];
    const age = 20 + (random.next().value % 60);
    const email = `${name.toLowerCase().replace(' ', '.')}${n}@example.org`;
    put(folder, `patients/${n}.json`, JSON.stringify({ name, email, diagnosis, age, notes: 'lorem '.repeat(60) }));
  }
}

function repository(folder) {
  const git = (...args) => execFileSync('git', ['-C', folder, '-c', 'user.name=t', '-c', 'user.email=t@t', ...args]);
  git('init', '--quiet');
  for (let n = 1; n <= 40; n++) {
    put(folder, 'service.conf', `# revision ${n}\ntimeout = ${n < 28 ? 10 + n : 60 + n}\n`);
    git('add', 'service.conf');
    git('commit', '--quiet', '--message', `Tune the service, step ${n}`);
  }
}

/** The demonstrations: title, what lays the workspace, the programs, and a check of their results. */
export const demos = [
  {
    title: 'Dataset filtering',
    lay: (folder) => put(folder, 'orders.csv', orders(10_000, 11)),
    programs: ['dataset_filtering.py'],
    check: ([found]) => {
      assert.equal(found.length, 5);
      assert.ok(found.every(({ total }, n) => n === 0 || total <= found[n - 1].total));
    },
  },
  {
    title: 'Complex control flow',
    lay: repository,
    programs: ['control_flow.ts'],
    check: ([found]) => assert.deepEqual([found.commits, found.timeout], [40, 88]),
  },
  {
    title: 'Privacy-preserving aggregation',
    lay: patients,
    programs: ['private_aggregation.py'],
    check: ([found], [reply]) => {
      assert.deepEqual(Object.keys(found), DIAGNOSES.slice(0, 3));
      for (const secret of [...NAMES, '@example.org']) assert.ok(!JSON.stringify(reply.result).includes(secret));
    },
  },
  {
    title: 'Skill growth',
    lay: (folder) => {
      for (const year of [2025, 2026]) {
        for (let month = 1; month <= 12; month++) {
          put(folder, `orders/${year}-${String(month).padStart(2, '0')}.csv`, orders(200, year * 100 + month));
        }
      }
    },
    programs: ['skill_first.py', 'skill_again.py'],
    check: (found) => assert.ok(found.every(({ month, cents }) => month >= 1 && month <= 12 && cents > 0)),
  },
];
