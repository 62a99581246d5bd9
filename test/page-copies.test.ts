import type { ChildProcess } from 'node:child_process';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withoutThousands } from '../src/web/exact-copy.js';
import { launch, openPage, startServer, stopServer } from './support/page.js';

/** Keeps what each copy would put on the clipboard, by the events of the browser's own keys. */
function keepCopies(): void {
  const copies: string[] = [];
  Object.assign(globalThis, { copies });
  document.addEventListener('DOMContentLoaded', () => {
    // Behind the page's own listener.
    window.addEventListener('copy', (event) => copies.push(event.clipboardData?.getData('text/plain') ?? ''));
  });
}

const copied = (page: Page) =>
  page.evaluate(() => (globalThis as unknown as { copies: string[] }).copies.at(-1) ?? '');

/** Presses a key that copies, and waits until the browser has: its own keys go a longer way than the page's. */
async function pressCopy(page: Page, keys: string): Promise<string> {
  const count = () => page.evaluate(() => (globalThis as unknown as { copies: string[] }).copies.length);
  const before = await count();
  await page.keyboard.press(keys);
  await expect.poll(count, { interval: 5 }).toBe(before + 1);
  return copied(page);
}

interface HttpBook {
  readonly seq: string;
  readonly bids: readonly (readonly [price: string, qty: string])[];
  readonly asks: readonly (readonly [price: string, qty: string])[];
}

describe('what is copied from the page', () => {
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

  const open = (parts: string) =>
    openPage(
      browser,
      `${server.url}#sim:BTCUSDT&heat=0&${parts}`,
      { width: 1440, height: 900 },
      'dark',
      keepCopies,
    );

  /** Copies by a key until the book stood still meanwhile: what was copied, and the book of that place. */
  async function copiedOf(
    page: Page,
    keys: string,
  ): Promise<{ readonly text: string; readonly book: HttpBook }> {
    for (;;) {
      const seq = () => page.getAttribute('#best-bid', 'data-seq');
      const before = await seq();
      const text = await pressCopy(page, keys);
      const answer = await fetch(`${server.url}v1/book/sim:BTCUSDT?depth=1000`);
      const book = (await answer.json()) as HttpBook;
      if (before === (await seq()) && before === book.seq) return { text, book };
    }
  }

  it('has all digits of a ladder row, of all rows in view, and of a part of a number', async () => {
    const { page, context } = await open('group=5');
    await page.focus('#ladder');
    const all = await copiedOf(page, 'Control+c');
    const rows = all.text
      .trimEnd()
      .split('\n')
      .map((line) => line.split('\t'));
    expect(rows.length).toBeGreaterThan(8);
    const sums = { bid: 0n, ask: 0n };
    // Of the lot's five decimals; the API leaves zeros out.
    const mantissa = (text = '') => {
      const [whole = '', decimals = ''] = text.split('.');
      return BigInt(whole + decimals.padEnd(5, '0'));
    };
    for (const [side, levels, direction] of [
      ['bid', all.book.bids, -1],
      ['ask', all.book.asks, 1],
    ] as const) {
      const shown = rows.filter(([of]) => of === side);
      if (side === 'ask') shown.reverse();
      for (const [, price = '', qty, sum] of shown) {
        // Bids round down to a multiple of the width, asks up.
        const inBucket = levels.filter(([one]) => {
          const round = direction < 0 ? Math.floor : Math.ceil;
          return round(Number(one) / 5) * 5 === Number(price);
        });
        const expected = inBucket.reduce((total, [, one]) => total + mantissa(one), 0n);
        sums[side] += expected;
        expect(mantissa(qty), `${side} ${price}`).toBe(expected);
        expect(qty).toMatch(/^\d+\.\d{5}$/);
        expect(mantissa(sum), `sum to ${price}`).toBe(sums[side]);
      }
      expect(shown.length).toBeGreaterThan(2);
    }

    await page.keyboard.press('ArrowDown');
    const chosen = await copiedOf(page, 'c');
    // The market may pass the chosen bucket at any moment: then it is the other side's, or has both.
    const chosenRow = /^((bid|ask)\t6\d{4}\t\d+\.\d{5}\t\d+\.\d{5}\t(\d+\.\d{5})?\n){1,2}$/;
    const pricesOf = (text: string) =>
      new Set(
        text
          .trimEnd()
          .split('\n')
          .map((line) => line.split('\t')[1]),
      );
    expect(chosen.text).toMatch(chosenRow);
    const prices = pricesOf(chosen.text);
    expect(prices.size).toBe(1);
    expect(await page.textContent('.copy-row')).toBe('Copied');
    await page.click('.copy-row');
    expect(await copied(page)).toMatch(chosenRow);
    expect(pricesOf(await copied(page))).toEqual(prices);
    // Scrolled away from, it is the chosen row still: its elements show others by now.
    for (let pages = 0; pages < 2; pages += 1) await page.keyboard.press('PageDown');
    await expect.poll(() => page.locator('.rung[data-mark="cursor"]').count()).toBe(0);
    expect(pricesOf(await pressCopy(page, 'c'))).toEqual(prices);
    await page.keyboard.press('f');
    await page.waitForSelector('.follow[aria-pressed="true"]');

    // Half of a quantity that is printed short is selected: the whole of it is copied.
    const cell = page.locator('#ladder .rung[data-side="ask"] .sum-ask').first();
    await cell.evaluate((element) => {
      const range = document.createRange();
      range.setStart(element.firstChild as Text, 0);
      range.setEnd(element.firstChild as Text, 2);
      getSelection()?.removeAllRanges();
      getSelection()?.addRange(range);
      // In one go, before the market moves on.
      document.execCommand('copy');
    });
    expect(await copied(page)).toMatch(/^\d+\.\d{5}$/);
    await context.close();
  }, 60_000);

  it('has all digits of the best prices and of the trades, whatever is selected with them', async () => {
    const { page, context } = await open('group=1');
    await page.waitForFunction(() => document.querySelectorAll('.trade[data-aggressor]').length > 1);
    const select = (selector: string) =>
      page.evaluate((part) => {
        getSelection()?.selectAllChildren(document.querySelector(part) as Element);
        document.execCommand('copy');
      }, selector);
    await select('.touch-bar');
    expect(await copied(page)).toMatch(/^bid\t6\d{4}\.\d\d\t\d+\.\d{5}\nask\t6\d{4}\.\d\d\t\d+\.\d{5}\n$/);
    await select('#best-ask');
    expect(await copied(page)).toMatch(/^6\d{4}\.\d\d$/);

    const trade = /^\d{4}-\d\d-\d\dT[\d:.]+Z\t(buy|sell)\t\d+\.\d\d\t\d+\.\d{5}\t\d+$/;
    await select('.trade[data-aggressor]');
    expect((await copied(page)).trimEnd()).toMatch(trade);
    await page.focus('.trades');
    await page.evaluate(() => getSelection()?.removeAllRanges());
    const trades = (await pressCopy(page, 'Control+c')).trimEnd().split('\n');
    expect(trades.length).toBeGreaterThan(1);
    for (const line of trades) expect(line).toMatch(trade);

    // Of all that is on the page only what is exact.
    await page.keyboard.press('Control+a');
    const everything = await pressCopy(page, 'Control+c');
    expect(everything).toMatch(/^bid\t6\d{4}\.\d\d\t.*\nask\t/);
    expect(everything).not.toMatch(/[,…]/);
    await context.close();
  }, 60_000);

  it('has no commas in other numbers, and what is typed into fields is the browser’s', async () => {
    expect(withoutThousands('buy 1,234,567.125 and 12,34, 1,2345')).toBe('buy 1234567.125 and 12,34, 1,2345');
    const { page, context } = await open('');
    await page.focus('#ladder');
    await page.keyboard.press('ArrowDown');
    await expect.poll(() => page.textContent('.at-level')).toMatch(/^Bid 6\d,\d{3}/);
    await page.evaluate(() => {
      getSelection()?.selectAllChildren(document.querySelector('.at-level') as Element);
      document.execCommand('copy');
    });
    expect(await copied(page)).toMatch(/^Bid 6\d{4}/);
    await page.fill('.own-size input', '1.5');
    await page.locator('.own-size input').selectText();
    expect(await pressCopy(page, 'Control+c')).toBe('');
    await context.close();
  }, 60_000);
});
