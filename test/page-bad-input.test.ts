import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTab } from './support/hidden-tab.js';
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
const SETTLE_MS = 3000;

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

/** A book of some decimals in its prices and quantities, about a price, and changes of it; `then` are lines behind them. */
function bookOfDecimals(
  middle: number,
  priceDecimals: number,
  qtyDecimals: number,
  then: readonly string[] = [],
): string {
  const level = (price: number, qty: number): string =>
    `["${price.toFixed(priceDecimals)}","${qty.toFixed(qtyDecimals)}"]`;
  const tick = 10 ** -priceDecimals;
  const lot = 10 ** -qtyDecimals;
  const side = (by: number): string =>
    Array.from({ length: 50 }, (_, at) => level(middle + by * (at + 1) * tick, (at + 1) * 123 * lot)).join();
  const lines = [
    depthUpdate(10, '', ''),
    `{"lastUpdateId":10,"bids":[${side(-1)}],"asks":[${side(1)}]}`,
    ...Array.from({ length: 20 }, (_, at) =>
      depthUpdate(11 + at, level(middle - tick, (at + 7) * lot), level(middle + tick, (at + 3) * lot)),
    ),
    ...then,
  ];
  return recorded(lines);
}

function depthUpdate(seq: number, bids: string, asks: string): string {
  return `{"e":"depthUpdate","E":${START_MS},"s":"BTCUSDT","U":${seq},"u":${seq},"b":[${bids}],"a":[${asks}]}`;
}

function recorded(lines: readonly string[]): string {
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

  /** What is drawn is what the API says at the same place. */
  async function isAsHttpSays(page: Page, url: string, name = 'sim:BTCUSDT'): Promise<void> {
    const drawn = async () => (await page.evaluate(DRAWN)) as Drawn;
    await expect
      .poll(async () => compared(await drawn(), url, name), { timeout: 15_000, interval: 20 })
      .toBe('same');
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
    await isAsHttpSays(page, first.url, 'sim:ETHUSDT');
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
    await isAsHttpSays(page, first.url);
    expect(faults).toEqual([]);
    await context.close();
  }, 90_000);

  it('is exact when the server is back with other decimals of the same instrument', async () => {
    const [coarse, fine] = [
      recording('coarse', bookOfDecimals(60_000, 2, 3)),
      recording('fine', bookOfDecimals(0.0625, 7, 0)),
    ];
    const replay = (file: string) => ['--replay', file, '--instrument', 'sim:BTCUSDT', '--speed', '0.2'];
    const first = await serve('--port', String(portOfItsOwn()), ...replay(coarse));
    const { page, context, faults } = await open(`${first.url}#sim:BTCUSDT&group=0.05&heat=1`);
    await isAsHttpSays(page, first.url);
    await stopServer(first.process);
    await page.waitForSelector('.connection[data-state="reconnecting"]');
    await serve('--port', new URL(first.url).port, ...replay(fine));
    await page.waitForSelector('.book-state[data-state="synced"]', { timeout: 20_000 });
    await page.waitForSelector('.ladder:not([data-dim])');
    await isAsHttpSays(page, first.url);
    expect(await page.textContent('#best-bid')).toMatch(/^0\.062499/);
    expect(await page.textContent('.qty-bid >> nth=0')).not.toMatch(/NaN|∞/);
    expect(await health(page, 'checks')).toBe('0');
    expect(faults).toEqual([]);
    await context.close();
  }, 90_000);

  it('is exact when an instrument gets more decimals while it is watched', async () => {
    // Prices of hundredths and whole quantities, until one comes that is finer: another scale, in a new epoch.
    const finer = [
      depthUpdate(31, '["59999.995","5.25"]', ''),
      ...Array.from({ length: 100 }, (_, at) => depthUpdate(32 + at, `["59999.995","${at + 1}.125"]`, '')),
    ];
    const file = recording('finer', bookOfDecimals(60_000, 2, 0, finer));
    // Slow enough that the page is there before it.
    const { url } = await serve('--replay', file, '--instrument', 'sim:BTCUSDT', '--speed', '0.08');
    const { page, context, faults } = await open(`${url}#sim:BTCUSDT&group=0.05&heat=1`);
    await isAsHttpSays(page, url);
    const epoch = await page.getAttribute('#best-bid', 'data-epoch');
    await page.waitForSelector('#best-bid[data-value="59999.995"]', { timeout: 40_000 });
    expect(await page.getAttribute('#best-bid', 'data-epoch')).not.toBe(epoch);
    await isAsHttpSays(page, url);
    expect(await page.textContent('.group-size')).toBe('0.05');
    expect(await health(page, 'checks')).toBe('0');
    expect(faults).toEqual([]);
    await context.close();
  }, 90_000);

  it('shows prices of 18 digits and quantities of as many, exactly', async () => {
    const level = (price: string, qty: string) => `["${price}","${qty}"]`;
    const bids = Array.from({ length: 30 }, (_, at) =>
      level(`1234500${50 - at}.123456789`, '98765432109.8765432'),
    );
    const asks = Array.from({ length: 30 }, (_, at) =>
      level(`1234500${51 + at}.123456789`, '98765432109.8765432'),
    );
    const file = recording(
      'long',
      recorded([
        depthUpdate(10, '', ''),
        `{"lastUpdateId":10,"bids":[${bids}],"asks":[${asks}]}`,
        ...Array.from({ length: 200 }, (_, at) =>
          depthUpdate(11 + at, level('123450050.987654321', `${at + 1}2345678901.2345678`), ''),
        ),
      ]),
    );
    const { url } = await serve('--replay', file, '--instrument', 'sim:BTCUSDT', '--speed', '0.5');
    const { page, context, faults } = await open(`${url}#sim:BTCUSDT`);
    await page.waitForSelector('#best-bid[data-value="123450050.987654321"]', { timeout: 20_000 });
    await isAsHttpSays(page, url);
    expect(await health(page, 'checks')).toBe('0');
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
    await isAsHttpSays(page, url);
    expect(await health(page, 'checks')).toBe('0');
    expect(faults).toEqual([]);
    await context.close();
  }, 90_000);
});

/** What is drawn of the best prices, where it stands, and whether it is exact. */
const DRAWN = `(() => {
  const one = (id) => document.querySelector(id);
  const prices = ['#best-bid', '#best-ask'].map((id) => {
    const { epoch, seq } = one(id)?.dataset ?? {};
    return { place: epoch + ' ' + seq, text: (one(id)?.parentElement?.textContent ?? '').replace(/^Best (bid|ask) /, '') };
  });
  return {
    prices,
    isSynced: one('.book-state[data-state="synced"]') !== null && one('.ladder:not([data-dim])') !== null,
    checks: one('[data-health="checks"]')?.textContent,
    visibility: document.visibilityState,
    size: Number(one('.group-size')?.textContent),
    rows: [...document.querySelectorAll('#ladder .rung')].map((row) =>
      ['.rung-price', '.qty-bid', '.qty-ask'].map((cell) => row.querySelector(cell)?.textContent ?? '')),
    elements: document.querySelectorAll('*').length,
  };
})()`;

interface Drawn {
  readonly prices: readonly { readonly place: string; readonly text: string }[];
  readonly isSynced: boolean;
  readonly checks: string;
  readonly visibility: string;
  /** The ladder's grouping, and its rows: price, bid and ask quantity. */
  readonly size: number;
  readonly rows: readonly (readonly [price: string, bid: string, ask: string])[];
  readonly elements: number;
}

describe('a page in the background', () => {
  let server: { readonly process: ChildProcess; readonly url: string };

  beforeAll(async () => {
    server = await startServer();
  }, 60_000);

  afterAll(async () => {
    if (server !== undefined) await stopServer(server.process);
  }, 30_000);

  it.each([
    ['behind another tab', false],
    ['frozen', true],
  ])(
    'that was %s is exact within a second, and has not grown',
    async (what, isFrozen) => {
      const { url } = server;
      const tab = await openTab(`${url}#sim:BTCUSDT`);
      try {
        const drawn = async () => (await tab.evaluate(DRAWN)) as Drawn;
        await expect.poll(async () => (await drawn()).isSynced, { timeout: 20_000 }).toBe(true);
        // What a page makes once, it has made by then.
        await pause(SETTLE_MS);
        const before = { ...(await drawn()), heapMb: await tab.heapMb() };
        expect(before.visibility).toBe('visible');
        await tab.hide(isFrozen);
        await pause(HIDDEN_MS);
        expect((await drawn()).visibility).toBe('hidden');
        const now = await bookOf(url, 'sim:BTCUSDT');
        const startMs = performance.now();
        await tab.show();
        // It has come to what the server had then, or later.
        await expect
          .poll(
            async () => {
              const { isSynced, prices } = await drawn();
              const [epoch, seq] = (prices[0]?.place ?? '').split(' ');
              return isSynced && epoch === now.epoch && BigInt(seq ?? 0) >= BigInt(now.seq);
            },
            { timeout: 20_000, interval: 10 },
          )
          .toBe(true);
        const backMs = performance.now() - startMs;
        await expect
          .poll(async () => compared(await drawn(), url), { timeout: 15_000, interval: 20 })
          .toBe('same');
        await pause(SETTLE_MS);
        const after = { ...(await drawn()), heapMb: await tab.heapMb() };
        console.log(
          `${what} for ${(HIDDEN_MS / 60_000).toFixed(1)} min: exact after ${backMs.toFixed(0)} ms; heap ` +
            `${before.heapMb.toFixed(2)} -> ${after.heapMb.toFixed(2)} MB, elements ${before.elements} -> ${after.elements}`,
        );
        expect(backMs).toBeLessThan(BACK_MS_MAX);
        expect(after.checks).toBe('0');
        expect(after.elements).toBeLessThan(before.elements + 50);
        expect(after.heapMb).toBeLessThan(before.heapMb + HEAP_MB_MORE_MAX);
      } finally {
        await tab.close();
      }
    },
    90_000 + HIDDEN_MS,
  );
});

interface HttpBook {
  readonly epoch: string;
  readonly seq: string;
  readonly bids: readonly (readonly string[])[];
  readonly asks: readonly (readonly string[])[];
}

async function bookOf(url: string, name: string): Promise<HttpBook> {
  const answer = await fetch(`${url}v1/book/${encodeURIComponent(name)}?depth=1000`);
  return (await answer.json()) as HttpBook;
}

/** The best prices and the rows that are drawn, against the API: `same` at the same place, or what differs. */
async function compared({ prices, rows, size }: Drawn, url: string, name = 'sim:BTCUSDT'): Promise<string> {
  const { epoch, seq, bids, asks } = await bookOf(url, name);
  if (prices.some(({ place }) => place !== `${epoch} ${seq}`)) return 'elsewhere';
  const told = [bids[0]?.[0] ?? '–', asks[0]?.[0] ?? '–'];
  const isSame = prices.every(({ text }, at) => sameDecimal(text, told[at] ?? ''));
  if (!isSame) return JSON.stringify({ prices, told });
  for (const [text, bid, ask] of rows) {
    const price = Number(text.replaceAll(',', ''));
    // Beyond this a double is too coarse to find a bucket by.
    if (text === '' || price / size > 2 ** 43) continue;
    // Bids are in the bucket below them, asks in the one above.
    const sum = (levels: HttpBook['bids'], side: 1 | -1): number =>
      levels
        .filter(([one]) => {
          const off = ((Number(one) - price) * -side) / size;
          return off > -1e-6 && off < 1 - 1e-6;
        })
        .reduce((total, [, qty]) => total + Number(qty), 0);
    for (const [shown, levels, side] of [
      [bid, bids, -1],
      [ask, asks, 1],
    ] as const) {
      const expected = sum(levels, side);
      if (Math.abs(numberOf(shown) - expected) > Math.max(expected * 5e-3, 1e-9))
        return `row ${text}: ${shown} for ${expected}`;
    }
  }
  return rows.some(([, bid]) => bid !== '') ? 'same' : 'no rows';
}

/** A number as the page prints it: `45.7k` is 45,700. */
function numberOf(text: string): number {
  const scale = { k: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15 }[text.slice(-1)];
  return Number(text.replaceAll(',', '').replace(/[kMGTP]$/, '')) * (scale ?? 1);
}

/** Whether two exact decimals are one number, whatever zeros stand behind it. */
function sameDecimal(one: string, other: string): boolean {
  const plain = (text: string) => (text.includes('.') ? text.replace(/\.?0+$/, '') : text);
  return plain(one) === plain(other);
}
