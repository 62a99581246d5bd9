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
/** How long a page sleeps in the background: eight seconds here, `DEPTHWIRE_HIDDEN_MINUTES=10` for a long one. */
const HIDDEN_MS = Number(process.env.DEPTHWIRE_HIDDEN_MINUTES ?? 8 / 60) * 60_000;
/** Beside what the tape and the last minutes' charts take, which fill up to their limits. */
const HEAP_MB_MORE_MAX = 3;

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

/** Whether two exact decimals are one number, whatever zeros stand behind it. */
function sameDecimal(one: string, other: string): boolean {
  const plain = (text: string) => (text.includes('.') ? text.replace(/\.?0+$/, '') : text);
  return plain(one) === plain(other);
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

  /** The best prices that are drawn, against the API at the same place. */
  async function isAsHttpSays(page: Page, url: string, name: string): Promise<void> {
    await expect
      .poll(
        async () => {
          const answer = await fetch(`${url}v1/book/${encodeURIComponent(name)}?depth=1`);
          const book = (await answer.json()) as {
            epoch: string;
            seq: string;
            bids: readonly (readonly string[])[];
            asks: readonly (readonly string[])[];
          };
          const shown = await page.evaluate(() =>
            ['#best-bid', '#best-ask'].map((one) => {
              const { epoch, seq } = document.querySelector<HTMLElement>(one)?.dataset ?? {};
              const text = document.querySelector(one)?.parentElement?.textContent ?? '';
              return { place: `${epoch} ${seq}`, text: text.replace(/^Best (bid|ask) /, '') };
            }),
          );
          const place = `${book.epoch} ${book.seq}`;
          if (shown.some((one) => one.place !== place)) return 'elsewhere';
          const told = [book.bids[0]?.[0] ?? '–', book.asks[0]?.[0] ?? '–'];
          const isSame = shown.every(({ text }, at) => sameDecimal(text, told[at] ?? ''));
          return isSame ? 'same' : JSON.stringify({ shown, told });
        },
        { timeout: 15_000, interval: 20 },
      )
      .toBe('same');
  }

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

  it(
    'that slept in the background is exact within a second, and has not grown',
    async () => {
      const { url } = await serve();
      const { page, context, faults } = await open(url);
      const devtools = await context.newCDPSession(page);
      const heapMb = async () => {
        await devtools.send('HeapProfiler.collectGarbage');
        return (await devtools.send('Runtime.getHeapUsage')).usedSize / 1e6;
      };
      // What a page makes once, it has made by then.
      await page.waitForTimeout(3000);
      const before = { nodes: await nodes(page), heapMb: await heapMb() };
      await devtools.send('Page.setWebLifecycleState', { state: 'frozen' });
      await new Promise((resolve) => setTimeout(resolve, HIDDEN_MS));
      // It has come to what the server has now, or later.
      const name = (await (await fetch(`${url}v1/instruments`)).json()).instruments[0].name;
      const now = (await (await fetch(`${url}v1/book/${name}?depth=1`)).json()) as {
        epoch: string;
        seq: string;
      };
      const startMs = performance.now();
      await devtools.send('Page.setWebLifecycleState', { state: 'active' });
      await page.waitForFunction(
        ([epoch, seq]) => {
          const { dataset } = document.querySelector<HTMLElement>('#best-bid') ?? document.body;
          const isSynced = document.querySelector('.book-state[data-state="synced"]') !== null;
          return isSynced && dataset.epoch === epoch && BigInt(dataset.seq ?? 0) >= BigInt(seq ?? 0);
        },
        [now.epoch, now.seq],
      );
      const backMs = performance.now() - startMs;
      await isAsHttpSays(page, url, name);
      expect(await health(page, 'checks')).toBe('0');
      await page.waitForTimeout(3000);
      const after = { nodes: await nodes(page), heapMb: await heapMb() };
      console.log(
        `hidden for ${HIDDEN_MS / 60_000} min: exact after ${backMs.toFixed(0)} ms; heap ${before.heapMb.toFixed(2)} -> ` +
          `${after.heapMb.toFixed(2)} MB, elements ${before.nodes} -> ${after.nodes}`,
      );
      expect(backMs).toBeLessThan(BACK_MS_MAX);
      expect(after.nodes).toBeLessThan(before.nodes + 50);
      expect(after.heapMb).toBeLessThan(before.heapMb + HEAP_MB_MORE_MAX);
      expect(faults).toEqual([]);
      await context.close();
    },
    90_000 + HIDDEN_MS,
  );
});
