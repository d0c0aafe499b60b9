// Bundles the dashboard from src/dashboard into the one file that the daemon serves, the editor shows, and reports are made
// of: server/mcp/assets/dashboard.html, which is committed. Its policy names its own script and style by their hashes and
// allows nothing else. With --check it writes nothing, and fails where that file is not what the source says.
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

const root = import.meta.dirname;
const source = join(root, 'src', 'dashboard');

/** The page, as it is committed. */
export const PAGE = join(root, '..', 'server', 'mcp', 'assets', 'dashboard.html');
const BUDGET_BYTES = 150_000;

/** The page's text, made anew. */
export async function page() {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: { page: 'src/dashboard/main.tsx', style: 'src/dashboard/style.css' },
    outdir: 'dist',
    write: false,
    bundle: true,
    minify: true,
    platform: 'browser',
    format: 'iife',
    target: ['chrome120', 'firefox121', 'safari17'],
    jsx: 'automatic',
    jsxImportSource: 'preact',
    charset: 'utf8',
    legalComments: 'none',
    logLevel: 'warning',
  });
  const text = (ending) => outputFiles.find(({ path }) => path.endsWith(ending)).text.trim();
  const [script, style] = [text('.js'), text('.css')];
  const hash = (part) => `'sha256-${createHash('sha256').update(part).digest('base64')}'`;
  const policy = [
    "default-src 'none'",
    `script-src ${hash(script)}`,
    `style-src ${hash(style)}`,
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  const parts = { POLICY: policy, STYLE: style, SCRIPT: script };
  const template = readFileSync(join(source, 'page.html'), 'utf8');
  return template.replace(/\b(POLICY|STYLE|SCRIPT)\b/g, (name) => parts[name]);
}

if (process.argv[1] === import.meta.filename) {
  const made = await page();
  const bytes = Buffer.byteLength(made);
  if (bytes > BUDGET_BYTES) {
    console.error(`extension: the dashboard has ${bytes} bytes; at most ${BUDGET_BYTES} are allowed.`);
    process.exitCode = 1;
  } else if (!process.argv.includes('--check')) {
    writeFileSync(PAGE, made);
    console.log(`server/mcp/assets/dashboard.html  ${(bytes / 1000).toFixed(0)} kB`);
  } else if (readFileSync(PAGE, 'utf8') !== made) {
    console.error(
      'extension: server/mcp/assets/dashboard.html is not what src/dashboard says: npm run page -w extension',
    );
    process.exitCode = 1;
  }
}
