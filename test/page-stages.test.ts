import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launch, openPage, startServer, stopServer } from './support/page.js';

const SCREEN = { width: 1440, height: 900 };

let browser: Browser;

beforeAll(async () => {
  browser = await launch();
}, 60_000);

afterAll(async () => {
  await browser?.close();
}, 30_000);

it('shows where the time of the server goes, of all messages and of the instrument in view', async () => {
  const server = await startServer(['--stages', '--stages-every', '4']);
  try {
    const { page, complaints } = await openPage(browser, `${server.url}#sim:ETHUSDT&heat=0`, SCREEN, 'dark');
    await page.waitForSelector('.stages table:nth-of-type(2) tr[data-stage="whole"]', { timeout: 20_000 });
    const captions = await page.locator('.stages caption').allTextContents();
    expect(captions).toEqual(['Server stages, 1 in 4 messages', 'sim:ETHUSDT']);
    const stages = await page.$$eval('.stages table:first-of-type tbody tr', (rows) =>
      rows.map((row) => (row as HTMLElement).dataset.stage),
    );
    expect(stages).toEqual(['decoded', 'sequenced', 'applied', 'encoded', 'published', 'whole']);
    const times = await page.locator('.stages tr[data-stage="decoded"] td').allTextContents();
    expect(times).toHaveLength(8);
    for (const time of times) expect(time).toMatch(/^\d+(\.\d)? (ns|µs|ms)$/);
    // The table stays within its panel.
    const [table, panel] = await page.$$eval('.stages table:first-of-type, .health', (all) =>
      all.map((one) => one.getBoundingClientRect().right).sort((a, b) => a - b),
    );
    expect(table).toBeLessThanOrEqual(panel ?? 0);
    expect(complaints).toEqual([]);
  } finally {
    await stopServer(server.process);
  }
}, 60_000);

it('says how that is switched on where it is off, and nothing more', async () => {
  const server = await startServer();
  try {
    const { page, complaints } = await openPage(browser, `${server.url}#sim:BTCUSDT&heat=0`, SCREEN, 'dark');
    await page.waitForSelector('.stages-off', { timeout: 20_000 });
    expect(await page.locator('.stages-off').textContent()).toContain('--stages');
    expect(await page.locator('.stages').count()).toBe(0);
    expect(complaints).toEqual([]);
  } finally {
    await stopServer(server.process);
  }
}, 60_000);
