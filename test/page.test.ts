import type { ChildProcess } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ARTEFACTS, launch, openPage, ROOT, startServer, stopServer } from './support/page.js';

const DESKTOP = { width: 1280, height: 800 };
const PHONE = { width: 360, height: 740 };
/** Common sequences of page and API that a comparison wants. */
const MATCHES_MIN = 5;
const PAGE_GZIP_BYTES_MAX = 80 * 1024;
/** Best prices as the page showed them at one (epoch, seq). */
interface Touch {
  readonly instrument: string;
  readonly epoch: string;
  readonly seq: string;
  readonly bid: string;
  readonly ask: string;
  /** Whether both elements carried the same epoch and sequence. */
  readonly whole: boolean;
}

declare global {
  interface Window {
    touches: Touch[];
  }
}

/** Runs in the page before its own script: keeps what the page shows at each paint. */
function recordTouches(): void {
  window.touches = [];
  const limit = 20_000;
  const observer = new MutationObserver(() => {
    const bid = document.getElementById('best-bid');
    const ask = document.getElementById('best-ask');
    if (bid === null || ask === null) return;
    const { instrument = '', epoch = '', seq = '' } = bid.dataset;
    if (seq === '' || seq === '0') return;
    const last = window.touches.at(-1);
    if (last?.seq === seq && last.epoch === epoch && last.instrument === instrument) return;
    const whole =
      ask.dataset.epoch === epoch && ask.dataset.seq === seq && ask.dataset.instrument === instrument;
    if (window.touches.length === limit) window.touches.shift();
    window.touches.push({
      instrument,
      epoch,
      seq,
      bid: bid.textContent ?? '',
      ask: ask.textContent ?? '',
      whole,
    });
  });
  observer.observe(document, {
    subtree: true,
    childList: true,
    characterData: true,
    attributes: true,
    attributeFilter: ['data-seq', 'data-epoch', 'data-instrument'],
  });
}

interface ApiBook {
  readonly epoch: string;
  readonly seq: string;
  readonly bids: readonly (readonly [price: string, qty: string])[];
  readonly asks: readonly (readonly [price: string, qty: string])[];
}

function shortest(decimal: string | undefined): string {
  if (decimal === undefined) return '–';
  return decimal.includes('.') ? decimal.replace(/\.?0+$/, '') : decimal;
}

/** Asks the API until it has answered enough sequences that the page has shown, and compares all of these. */
async function compareWithApi(page: Page, url: string): Promise<number> {
  const instrument = await page.getAttribute('#best-bid', 'data-instrument');
  const answers = new Map<string, ApiBook>();
  const deadlineMs = Date.now() + 20_000;
  let matches = 0;
  while (matches < MATCHES_MIN && Date.now() < deadlineMs) {
    for (let at = 0; at < 20; at += 1) {
      const answer = await fetch(`${url}v1/book/${encodeURIComponent(instrument ?? '')}?depth=1`);
      expect(answer.status).toBe(200);
      const book = (await answer.json()) as ApiBook;
      answers.set(`${book.epoch} ${book.seq}`, book);
      await page.waitForTimeout(10);
    }
    const touches = await page.evaluate(() => window.touches);
    matches = 0;
    for (const touch of touches) {
      expect(touch.whole, `bid and ask of one paint at seq ${touch.seq}`).toBe(true);
      const book = answers.get(`${touch.epoch} ${touch.seq}`);
      if (book === undefined || touch.instrument !== instrument) continue;
      expect({ seq: touch.seq, bid: touch.bid, ask: touch.ask }).toEqual({
        seq: book.seq,
        bid: shortest(book.bids[0]?.[0]),
        ask: shortest(book.asks[0]?.[0]),
      });
      matches += 1;
    }
  }
  expect(matches).toBeGreaterThanOrEqual(MATCHES_MIN);
  return matches;
}

/** Waits until an element's text differs from what it was. */
async function waitForChange(page: Page, selector: string): Promise<void> {
  const before = await page.textContent(selector);
  await expect.poll(() => page.textContent(selector), { timeout: 10_000 }).not.toBe(before);
}

/** Contrast ratios (WCAG) of the texts of the page against the ground that they stand on. */
function contrasts(): { readonly text: string; readonly ratio: number }[] {
  const channels = (colour: string): number[] => (colour.match(/[\d.]+/g) ?? []).map(Number);
  const luminance = (colour: string): number => {
    const [red = 0, green = 0, blue = 0] = channels(colour).map((value) => {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const groundOf = (element: Element | null): string => {
    if (element === null) return 'rgb(255, 255, 255)';
    const ground = getComputedStyle(element).backgroundColor;
    return channels(ground)[3] === 0 ? groundOf(element.parentElement) : ground;
  };
  return [...document.querySelectorAll('#app *')]
    .filter((element) => element.children.length === 0 && (element.textContent ?? '').trim() !== '')
    .map((element) => {
      const own = luminance(getComputedStyle(element).color);
      // A bar is the background of its cell or row, of one colour.
      const bar = [element, element.parentElement].find(
        (one) => one !== null && getComputedStyle(one).backgroundImage !== 'none',
      );
      const barColour = bar ? /rgb\([^)]*\)/.exec(getComputedStyle(bar).backgroundImage)?.[0] : undefined;
      const ground = luminance(barColour ?? groundOf(element));
      const ratio = (Math.max(own, ground) + 0.05) / (Math.min(own, ground) + 0.05);
      return { text: `${element.className}: ${element.textContent}`, ratio };
    });
}

describe('page', () => {
  let browser: Browser;
  let server: { readonly process: ChildProcess; readonly url: string };

  beforeAll(async () => {
    mkdirSync(ARTEFACTS, { recursive: true });
    server = await startServer();
    browser = await launch();
  }, 60_000);

  afterAll(async () => {
    await browser?.close();
    if (server !== undefined) await stopServer(server.process);
  }, 30_000);

  it('moves, shows the API’s best prices at the same sequence, and is silent and alone', async () => {
    const { page, context, complaints, origins } = await openPage(
      browser,
      server.url,
      DESKTOP,
      'dark',
      recordTouches,
    );
    await waitForChange(page, '#ladder');
    await waitForChange(page, '.trades');
    await compareWithApi(page, server.url);
    await page.waitForSelector('[data-health="p99"]:has-text("ms")');
    await page.locator('.rung[data-side="ask"] .qty-ask').last().hover();
    await expect.poll(() => page.textContent('.at-cost')).toMatch(/\d/);
    await page.screenshot({ path: join(ARTEFACTS, 'page-dark.png') });
    expect(complaints).toEqual([]);
    expect([...origins]).toEqual([new URL(server.url).origin]);
    await context.close();
  }, 60_000);

  it('reuses its rows: updates create none', async () => {
    const { page, context } = await openPage(browser, server.url, DESKTOP, 'dark', recordTouches);
    await waitForChange(page, '.trades');
    await page.evaluate(() => {
      const made = { count: 0 };
      Object.assign(window, { made });
      // The tape's last row becomes its first one.
      const known = new WeakSet<Node>(document.querySelectorAll('*'));
      new MutationObserver((changes) => {
        for (const change of changes) {
          made.count += [...change.addedNodes].filter(
            (node) => node instanceof Element && !known.has(node),
          ).length;
        }
      }).observe(document.body, { subtree: true, childList: true });
    });
    for (let turn = 0; turn < 3; turn += 1) await waitForChange(page, '#ladder');
    expect(await page.evaluate(() => (window as unknown as { made: { count: number } }).made.count)).toBe(0);
    await context.close();
  }, 60_000);

  it('says of each source what it is and how its books do', async () => {
    const { page, context } = await openPage(browser, server.url, DESKTOP, 'dark', recordTouches);
    const source = page.locator('[data-source="embedded venue"]');
    await source.getByText('4 of 4', { exact: true }).waitFor();
    const text = (await source.textContent()) ?? '';
    expect(text).toMatch(/^embedded venuesimulatedRunningsince \d\d:\d\d:\d\dSynced4 of 4/);
    expect(text).toMatch(/Last gapnone$/);
    await context.close();
  }, 60_000);

  it('shows the first instrument where the address names none that can be read', async () => {
    const { context, complaints } = await openPage(browser, `${server.url}#%`, DESKTOP, 'dark');
    expect(complaints).toEqual([]);
    await context.close();
  }, 60_000);

  it('is readable at phone width: one column, the ladder first, a select for the list, nothing to scroll sideways', async () => {
    const { page, context, complaints } = await openPage(browser, server.url, PHONE, 'dark', recordTouches);
    await waitForChange(page, '#ladder');
    expect(await page.isVisible('.picker')).toBe(true);
    expect(await page.isVisible('#instrument-list')).toBe(false);
    const tops = await page.evaluate(() =>
      ['.ladder', '.trades', '.health'].map(
        (selector) => document.querySelector(selector)?.getBoundingClientRect().top ?? 0,
      ),
    );
    expect([...tops].sort((a, b) => a - b)).toEqual(tops);
    const sideways = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    expect(sideways).toBeLessThanOrEqual(0);
    await compareWithApi(page, server.url);
    await page.screenshot({ path: join(ARTEFACTS, 'page-phone.png') });
    await page.screenshot({ path: join(ARTEFACTS, 'page-phone-whole.png'), fullPage: true });
    const other = await page.$eval('.picker', (picker) =>
      picker instanceof HTMLSelectElement ? (picker.options[1]?.value ?? '') : '',
    );
    await page.selectOption('.picker', other);
    await page.waitForSelector(`#best-bid[data-instrument="${other}"][data-value]`);
    await page.waitForSelector('.book-state[data-state="synced"]');
    expect(complaints).toEqual([]);
    await context.close();
  }, 60_000);

  it('obeys the keyboard', async () => {
    const { page, context, complaints } = await openPage(browser, server.url, DESKTOP, 'dark', recordTouches);
    const title = () => page.textContent('#ladder-title');
    const first = await title();
    await page.focus('#instrument-list');
    await page.keyboard.press('ArrowDown');
    await expect.poll(title).not.toBe(first);
    await page.keyboard.press('k');
    await expect.poll(title).toBe(first);
    await page.waitForSelector('.book-state[data-state="synced"]');

    await page.focus('#ladder');
    const group = () => page.textContent('.group-size');
    const grouping = await group();
    await page.keyboard.press(']');
    await expect.poll(group).not.toBe(grouping);
    await page.keyboard.press('[');
    await expect.poll(group).toBe(grouping);

    await page.keyboard.press('ArrowDown');
    await page.waitForSelector('.rung[data-mark="cursor"]');
    await expect.poll(() => page.textContent('.at-level')).toMatch(/^Bid /);
    await page.keyboard.press('PageDown');
    await page.waitForSelector('.follow[aria-pressed="false"]');
    await page.keyboard.press('f');
    await page.waitForSelector('.follow[aria-pressed="true"]');
    await page.hover('#ladder');
    await page.mouse.wheel(0, 400);
    await page.waitForSelector('.follow[aria-pressed="false"]');

    await page.keyboard.press('?');
    await page.waitForSelector('dialog[open]');
    await page.keyboard.press('Escape');
    await page.waitForSelector('dialog:not([open])', { state: 'attached' });
    expect(complaints).toEqual([]);
    await context.close();
  }, 60_000);

  it('is dark or light as the system is, changes by key and remembers it', async () => {
    const { page, context, complaints } = await openPage(browser, server.url, DESKTOP, 'light');
    const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = await ground();
    await page.waitForSelector('[data-health="p99"]:has-text("ms")');
    await waitForChange(page, '.trades');
    await page.screenshot({ path: join(ARTEFACTS, 'page-light.png') });
    expect((await page.evaluate(contrasts)).filter(({ ratio }) => ratio < 4.5)).toEqual([]);
    await page.keyboard.press('t');
    await expect.poll(ground).not.toBe(light);
    const dark = await ground();
    await page.waitForTimeout(100);
    expect((await page.evaluate(contrasts)).filter(({ ratio }) => ratio < 4.5)).toEqual([]);
    await page.reload();
    await page.waitForSelector('.book-state[data-state="synced"]');
    expect(await ground()).toBe(dark);
    expect(complaints).toEqual([]);
    await context.close();
  }, 60_000);

  it('says that it has lost the server, and dims what it can no longer vouch for', async () => {
    const own = await startServer();
    const { page, context } = await openPage(browser, own.url, DESKTOP, 'dark');
    await stopServer(own.process);
    await page.waitForSelector('.connection[data-state="reconnecting"]');
    await page.waitForSelector('.ladder[data-dim] .notice[data-shown]');
    expect(await page.textContent('.notice')).toMatch(/Not connected.*last known/);
    await page.waitForSelector('[data-health="connection"]:has-text("reconnecting")');
    await page.screenshot({ path: join(ARTEFACTS, 'page-disconnected.png') });
    await context.close();
  }, 60_000);

  it('stays within 80 KB on the wire', () => {
    const folder = join(ROOT, 'dist/web');
    const bytes = readdirSync(folder, { recursive: true, withFileTypes: true })
      // A chain and the signals are loaded by those who open them.
      .filter((entry) => entry.isFile() && !/^(chain|signals)-/.test(entry.name))
      .reduce((sum, entry) => sum + gzipSync(readFileSync(join(entry.parentPath, entry.name))).length, 0);
    expect(bytes).toBeGreaterThan(0);
    expect(bytes).toBeLessThanOrEqual(PAGE_GZIP_BYTES_MAX);
  });
});
