// Bundles the extension into dist/main.js, which the editor loads while it starts, and dist/client.js with the language
// client, which is loaded afterwards; with --tests the unit tests into dist/test, with a stand-in for `vscode`; with --host the
// suite that runs in an extension host into dist/host; lays the dashboard's page, as it is committed, beside the bundles; with --watch keeps on bundling. Fails where the bundle outgrows its budget. Leaves types to `npm run check`.
import { copyFileSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { build, context } from 'esbuild';
import { PAGE } from './page.mjs';

const BUDGET_BYTES = 600_000;
const flags = new Set(process.argv.slice(2));
const root = import.meta.dirname ?? new URL('.', import.meta.url).pathname;
const common = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  // The tool set's own files are shown and laid down by the extension.
  loader: { '.md': 'text', '.jsonc': 'text' },
  logLevel: 'warning',
  sourcemap: 'linked',
};

if (flags.has('--tests')) {
  rmSync(`${root}/dist/test`, { recursive: true, force: true });
  await build({
    ...common,
    entryPoints: readdirSync(`${root}/test`)
      .filter((name) => name.endsWith('.test.ts'))
      .map((name) => `test/${name}`),
    outdir: 'dist/test',
    alias: { vscode: './test/vscode.ts' },
  });
} else if (flags.has('--host')) {
  const entryPoints = ['test/host/index.ts', 'test/host/suite.ts'];
  await build({ ...common, entryPoints, outdir: 'dist/host', external: ['vscode'] });
} else {
  const options = {
    ...common,
    entryPoints: ['src/main.ts', 'src/client.ts'],
    outdir: 'dist',
    external: ['vscode'],
    plugins: [apart('./client')],
    minify: !flags.has('--watch'),
    // Names of functions would be a twentieth of the bundle; nothing asks for them.
    keepNames: false,
    // For the time that the activation takes, the loading of this bundle included.
    banner: { js: 'const loadedFrom = { wall: performance.now(), cpu: process.threadCpuUsage?.() };' },
  };
  mkdirSync(`${root}/dist`, { recursive: true });
  copyFileSync(PAGE, `${root}/dist/dashboard.html`);
  if (flags.has('--watch')) {
    await (await context({ ...options, logLevel: 'info' })).watch();
  } else {
    await build(options);
    const sizes = ['main.js', 'client.js'].map((name) => statSync(`${root}/dist/${name}`).size);
    const page = statSync(PAGE).size;
    const shown = [...sizes, page].map((bytes) => (bytes / 1000).toFixed(0));
    console.log(`extension/dist  ${shown[0]} + ${shown[1]} kB, the dashboard's page ${shown[2]} kB`);
    const bytes = sizes.reduce((a, b) => a + b);
    if (bytes > BUDGET_BYTES) {
      throw new Error(`The bundles have ${bytes} bytes; at most ${BUDGET_BYTES} are allowed.`);
    }
  }
}

/** Leaves what is imported when it is wanted, by `import('…')`, in a bundle of its own. */
function apart(name) {
  const setup = ({ onResolve }) => {
    onResolve({ filter: new RegExp(`^${name.replaceAll('.', '\\.')}$`) }, ({ kind, path }) =>
      kind === 'dynamic-import' ? { path: `${path}.js`, external: true } : undefined,
    );
  };
  return { name: 'apart', setup };
}
