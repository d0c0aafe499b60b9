// A headless Chromium before a page of ours: what it says on its console, what a person with a keyboard reaches, what axe
// finds, and pictures.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import axe from 'axe-core';
import { chromium } from 'playwright-core';

const artifacts = join(import.meta.dirname, '..', 'e2e', 'artifacts');
const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const TABS_MAX = 200;

/** A browser that ends with the test `t`. */
export async function browser(t) {
  const executablePath = CHROMIUM.find(existsSync);
  const started = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
  t.after(() => started.close());
  return started;
}

/** A page at `url`, and all that it complains about. */
export async function open(started, url, options = {}) {
  const context = await started.newContext({ viewport: { width: 1240, height: 900 }, locale: 'en-US', ...options });
  const page = await context.newPage();
  const complaints = [];
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
  await page.goto(url);
  return { page, complaints };
}

/** Presses Tab until what has the focus is called `name`; fails where nothing reached so is. */
export async function tabTo(page, name) {
  for (let tab = 0; tab < TABS_MAX; tab += 1) {
    await page.keyboard.press('Tab');
    const focused = await page.evaluate(() => globalThis.document.activeElement?.textContent?.trim());
    if (focused === name) return;
  }
  assert.fail(`Tab does not reach “${name}”`);
}

/** What axe finds serious or worse, as lines. */
export async function violations(page) {
  await page.evaluate(axe.source);
  const { violations: found } = await page.evaluate(() => globalThis.axe.run());
  return found
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html}: ${failureSummary}`));
}

/** Keeps a picture of the whole page under tests/e2e/artifacts. */
export async function shoot(page, name) {
  mkdirSync(artifacts, { recursive: true });
  await page.screenshot({ path: join(artifacts, `dashboard-${name}.png`), fullPage: true, animations: 'disabled' });
}
