import type { ChildProcess } from 'node:child_process';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launch, startServer, stopServer } from './support/page.js';

const DESKTOP = { width: 1280, height: 800 };

describe('the page’s address', () => {
  let browser: Browser;
  let server: { readonly process: ChildProcess; readonly url: string };

  beforeAll(async () => {
    server = await startServer();
    browser = await launch();
  }, 60_000);

  afterAll(async () => {
    await browser?.close();
    if (server !== undefined) await stopServer(server.process);
  }, 30_000);

  async function open(hash: string) {
    const context = await browser.newContext({ viewport: DESKTOP, colorScheme: 'dark' });
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on('pageerror', (error) => complaints.push(String(error)));
    await page.goto(server.url + hash);
    await page.waitForSelector('#instrument-list');
    return { page, context, complaints };
  }

  const hash = (page: Page) => new URL(page.url()).hash;
  const title = (page: Page) => page.textContent('#ladder-title');
  const group = (page: Page) => page.textContent('.group-size');
  /** The best bid on the page is one of this instrument's, at least. */
  const shows = (page: Page, name: string) =>
    page.waitForSelector(`#best-bid[data-instrument="${name}"][data-value]`);

  it('names the instrument, and the back button returns to the one before', async () => {
    const { page, context, complaints } = await open('');
    await shows(page, 'sim:BTCUSDT');
    expect(hash(page)).toBe('#sim:BTCUSDT');
    await page.click('[data-instrument="sim:ETHUSDT"]');
    await shows(page, 'sim:ETHUSDT');
    expect(hash(page)).toBe('#sim:ETHUSDT');
    await page.goBack();
    await shows(page, 'sim:BTCUSDT');
    expect(await page.getAttribute('#instrument-list [aria-selected="true"]', 'data-instrument')).toBe(
      'sim:BTCUSDT',
    );
    await page.goForward();
    await shows(page, 'sim:ETHUSDT');
    expect(complaints).toEqual([]);
    await context.close();
  }, 60_000);

  it('is followed when its reader types another one', async () => {
    const { page, context } = await open('#sim:BTCUSDT');
    await shows(page, 'sim:BTCUSDT');
    await page.evaluate(() => {
      location.hash = '#sim:ETHUSDT&group=5';
    });
    await shows(page, 'sim:ETHUSDT');
    await expect.poll(() => group(page)).toBe('5');
    await context.close();
  }, 60_000);

  it('holds the grouping that its reader chose, and gives it to whoever opens the address', async () => {
    const { page, context } = await open('#sim:BTCUSDT');
    await shows(page, 'sim:BTCUSDT');
    await expect.poll(() => group(page)).toMatch(/\d/);
    // What the page chose by itself is no choice of the reader.
    expect(hash(page)).toBe('#sim:BTCUSDT');
    // Painted in a later turn than it is written.
    const agree = async (): Promise<boolean> => hash(page) === `#sim:BTCUSDT&group=${await group(page)}`;
    await page.click('button[aria-label="Coarser grouping"]');
    await expect.poll(agree).toBe(true);
    const chosen = await group(page);
    await page.click('button[aria-label="Coarser grouping"]');
    await page.click('button[aria-label="Coarser grouping"]');
    await expect.poll(async () => (await agree()) && (await group(page)) !== chosen).toBe(true);
    await page.waitForTimeout(400);
    expect(await agree()).toBe(true);
    const coarser = await group(page);
    const address = page.url();
    await page.goto('about:blank');
    await page.goto(address);
    await shows(page, 'sim:BTCUSDT');
    await expect.poll(() => group(page)).toBe(coarser);
    await context.close();
  }, 60_000);

  it('leaves a key alone that this page does not know, and ignores a grouping that is none', async () => {
    const { page, context } = await open('#sim:BTCUSDT&group=0.3&later=a%26b');
    await shows(page, 'sim:BTCUSDT');
    await expect.poll(() => group(page)).toMatch(/\d/);
    await page.click('[data-instrument="sim:ETHUSDT"]');
    await shows(page, 'sim:ETHUSDT');
    expect(hash(page)).toBe('#sim:ETHUSDT&later=a%26b');
    await context.close();
  }, 60_000);

  it('names an instrument that the server does not serve, and shows no other in its place', async () => {
    const { page, context } = await open('#sim:NOSUCH');
    await expect.poll(() => page.textContent('.notice')).toMatch(/does not serve sim:NOSUCH\./);
    expect(await title(page)).toBe('sim:NOSUCH');
    expect(hash(page)).toBe('#sim:NOSUCH');
    expect(await page.locator('#instrument-list [aria-selected="true"]').count()).toBe(0);
    expect(await page.inputValue('.picker')).toBe('sim:NOSUCH');
    expect(await page.textContent('.picker option')).toBe('sim:NOSUCH');
    // The best prices are those of nothing.
    expect(await page.textContent('#best-bid')).not.toMatch(/\d/);
    await page.click('[data-instrument="sim:ETHUSDT"]');
    await shows(page, 'sim:ETHUSDT');
    // And from an instrument that is there to one that is not: nothing of the first one stays.
    await page.goBack();
    await expect.poll(() => page.textContent('.notice')).toMatch(/does not serve sim:NOSUCH\./);
    await expect.poll(() => page.textContent('#best-bid')).not.toMatch(/\d/);
    expect(await page.textContent('#ladder')).not.toMatch(/\d/);
    expect(await page.textContent('.trades')).not.toMatch(/\d/);
    await context.close();
  }, 60_000);

  it('takes a token out of an address that is typed into the open page', async () => {
    const { page, context } = await open('#sim:BTCUSDT');
    await shows(page, 'sim:BTCUSDT');
    await page.evaluate(() => {
      location.hash = '#sim:ETHUSDT&token=a.b.c';
    });
    await shows(page, 'sim:ETHUSDT');
    expect(page.url()).not.toContain('a.b.c');
    await page.click('[data-instrument="sim:BTCUSDT"]');
    await expect.poll(() => page.url()).toContain('BTCUSDT');
    expect(page.url()).not.toContain('a.b.c');
    await context.close();
  }, 60_000);
});
