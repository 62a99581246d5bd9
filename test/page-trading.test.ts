import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { channel, connect } from '../src/wire/index.js';
import { cutNumbers } from './support/cut-numbers.js';
import { ItchMarket } from './support/itch-bytes.js';
import { launch, openPage, startServer, stopServer } from './support/page.js';

const DESKTOP = { width: 1440, height: 900 };
const PHONE = { width: 390, height: 844 };

/** A number as the page prints it: `45.7k` is 45,700. */
function numberOf(text: string): number {
  const scale = { k: 1e3, M: 1e6, G: 1e9 }[text.slice(-1)];
  return Number(text.replaceAll(',', '').replace(/[kMG]$/, '')) * (scale ?? 1);
}

/** The cells of the ladder's rows, read in one go. */
function ladderRows(page: Page) {
  return page.$$eval('#ladder .rung', (rows) =>
    rows.map((row) => {
      const text = (selector: string) => row.querySelector(selector)?.textContent ?? '';
      return {
        price: text('.rung-price'),
        bid: text('.qty-bid'),
        bidSum: text('.sum-bid'),
        ask: text('.qty-ask'),
        askSum: text('.sum-ask'),
        volume: text('.volume'),
        area: row.querySelector<HTMLElement>('.volume')?.dataset.area ?? '',
        own: (row as HTMLElement).dataset.own ?? '',
        touch: 'touch' in (row as HTMLElement).dataset,
      };
    }),
  );
}

/** The elements that are not, or not wholly, within their panel and the window. */
function outside(page: Page, selector: string): Promise<readonly string[]> {
  return page.$$eval(selector, (all) =>
    all
      .filter((one) => {
        const box = one.getBoundingClientRect();
        const panel = one.closest('.panel')?.getBoundingClientRect() ?? box;
        const [right, bottom] = [Math.min(panel.right, innerWidth), Math.min(panel.bottom, innerHeight)];
        return (
          box.height === 0 || box.right > right + 1 || box.bottom > bottom + 1 || box.left < panel.left - 1
        );
      })
      .map((one) => `${one.className} ${one.textContent}`),
  );
}

describe('the page people trade from', () => {
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

  const open = (parts: string, screen = DESKTOP) =>
    openPage(browser, `${server.url}#sim:BTCUSDT&heat=0&${parts}`, screen, 'dark');

  it('sums quantities from the touch outwards, and marks how far an own size would trade', async () => {
    const { page, context } = await open('size=2');
    await page.waitForSelector('#ladder .rung[data-own="buy"]');
    const rows = await ladderRows(page);
    const sums = (side: 'bid' | 'ask') => {
      const outwards = (side === 'bid' ? rows : [...rows].reverse()).filter((row) => row[side] !== '');
      let sum = 0;
      for (const row of outwards) {
        sum += numberOf(row[side]);
        const shown = numberOf(side === 'bid' ? row.bidSum : row.askSum);
        // Each cell is rounded to what its width holds.
        expect(Math.abs(shown - sum), `${side} ${row.price}`).toBeLessThanOrEqual(0.001 * outwards.length);
        if (row.own !== '') expect(shown).toBeGreaterThanOrEqual(2);
      }
      expect(outwards.length).toBeGreaterThan(3);
    };
    sums('bid');
    sums('ask');
    expect(await page.textContent('.own-size-text')).toMatch(
      /^buy 6[\d.,]+ .*= 12\d\.\dk · sell 6[\d.,]+ .*= 12\d\.\dk$/,
    );
    expect(await page.textContent('.imbalance')).toMatch(/^\d+ % bid$/);
    await page.focus('#ladder');
    await page.keyboard.press('ArrowUp');
    await expect.poll(() => page.textContent('.own-size-text')).toMatch(/ · here behind [\d.]+/);
    await context.close();
  }, 60_000);

  it('shows what the engine has counted at each price, since when, and goes with the grouping', async () => {
    const { page, context } = await open('group=1');
    const feed = connect(`${server.url.replace('http', 'ws')}v1/feed`);
    try {
      await expect
        .poll(async () => (await ladderRows(page)).filter(({ volume }) => volume !== '').length, {
          timeout: 20_000,
        })
        .toBeGreaterThan(3);
      for (const grouping of ['1', '2', '5']) {
        await expect.poll(() => page.textContent('.group-size')).toBe(grouping);
        const { volumes } = feed.subscribe(channel.volumes, 'sim:BTCUSDT', { intervalMs: 250, grouping });
        await expect.poll(() => volumes.rows.length).toBeGreaterThan(0);
        // Trades go on: what is drawn is what the engine tells, at one moment.
        await expect
          .poll(
            async () => {
              const rows = await ladderRows(page);
              return rows.every(({ price, volume }) => {
                const row = volumes.at(numberOf(price) * 100);
                const qty = Number(row?.bought ?? 0) + Number(row?.sold ?? 0) + Number(row?.unknown ?? 0);
                return volume === '' ? qty === 0 : Math.abs(numberOf(volume) - qty / 1e5) <= 0.001;
              });
            },
            { timeout: 15_000, interval: 50 },
          )
          .toBe(true);
        const rows = await ladderRows(page);
        const control = rows.findIndex(({ area }) => area === 'poc');
        const most = Math.max(...rows.map(({ volume }) => (volume === '' ? 0 : numberOf(volume))));
        if (control >= 0) expect(numberOf(rows[control]?.volume ?? '')).toBe(most);
        expect(rows.some(({ area }) => area !== '')).toBe(true);
        expect(await page.textContent('.profile')).toMatch(
          /^Traded since \d\d:\d\d:\d\d · POC 6\d,\d{3} · VA 6\d,\d{3}–6\d,\d{3}$/,
        );
        await page.keyboard.press(']');
      }
    } finally {
      await feed.close();
    }
    expect(await page.textContent('.cvd')).toMatch(/^CVD -?[\d.]+k?$/);
    await context.close();
  }, 90_000);

  it('leaves small trades out, lets large ones stand out, and copies exact decimals', async () => {
    const { page, context } = await open('tapemin=0.05&tapelarge=0.3');
    const trades = () =>
      page.$$eval('.trade[data-aggressor]', (rows) =>
        rows.map((row) => ({
          qty: Number(row.querySelector('.trade-qty')?.textContent),
          isLarge: 'large' in (row as HTMLElement).dataset,
        })),
      );
    await expect.poll(async () => (await trades()).length, { timeout: 20_000 }).toBeGreaterThan(3);
    for (const { qty, isLarge } of await trades()) {
      expect(qty).toBeGreaterThanOrEqual(0.05);
      expect(isLarge).toBe(qty >= 0.3);
    }
    const copied = await page.evaluate(() => {
      const clipboardData = new DataTransfer();
      document
        .querySelector('.trades')
        ?.dispatchEvent(new ClipboardEvent('copy', { clipboardData, bubbles: true, cancelable: true }));
      return clipboardData.getData('text/plain');
    });
    expect(copied).toMatch(/^(\d{4}-\d\d-\d\dT[\d:.]+Z\t(buy|sell)\t\d+\.\d\d\t\d+\.\d{5}\t\d+\n)+$/);
    // What is typed counts at once, and the address and the next visit have it.
    await page.fill('[aria-label="Least quantity of a trade that is shown"]', '0.5');
    await expect.poll(() => page.evaluate(() => location.hash)).toContain('tapemin=0.5');
    await expect.poll(async () => (await trades()).every(({ qty }) => qty >= 0.5)).toBe(true);
    await page.goto('about:blank');
    await page.goto(server.url);
    await page.waitForSelector('.book-state[data-state="synced"]');
    expect(await page.inputValue('[aria-label="Least quantity of a trade that is shown"]')).toBe('0.5');
    expect(await page.isVisible('.heatmap')).toBe(false);
    await context.close();
  }, 60_000);

  it('stands several instruments beside each other, each exact, and gives their names to readers', async () => {
    const { page, context, complaints } = await open('beside=sim:ETHUSDT,sim:SOLUSDT');
    for (const name of ['sim:ETHUSDT', 'sim:SOLUSDT']) {
      const pane = page.locator(`.pane[data-instrument="${name}"]`);
      await pane.locator('.book-state[data-state="synced"]').waitFor();
      expect(await pane.getAttribute('aria-label')).toBe(`Ladder of ${name}`);
      // The page at one sequence against the API at the same one.
      let isSame = false;
      for (let turn = 0; turn < 200 && !isSame; turn += 1) {
        const answer = await fetch(`${server.url}v1/book/${encodeURIComponent(name)}?depth=1`);
        const book = (await answer.json()) as {
          epoch: string;
          seq: string;
          bids: string[][];
          asks: string[][];
        };
        const shown = await pane.evaluate((element) =>
          ['.best-bid', '.best-ask'].map((one) => {
            const { epoch, seq, value } = element.querySelector<HTMLElement>(one)?.dataset ?? {};
            return { epoch, seq, value };
          }),
        );
        const [bid, ask] = shown;
        if (bid?.seq !== book.seq || bid.epoch !== book.epoch) continue;
        expect([Number(bid.value), Number(ask?.value)]).toEqual([
          Number(book.bids[0]?.[0]),
          Number(book.asks[0]?.[0]),
        ]);
        isSame = true;
      }
      expect(isSame).toBe(true);
    }
    // Narrow as they are, no digit is cut off, and each can be closed.
    expect(await page.evaluate(cutNumbers)).toEqual([]);
    expect(await outside(page, '.pane [aria-label^="Close"], .touch-bar .price')).toEqual([]);
    // One of them takes the middle: it is watched once, and the other pane stays.
    await page.click('.pane[data-instrument="sim:ETHUSDT"] .pane-title');
    await page.waitForSelector('.ladder[data-instrument="sim:ETHUSDT"]');
    expect(await page.locator('.pane').count()).toBe(1);
    await page.selectOption('.beside-picker', 'sim:DOGEUSDT');
    await page.waitForSelector('.pane[data-instrument="sim:DOGEUSDT"] .book-state[data-state="synced"]');
    await page.click('[aria-label="Close DOGEUSDT"]');
    await page.waitForSelector('.pane[data-instrument="sim:DOGEUSDT"]', { state: 'detached' });
    expect(await page.evaluate(() => location.hash)).toContain('beside=sim:ETHUSDT,sim:SOLUSDT');
    expect(complaints).toEqual([]);
    await context.close();
  }, 60_000);

  it('tells of prices and sizes that come true, once, to readers too, and has the price in its title', async () => {
    const { page, context } = await open('alerts=trade~0.00001~sim:BTCUSDT');
    const log = page.getByRole('log');
    await expect
      .poll(() => log.textContent(), { timeout: 20_000 })
      .toMatch(/trade of 0.00001 or more: (buy|sell) 0\.\d+ at \d+/);
    expect(await log.getAttribute('aria-live')).toBe('assertive');
    await page.click('[aria-label^="Remove the alert"]');
    await page.click('.alerts summary');
    await page.selectOption('[aria-label="What to be told of"]', 'below');
    await page.fill('[aria-label="Price or quantity"]', '99999');
    await page.keyboard.press('Enter');
    await expect.poll(() => log.textContent()).toMatch(/sim:BTCUSDT at or below 99999: 6\d{4}/);
    await expect.poll(() => page.evaluate(() => location.hash)).toContain('alerts=below~99999~sim:BTCUSDT');
    const told = ((await log.textContent()) ?? '').split('at or below').length;
    await page.waitForTimeout(1500);
    expect(((await log.textContent()) ?? '').split('at or below').length).toBe(told);
    await expect.poll(() => page.title()).toMatch(/^6\d{4}\.\d\d \/ 6\d{4}\.\d\d BTCUSDT$/);
    await context.close();
  }, 60_000);

  it('has all of its parts in a window of 720 lines, with the depth over time and the orders open', async () => {
    const address = `${server.url}#sim:BTCUSDT&heat=1&orders=1&size=1`;
    const { page, context } = await openPage(browser, address, { width: 1280, height: 720 }, 'dark');
    await page.waitForSelector('.heat-canvas[data-end]');
    await page.waitForSelector('.trade[data-aggressor]');
    await expect.poll(() => page.textContent('.profile')).toMatch(/ · VA /);
    const parts = '.ladder .inspector, .own-size, .own-size-text, .profile, .orders, .trades, .flow';
    expect(await outside(page, parts)).toEqual([]);
    expect(await page.evaluate(cutNumbers)).toEqual([]);
    await context.close();
  }, 60_000);

  it('is whole at phone width: heatmap, columns, flow, tape and alerts, and nothing to scroll sideways', async () => {
    const { page, context, complaints } = await open('size=1', PHONE);
    await page.click('text=Heatmap');
    await page.waitForSelector('.heat-canvas[data-end]');
    for (const part of ['.heat-canvas', '#ladder .volume', '.own-size', '.flow', '.trades', '.alerts']) {
      const box = await page.locator(part).first().boundingBox();
      expect(box?.height, part).toBeGreaterThan(20);
      expect(box?.width, part).toBeGreaterThan(20);
    }
    expect(
      await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth),
    ).toBeLessThanOrEqual(0);
    expect(complaints).toEqual([]);
    await context.close();
  }, 60_000);

  it('lists the orders at a chosen price in the order of their queue', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'depthwire-orders-'));
    const file = join(folder, 'day.itch');
    writeFileSync(file, new ItchMarket(['ABCD'], 4000, 7).file);
    const other = await startServer(['--replay', file, '--speed', 'max', '--instrument', 'nasdaq:ABCD']);
    const feed = connect(`${other.url.replace('http', 'ws')}v1/feed`);
    try {
      const { orders } = feed.subscribe(channel.orders, 'nasdaq:ABCD');
      const { page, context } = await openPage(
        browser,
        `${other.url}#nasdaq:ABCD&heat=0&group=0.0001`,
        DESKTOP,
        'dark',
      );
      await page.focus('#ladder');
      await page.keyboard.press('o');
      await expect.poll(() => page.textContent('.orders-note')).toBe('Choose a price of the ladder.');
      await page.keyboard.press('ArrowDown');
      await page.waitForSelector('.order');
      await expect.poll(() => orders.state).toBe('synced');
      const best = orders.bestBid;
      const expected = [...orders.queue('bid', best?.price ?? 0)].map((order, place) => [
        String(place + 1),
        orders.priceText(order.price),
        orders.qtyText(order.qty),
        String(order.id),
      ]);
      const shown = () =>
        page.$$eval('.order', (rows) =>
          rows.map((row) => [...row.children].map((cell) => (cell.textContent ?? '').replaceAll(',', ''))),
        );
      expect(expected.length).toBeGreaterThan(0);
      await expect.poll(shown).toEqual(expected);
      expect(await page.textContent('.orders-at')).toBe(`bid ${expected.length}`);
      await context.close();
    } finally {
      await feed.close();
      await stopServer(other.process);
      rmSync(folder, { recursive: true });
    }
  }, 60_000);
});
