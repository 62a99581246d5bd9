import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { chainCodes } from '../src/fake-venue/codes.js';
import { fakeVenue } from './support/fake-venue.js';
import { launch, openPage, startServer, stopServer } from './support/page.js';

const SCREEN = { width: 1600, height: 900 };
const OPTIONS = 60;

let browser: Browser;

beforeAll(async () => {
  browser = await launch();
}, 60_000);

afterAll(async () => {
  await browser?.close();
}, 30_000);

it('a chain is opened by its key, shows calls left and puts right, is walked by the arrows, and marks what is lost', {
  timeout: 120_000,
}, async () => {
  const venue = await fakeVenue({ deribit: chainCodes(OPTIONS, Date.now()) });
  const urls = venue.hosts().flatMap(({ venue: own, fake }) => ['--url', `${own}=${fake}`]);
  const limits = ['--subscriptions-max', '1000', '--refresh-minutes', '1'];
  const server = await startServer(['deribit:BTC-*', ...urls, ...limits]);
  try {
    const { page, complaints } = await openPage(browser, `${server.url}#heat=0`, SCREEN, 'dark');
    await page.waitForSelector('button[title^="Option chain"]', { timeout: 30_000 });
    await page.keyboard.press('x');
    await page.waitForSelector('.chain-row .chain-side.call[data-state="synced"]', { timeout: 30_000 });
    expect(page.url()).toMatch(/chain=20\d\d-\d\d-\d\d/);
    await page.waitForFunction(() => document.querySelector('.chain-measures')?.textContent?.includes('%'));
    // No more rows than are seen, of thirty strikes here.
    const drawn = await page.locator('.chain-row:not([data-unused])').count();
    expect(drawn).toBeGreaterThan(5);
    expect(drawn).toBeLessThanOrEqual(OPTIONS / 2);
    const strikes = await page.locator('.chain-row:not([data-unused]) .strike').allTextContents();
    expect(strikes.map(Number)).toEqual(strikes.map(Number).sort((a, b) => a - b));
    await page.locator('.chain-rows').focus();
    await page.keyboard.press('ArrowDown');
    await page.waitForSelector('.chain-side.call[data-chosen]');
    await page.keyboard.press('ArrowRight');
    await page.waitForSelector('.chain-side.put[data-chosen]');
    await page.waitForFunction(() =>
      document.querySelector('.chain-detail')?.textContent?.includes('delta_price_adjusted'),
    );
    expect(await page.locator('.chain-detail').textContent()).toMatch(/^deribit:BTC-\w+-\d+-P /);
    // The venue is gone: nothing is shown as if it were exact.
    await venue.stop();
    await page.waitForFunction(
      () =>
        document.querySelectorAll('.chain-row:not([data-unused]) .chain-side[data-state="synced"]').length ===
        0,
      undefined,
      { timeout: 30_000 },
    );
    expect(await page.locator('.chain-side.call .heard').first().textContent()).toContain('stale');
    await page.keyboard.press('Enter');
    await page.keyboard.press('x');
    await page.waitForSelector('.chain', { state: 'detached' });
    expect(complaints).toEqual([]);
  } finally {
    await stopServer(server.process);
    await venue.stop();
  }
});
