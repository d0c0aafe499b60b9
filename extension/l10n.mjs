// `npm run l10n`: writes l10n/bundle.l10n.json, every text that the source hands to `l10n.t`, as the editor's own tool finds
// them. With --check it writes nothing, and fails where the bundle is not what the source says, where the tool would miss a
// text, or where package.json and package.nls.json name different ones.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { getL10nJson } from '@vscode/l10n-dev';

const root = import.meta.dirname;
const read = (name) => readFileSync(join(root, name), 'utf8');
const BUNDLE = 'l10n/bundle.l10n.json';

const names = readdirSync(join(root, 'src'), { recursive: true }).filter((name) => /\.tsx?$/.test(name));
const sources = names.map((name) => ({ name, extension: extname(name), contents: read(join('src', name)) }));
const texts = await getL10nJson(sources);
const bundle = `${JSON.stringify(Object.fromEntries(Object.entries(texts).sort(byKey)), null, 2)}\n`;

if (process.argv.includes('--check')) {
  const stale = bundle === read(BUNDLE) ? [] : [`${BUNDLE} is not what src says: npm run l10n -w extension`];
  const wrong = [...stale, ...sources.flatMap(missed), ...keys()];
  wrong.forEach((line) => console.error(`extension: ${line}`));
  process.exitCode = wrong.length === 0 ? 0 : 1;
} else {
  writeFileSync(join(root, BUNDLE), bundle);
  console.log(`extension/${BUNDLE}  ${Object.keys(texts).length} texts`);
}

/** Texts that are found by nobody: where `l10n` has another name, or is given something else than a text. */
function missed({ name, contents }) {
  const code = contents.replace(/^import .*$/gm, '');
  const odd = [...code.matchAll(/\bl10n\b(?!\.t\(\s*['"`]|\.bundle\b).*/g)];
  return odd.map(([line]) => `src/${name}: the text of “${line.trim()}” is not found; write l10n.t('…')`);
}

/** What package.json names and package.nls.json lacks, and what that has and nobody names. */
function keys() {
  const used = new Set([...read('package.json').matchAll(/"%([\w.-]+)%"/g)].map(([, key]) => key));
  const known = Object.keys(JSON.parse(read('package.nls.json')));
  return [
    ...[...used].filter((key) => !known.includes(key)).map((key) => `package.nls.json lacks “${key}”`),
    ...known
      .filter((key) => !used.has(key))
      .map((key) => `package.nls.json has “${key}”, which package.json never names`),
  ];
}

function byKey([a], [b]) {
  return a < b ? -1 : 1;
}
