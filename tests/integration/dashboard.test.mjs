// The dashboard in a real browser over a real daemon: its figures are the ledger's, it is used by the keyboard alone, it
// follows what runs, and no name of others becomes markup.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import { pathToFileURL } from 'node:url';
import { readFileSync, writeFileSync } from 'node:fs';
import { root } from '../../scripts/lib/step.mjs';
import { serverEntries } from '../../scripts/lib/servers.mjs';
import { browser, open, shoot, tabTo, violations } from '../lib/page.mjs';
import { runJson, serve, workspace } from '../lib/tta.mjs';

const EVIL = '<img src=x onerror="window.hacked=1">';

const ALL = `import asyncio
from servers import fs
texts = await asyncio.gather(*[fs.read_text_file(path=f"FOLDER/notes/{n}.md") for n in range(12)])
await fs.list_directory(path="FOLDER/notes")
sum(len(text["content"]) for text in texts)
`;

const ONE = 'from servers import fs\nlen((await fs.list_directory(path="FOLDER/notes"))["content"])\n';

const notes = (t) =>
  workspace(t, {
    servers: (at) => ({ fs: serverEntries(at).fs, [EVIL]: { command: '/no/such/server' } }),
    files: (at) => ({
      ...Object.fromEntries(
        Array.from({ length: 12 }, (_, n) => [`notes/${n}.md`, 'A bee makes honey.\n'.repeat(200)]),
      ),
      'all.py': ALL.replaceAll('FOLDER', at),
      [`${EVIL}.py`]: ONE.replaceAll('FOLDER', at),
      'fails.py': 'from servers import fs\nawait fs.read_text_file(path="/no/such")\n',
    }),
  });

const run = async (folder, name) => (await runJson(folder, ['run', name, '--trust'])).json;

/** What a page shows as the whole number of its headline, with the sign of its words. */
async function headline(page) {
  const text = await page.locator('.hero h2').innerText();
  const figure = Number(text.replace(/\D/g, ''));
  return text.includes('more than direct calls') ? -figure : figure;
}

const shows = (page, figure) =>
  page.waitForFunction(
    (wanted) => globalThis.document.querySelector('.hero .big')?.textContent.replace(/\D/g, '') === String(wanted),
    Math.abs(figure),
  );

test('figures, drill-down, live changes and words of others', async (t) => {
  const folder = notes(t);
  const runs = [];
  for (const name of ['all.py', `${EVIL}.py`, 'fails.py']) runs.push(await run(folder, name));
  const saved = (baseline) =>
    runs.reduce((sum, { tokens }) => sum + tokens.direct[baseline].total - tokens.code_mode.total, 0);
  const { line, end } = await serve(t, folder, ['dashboard', '--json']);
  const { url } = JSON.parse(line);
  const token = new URL(url).hash.replace('#token=', '');
  const started = await browser(t);
  const { page, complaints } = await open(started, url, { colorScheme: 'light' });
  await page.locator('.hero').waitFor();

  await t.test('the key leaves the address, and the page can be loaded again', async () => {
    assert.ok(token.length >= 32);
    assert.ok(!page.url().includes(token), page.url());
    await page.reload();
    await page.locator('.hero').waitFor();
  });

  await t.test('the figures are those of the receipts and of the report, to the token', async () => {
    const headers = { authorization: `Bearer ${token}` };
    const report = await (await fetch(new URL('/api/report', url), { headers })).json();
    assert.equal(report.total.runs, 3);
    for (const [name, baseline] of [
      ['Deferred definitions', 'deferred'],
      ['Needed servers', 'needed_servers'],
      ['All servers', 'all_servers'],
    ]) {
      await page.getByLabel(name).check();
      await shows(page, saved(baseline));
      assert.equal(await headline(page), saved(baseline));
      const { direct, code_mode: program } = report.total.tokens;
      assert.equal(saved(baseline), direct[baseline].total - program.total, baseline);
      const cells = await page.locator('.sides .number').allInnerTexts();
      const figures = cells.slice(1).map((cell) => Number(cell.replace(/\D/g, '')));
      assert.deepEqual(figures, [direct[baseline].total, program.total]);
    }
    await page.getByLabel('Deferred definitions').check();
  });

  await t.test('no name of others is markup', async () => {
    await page.getByRole('button', { name: EVIL }).first().waitFor();
    assert.equal(await page.evaluate(() => globalThis.hacked), undefined);
    assert.equal(await page.locator('img').count(), 0);
  });

  await t.test('axe finds nothing serious, light or dark, above or below', async () => {
    for (const colorScheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme });
      assert.deepEqual(await violations(page), [], colorScheme);
      await shoot(page, colorScheme);
    }
    await page.emulateMedia({ colorScheme: 'light' });
  });

  await t.test('from a bar to its runs to a run’s calls and back, by the keyboard alone', async () => {
    await page.locator('body').focus();
    await tabTo(page, 'fs');
    await page.keyboard.press('Enter');
    await page.getByRole('navigation', { name: 'Breadcrumb' }).getByText('server fs').waitFor();
    assert.equal(await page.evaluate(() => globalThis.document.activeElement?.textContent), 'fs');
    assert.match(page.url(), /#server=fs$/);
    await tabTo(page, 'all.py');
    await page.keyboard.press('Enter');
    const calls = page.locator('section', { has: page.getByRole('heading', { name: 'Calls', exact: true }) });
    await calls.waitFor();
    assert.equal(await calls.locator('tbody tr').count(), runs[0].calls.length);
    assert.equal(await headline(page), runs[0].tokens.saved);
    assert.deepEqual(await violations(page), []);
    await shoot(page, 'run');
    const deep = page.url();
    await tabTo(page, '← Back');
    await page.keyboard.press('Enter');
    await page.waitForURL(/#server=fs$/);
    await page.goBack();
    await shows(page, saved('deferred'));
    const other = await open(started, deep.replace('#', `#token=${token}&`));
    await other.page.getByRole('heading', { name: 'Calls', exact: true }).waitFor();
    await other.page.context().close();
  });

  await t.test('a new run is seen without losing the focus or the place', async () => {
    await page.getByText('As a table').first().focus();
    await page.evaluate(() => globalThis.scrollTo(0, 300));
    const before = await page.evaluate(() => globalThis.scrollY);
    runs.push(await run(folder, 'all.py'));
    await shows(page, saved('deferred'));
    assert.equal(await page.evaluate(() => globalThis.document.activeElement?.textContent), 'As a table');
    assert.equal(await page.evaluate(() => globalThis.scrollY), before);
  });

  await t.test('on paper and on narrow screens', async () => {
    await page.emulateMedia({ media: 'print' });
    await shoot(page, 'print');
    await page.emulateMedia({ media: 'screen' });
    await page.setViewportSize({ width: 400, height: 800 });
    await shoot(page, 'narrow');
    const wide = await page.evaluate(() => globalThis.document.documentElement.scrollWidth);
    assert.ok(wide <= 400, `${wide} px`);
    await page.setViewportSize({ width: 1240, height: 900 });
  });

  assert.deepEqual(complaints, []);

  await t.test('when the daemon is gone, the figures stay and say so', async () => {
    await end();
    await page.getByText('The daemon is gone').waitFor();
    assert.equal(await headline(page), saved('deferred'));
    await shoot(page, 'gone');
  });
});

test('without a key the page says where there is one, and shows nothing', async (t) => {
  const { line } = await serve(t, workspace(t), ['dashboard']);
  const started = await browser(t);
  const { page } = await open(started, line.replace(/#.*/, ''));
  await page.getByText('Open the address that `tta dashboard` prints.').waitFor();
  assert.equal(await page.locator('.hero').count(), 0);
  await shoot(page, 'locked');
  const { page: empty } = await open(started, line);
  await empty.getByText('No run in this period').waitFor();
  assert.deepEqual(await violations(empty), []);
  await shoot(empty, 'empty');
});

test('the same page with its data in it is a file that asks nobody', async (t) => {
  const folder = notes(t);
  const { tokens } = await run(folder, 'all.py');
  const { line } = await serve(t, folder, ['dashboard']);
  const headers = { authorization: `Bearer ${new URL(line).hash.replace('#token=', '')}` };
  const report = await (await fetch(new URL('/api/report', line), { headers })).json();
  const text = readFileSync(join(root, 'server', 'mcp', 'assets', 'dashboard.html'), 'utf8');
  const data = JSON.stringify({ report: { ...report, workspace: EVIL } }).replaceAll('<', '\\u003c');
  const file = join(folder, 'report.html');
  writeFileSync(
    file,
    text.replace('id="data">', () => `id="data">${data}`),
  );
  const { page, complaints } = await open(await browser(t), pathToFileURL(file).href);
  assert.equal(await headline(page), tokens.saved);
  assert.equal(await page.evaluate(() => globalThis.hacked), undefined);
  assert.equal(await page.getByLabel('7 days').count(), 0);
  assert.deepEqual(complaints, []);
});
