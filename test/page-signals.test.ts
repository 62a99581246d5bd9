import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SignalHistory } from '../src/web/signal-history.js';
import { valueText } from '../src/web/signals-painter.js';
import { SIGNAL_NAMES } from '../src/wire/generated/constants.js';
import type { Signal } from '../src/wire/index.js';
import { ARTEFACTS, launch, openPage, type Screen, startServer, stopServer } from './support/page.js';

const NAMES = SIGNAL_NAMES.filter((name) => name !== 'none');
const WIDE = { width: 1440, height: 900 };

describe('signals on the page', () => {
  let server: { readonly process: ChildProcess; readonly url: string };
  let browser: Browser;

  beforeAll(async () => {
    [server, browser] = await Promise.all([startServer(), launch()]);
  }, 60_000);

  afterAll(async () => {
    await browser?.close();
    if (server !== undefined) await stopServer(server.process);
  }, 30_000);

  /** How many views of signals the page has asked for and not left. */
  const asked = (page: Page): Promise<number> =>
    page.evaluate(() => (window as unknown as { signalsAsked: number }).signalsAsked);

  const opened = (address: string, viewport: Screen, theme: 'dark' | 'light') =>
    openPage(browser, `${server.url}${address}`, viewport, theme, () => {
      const counted = window as unknown as { signalsAsked: number };
      counted.signalsAsked = 0;
      const { send } = WebSocket.prototype;
      WebSocket.prototype.send = function (data) {
        if (typeof data === 'string' && data.includes('signals')) {
          if (data.includes('"unsubscribe"')) counted.signalsAsked -= 1;
          else if (data.includes('"subscribe"')) counted.signalsAsked += 1;
        }
        send.call(this, data);
      };
    });

  it('are asked for while they are shown, and opened by key, button and address', async () => {
    const { page, context, complaints } = await opened('#sim:BTCUSDT&heat=0', WIDE, 'dark');
    expect([await page.locator('.signals').count(), await asked(page)]).toEqual([0, 0]);
    await page.keyboard.press('s');
    await page.waitForSelector('.signal[data-signal="mid"]:not([data-absent])');
    expect(await asked(page)).toBe(1);
    expect(page.url()).toContain('signals=1');
    expect(
      await page.locator('.signal').evaluateAll((rows) => rows.map((row) => row.getAttribute('data-signal'))),
    ).toEqual(NAMES);
    // What has no value is there, and says so.
    expect(await page.textContent('[data-signal="vpin"][data-absent] .signal-value')).toBe('–');
    await page.waitForSelector('[data-signal="mid"] path[d*="L"]', { state: 'attached' });
    expect(await page.textContent('[data-signal="mid"] .signal-unit')).toBe('price');
    // Its window is not full yet, once there is one.
    await page.waitForSelector('[data-signal="volatility"][data-partial]');
    expect(await page.textContent('[data-signal="volatility"] .signal-unit')).toBe('1/√year, partial');
    await page.click('[aria-label="Close the signals"]');
    await page.waitForSelector('.signals', { state: 'detached' });
    await expect.poll(() => asked(page)).toBe(0);
    expect(page.url()).not.toContain('signals');
    await page.click('.header button[title="Signals: s"]');
    await page.waitForSelector('.signals');
    await page.reload();
    await page.waitForSelector('.signal[data-signal="mid"]:not([data-absent])');
    expect(complaints).toEqual([]);
    await context.close();
  }, 60_000);

  it('are those of the server, and follow the selected instrument', async () => {
    const { page, context } = await opened('#sim:BTCUSDT&heat=0&signals=1', WIDE, 'light');
    const mid = async (): Promise<number> =>
      Number((await page.textContent('[data-signal="mid"] .signal-value'))?.replaceAll(',', ''));
    const midOf = async (symbol: string): Promise<number> => {
      const answer = await fetch(`${server.url}v1/book/sim:${symbol}?depth=1`);
      const { bids, asks } = (await answer.json()) as { bids: [string][]; asks: [string][] };
      return (Number(bids[0]?.[0]) + Number(asks[0]?.[0])) / 2;
    };
    await page.waitForSelector('.signal[data-signal="mid"]:not([data-absent])');
    expect(Math.abs((await mid()) / (await midOf('BTCUSDT')) - 1)).toBeLessThan(0.01);
    await page.locator('.instrument', { hasText: 'ETHUSDT' }).click();
    await expect.poll(async () => Math.abs((await mid()) / (await midOf('ETHUSDT')) - 1)).toBeLessThan(0.01);
    expect(await asked(page)).toBe(1);
    await context.close();
  }, 60_000);

  it.each([
    ['dark', WIDE, 'wide'],
    ['light', WIDE, 'wide'],
    ['dark', { width: 900, height: 800 }, 'narrow'],
    ['light', { width: 390, height: 844 }, 'phone'],
  ] as const)(
    '%s, %o: no value is cut',
    async (theme, viewport, width) => {
      const { page, context } = await opened('#sim:BTCUSDT&heat=0&signals=1', viewport, theme);
      await page.waitForSelector('.signal[data-signal="cvd"]:not([data-absent])');
      await page.locator('.signals').scrollIntoViewIfNeeded();
      const cut = await page
        .locator('.signal-value, .signal-name')
        .evaluateAll((cells) =>
          cells.filter((cell) => cell.scrollWidth > cell.clientWidth).map((cell) => cell.textContent),
        );
      expect(cut).toEqual([]);
      await page.screenshot({ path: join(ARTEFACTS, `page-signals-${theme}-${width}.png`) });
      await context.close();
    },
    60_000,
  );

  it('are dimmed and said to be the last known where the connection is lost', async () => {
    const lone = await startServer();
    const { page, context } = await openPage(
      browser,
      `${lone.url}#sim:BTCUSDT&heat=0&signals=1`,
      WIDE,
      'dark',
    );
    await page.waitForSelector('.signal[data-signal="mid"]:not([data-absent])');
    expect(await page.getAttribute('.signal-list', 'data-dim')).toBe(null);
    expect(await page.textContent('.signals-note')).toBe('');
    await stopServer(lone.process);
    await page.waitForSelector('.signal-list[data-dim]');
    expect(await page.textContent('.signals-note')).toBe('Not connected: these are the last known.');
    await context.close();
  }, 60_000);
});

describe('a history', () => {
  it('is a line with a hole for each second without a value', () => {
    const history = new SignalHistory();
    expect(history.path(100, 10)).toBe('');
    for (const [second, value] of [
      [1, 5],
      [2, 7],
      [3, Number.NaN],
      [4, 6],
      [6, 5],
    ] as const)
      history.put(second, value);
    const lines = history.path(119, 10);
    expect(lines).toBe('M114.0 10.0L115.0 0.0M117.0 5.0M119.0 10.0');
    // Two minutes later nothing of it is left.
    history.put(200, 1);
    expect(history.path(119, 10)).toBe('M119.0 5.0');
  });
});

describe('a value', () => {
  it('has all of its digits, or six where these are many', () => {
    const signal = (value: number | bigint, exponent: number) => ({ value, exponent }) as Signal;
    expect(valueText(signal(6183763, -2))).toBe('61,837.63');
    expect(valueText(signal(142410473216, -20))).toBe('1.42410e-9');
    expect(valueText(signal(-5, -1))).toBe('-0.5');
  });
});
