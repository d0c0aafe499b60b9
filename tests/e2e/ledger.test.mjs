// A ledger that is damaged, and one that cannot be written: the window says so once, shows no figure as if nothing were wrong,
// programs go on, and what they save is counted.
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import test from 'node:test';
import { notesWorkspace, settings } from './setup.mjs';
import { extensions } from './vsix.mjs';
import { until, Workbench } from './workbench.mjs';

const LENGTH = `from servers import fs

len((await fs.read_text_file(path="NOTES/bee.md"))["content"])
`;

const GARBAGE = 'This was a database once. '.repeat(1_000);

test('what is wrong with the ledger is said, and stops no program', async (t) => {
  const folder = notesWorkspace(t, (notes) => ({ 'length.py': LENGTH.replace('NOTES', notes) }));
  const workbench = await Workbench.open({ folder, extensions, settings });
  t.after(() => workbench.close());
  const { page } = workbench;
  const run = async () => {
    await workbench.openFile(join(folder, 'length.py'));
    await workbench.command('tta.runFile');
    await workbench.outputWith('length.py · done');
    await workbench.clearOutput();
  };
  const counted = (runs) =>
    until(`${runs} counted runs`, async () => {
      const { workspace, pending } = await workbench.savings();
      return workspace.runs === runs && pending === 0;
    });
  /** What the webview that is shown holds: a preview, or the dashboard. */
  const shown = page.frameLocator('iframe.webview:visible').frameLocator('iframe').locator('body');
  /** The texts of all notifications that tell of the ledger, shown or put away. */
  const notices = async () => {
    await workbench.command('notifications.showList');
    const items = page.locator('.notifications-center:visible .notification-list-item');
    await items.first().waitFor();
    return (await items.allInnerTexts()).filter((text) => text.includes('TTA: the ledger'));
  };
  await workbench.statusWith('TTA: ready');
  await run();
  await counted(1);
  await workbench.statusWith('saved');
  const [ledger] = workbench.filesWith('SQLite format 3').filter((path) => basename(path) === 'ledger.db');

  await t.test('a damaged one is set aside, said once, and another one counts', async () => {
    await workbench.whileClosed(() => {
      // What lies in its log would mend it.
      for (const ending of ['-wal', '-shm']) rmSync(`${ledger}${ending}`, { force: true });
      writeFileSync(ledger, GARBAGE);
    });
    const notice = workbench.question('was damaged');
    await notice.waitFor();
    await workbench.shoot('ledger-damaged');
    assert.equal(await workbench.statusWith('ledger'), 'TTA: ledger problem');
    const aside = readdirSync(dirname(ledger)).find((name) => name.startsWith('ledger.db.corrupt-'));
    assert.equal(readFileSync(join(dirname(ledger), aside), 'utf8'), GARBAGE, 'nothing of it is lost');
    await run();
    await counted(1);
    assert.equal(
      await workbench.statusWith('ledger'),
      'TTA: ledger problem',
      'what was counted before is still missing',
    );
    await workbench.status.hover();
    const hover = page.locator('.monaco-hover:visible', { hasText: 'was damaged' });
    await hover.waitFor();
    await workbench.shoot('ledger-damaged-status');
    assert.match(await hover.innerText(), /1 run with 1 tool call/);
    await page.mouse.move(0, 0);
    await hover.waitFor({ state: 'hidden' });
    const said = await notices();
    await workbench.shoot('ledger-damaged-notices');
    assert.equal(said.length, 1, said.join('\n'));
    assert.ok(said[0].includes(ledger) && said[0].includes(aside), `where it is, and where it was put: ${said[0]}`);
    assert.match(said[0], /a new one was started/);
    await page.locator('.notifications-center:visible').getByText('Show Details', { exact: true }).click();
    await shown.locator('li, p, td').filter({ hasText: aside }).first().waitFor({ timeout: 60_000 });
    await workbench.shoot('ledger-damaged-details');
  });

  await t.test('the next window finds a sound one, and shows figures', async () => {
    await workbench.reload();
    assert.match(await workbench.statusWith('saved'), /tokens saved/);
    await counted(1);
  });

  await t.test('one that cannot be used is said, and what is counted meanwhile is in it once it can', async () => {
    const away = `${ledger}.away`;
    await workbench.whileClosed(() => {
      renameSync(ledger, away);
      mkdirSync(ledger);
    });
    const notice = workbench.question('cannot be used');
    await notice.waitFor();
    assert.match(await notice.innerText(), /kept in memory only, until it can/);
    await run();
    await counted(1);
    assert.equal(await workbench.statusWith('ledger'), 'TTA: ledger problem');
    await workbench.command('tta.showDashboard');
    await shown.getByRole('alert').filter({ hasText: 'cannot be used' }).waitFor();
    await shown.locator('.hero').waitFor();
    await workbench.shoot('ledger-unusable');

    rmdirSync(ledger);
    renameSync(away, ledger);
    await run();
    await counted(3);
    assert.match(await workbench.statusWith('saved'), /tokens saved/);
    await workbench.command('tta.showDashboard');
    await shown.locator('.hero').waitFor();
    await shown.getByRole('alert').waitFor({ state: 'detached' });
    await workbench.shoot('ledger-mended');
  });
});
