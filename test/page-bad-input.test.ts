import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launch, startServer, stopServer } from './support/page.js';
import { simulatedRecording } from './support/recording.js';

const DESKTOP = { width: 1280, height: 720 };
const START_MS = 1_700_000_000_000;
const LEVELS_A_SIDE = 50_000;
/** Back after so long, beside what the page's own turns take on a busy machine. */
const BACK_MS_MAX = 1000;

/** A book of a hundred thousand levels, and changes of it. */
function hugeBook(): string {
  const levels = (from: number, by: number): string =>
    Array.from(
      { length: LEVELS_A_SIDE },
      (_, at) => `["${((from + at * by) / 100).toFixed(2)}","1.5"]`,
    ).join();
  const update = (seq: number): string =>
    `{"e":"depthUpdate","E":${START_MS},"s":"BTCUSDT","U":${seq},"u":${seq},"b":[["60000.00","${seq}"]],"a":[]}`;
  const snapshot = `{"lastUpdateId":10,"bids":[${levels(6_000_000, -1)}],"asks":[${levels(6_000_001, 1)}]}`;
  const lines = [update(10), snapshot, ...Array.from({ length: 200 }, (_, at) => update(11 + at))];
  return lines.map((line, at) => `${BigInt(START_MS + at * 50) * 1_000_000n} ${line}\n`).join('');
}

/** One that the system gives to nobody who asks for any, for a client's attempts to come back may get it otherwise. */
function portOfItsOwn(): number {
  return 20_000 + Math.floor(Math.random() * 10_000);
}

describe('a page whose server does what it should not', () => {
  const folder = mkdtempSync(join(tmpdir(), 'depthwire-page-bad-'));
  const servers: ChildProcess[] = [];
  let browser: Browser;

  beforeAll(async () => {
    browser = await launch();
  }, 60_000);

  afterAll(async () => {
    await browser?.close();
    for (const server of servers) await stopServer(server);
    rmSync(folder, { recursive: true });
  }, 30_000);

  async function serve(...args: string[]): Promise<{ readonly process: ChildProcess; readonly url: string }> {
    const server = await startServer(args);
    servers.push(server.process);
    return server;
  }

  function recording(name: string, content: string): string {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  }

  async function open(url: string) {
    const context = await browser.newContext({ viewport: DESKTOP, colorScheme: 'dark' });
    const page = await context.newPage();
    const faults: string[] = [];
    page.on('pageerror', (error) => faults.push(String(error)));
    await page.goto(url);
    await page.waitForSelector('.book-state[data-state="synced"]', { timeout: 20_000 });
    return { page, context, faults };
  }

  const health = (page: Page, key: string) => page.textContent(`[data-health="${key}"]`);
  const nodes = (page: Page) => page.evaluate(() => document.querySelectorAll('*').length);

  it('is back within a second of the server, and counts one outage', async () => {
    const first = await serve('--port', String(portOfItsOwn()));
    const { page, context, faults } = await open(`${first.url}#sim:ETHUSDT`);
    await stopServer(first.process);
    await page.waitForSelector('.connection[data-state="reconnecting"]');
    // Long enough for several attempts.
    await page.waitForTimeout(3500);
    await serve('--port', new URL(first.url).port);
    const startMs = performance.now();
    await page.waitForSelector('.book-state[data-state="synced"]', { timeout: 20_000 });
    await page.waitForSelector('.ladder:not([data-dim])');
    expect(performance.now() - startMs).toBeLessThan(BACK_MS_MAX);
    await expect.poll(() => health(page, 'outages')).toBe('1');
    expect(await page.textContent('#ladder-title')).toBe('ETHUSDT');
    expect(faults).toEqual([]);
    await context.close();
  }, 90_000);

  it('names the instrument that the server has no more when it is back with others', async () => {
    const first = await serve('--port', String(portOfItsOwn()));
    const { page, context, faults } = await open(`${first.url}#sim:ETHUSDT`);
    await stopServer(first.process);
    await page.waitForSelector('.connection[data-state="reconnecting"]');
    const file = recording('other', simulatedRecording('BTCUSDT', 5000));
    await serve('--port', new URL(first.url).port, '--replay', file, '--instrument', 'sim:BTCUSDT');
    await expect
      .poll(() => page.textContent('.notice'), { timeout: 5000 })
      .toMatch(/does not serve sim:ETHUSDT\./);
    await expect.poll(() => page.locator('.instrument').count()).toBe(1);
    expect(await page.textContent('#best-bid')).not.toMatch(/\d/);
    expect(await page.textContent('#ladder')).not.toMatch(/\d/);
    // Another server, and a recording: that is said, too.
    await page.waitForSelector('.replay-badge');
    await page.click('.instrument');
    await page.waitForSelector('#best-bid[data-instrument="sim:BTCUSDT"][data-value]');
    expect(faults).toEqual([]);
    await context.close();
  }, 90_000);

  it('shows a book of a hundred thousand levels as it is, and does not grow with it', async () => {
    const file = recording('huge', hugeBook());
    const { url } = await serve('--replay', file, '--instrument', 'sim:BTCUSDT');
    const { page, context, faults } = await open(url);
    await page.waitForSelector('#best-bid[data-value="60000"]');
    const before = await nodes(page);
    expect(before).toBeLessThan(3000);
    const seq = await health(page, 'seq');
    await expect.poll(() => health(page, 'seq'), { timeout: 10_000 }).not.toBe(seq);
    await page.waitForTimeout(2000);
    expect(await nodes(page)).toBeLessThan(before + 50);
    const book = (await (await fetch(`${url}v1/book/sim:BTCUSDT?depth=1`)).json()) as { bidCount: number };
    expect(book.bidCount).toBe(LEVELS_A_SIDE);
    expect(await health(page, 'checks')).toBe('0');
    expect(faults).toEqual([]);
    await context.close();
  }, 90_000);

  it('that slept in the background is exact within a second, and has not grown', async () => {
    const { url } = await serve();
    const { page, context, faults } = await open(url);
    const devtools = await context.newCDPSession(page);
    const before = await nodes(page);
    await devtools.send('Page.setWebLifecycleState', { state: 'frozen' });
    await new Promise((resolve) => setTimeout(resolve, 8000));
    await devtools.send('Page.setWebLifecycleState', { state: 'active' });
    const startMs = performance.now();
    // It has come to what the server has now, or later.
    const name = (await page.getAttribute('#best-bid', 'data-instrument')) ?? '';
    const now = (await (await fetch(`${url}v1/book/${name}?depth=1`)).json()) as {
      epoch: string;
      seq: string;
    };
    await page.waitForFunction(
      ([epoch, seq]) => {
        const { dataset } = document.querySelector<HTMLElement>('#best-bid') ?? document.body;
        return dataset.epoch === epoch && BigInt(dataset.seq ?? 0) >= BigInt(seq ?? 0);
      },
      [now.epoch, now.seq],
    );
    expect(performance.now() - startMs).toBeLessThan(BACK_MS_MAX);
    await page.waitForSelector('.book-state[data-state="synced"]');
    expect([await health(page, 'checks'), await health(page, 'gaps')]).toEqual(['0', '0']);
    expect(await nodes(page)).toBeLessThan(before + 50);
    expect(faults).toEqual([]);
    await context.close();
  }, 90_000);
});
