import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launch, openPage, startServer, stopServer } from './support/page.js';

const START_MS = 1_700_000_000_000;

/** A book of a bid at 60000.00 and an ask at 60000.02, and then a bid at another price. */
function bookWith(bid: string): string {
  const update = (seq: number, bids: string): string =>
    `{"e":"depthUpdate","E":${START_MS},"s":"BTCUSDT","U":${seq},"u":${seq},"b":[${bids}],"a":[]}`;
  const lines = [
    update(10, ''),
    '{"lastUpdateId":10,"bids":[["60000.00","1.5"]],"asks":[["60000.02","2.5"]]}',
    update(11, '["59999.99","1"]'),
    update(12, `["${bid}","0.25"]`),
  ];
  return lines.map((line, at) => `${BigInt(START_MS + at * 50) * 1_000_000n} ${line}\n`).join('');
}

describe('a book without a spread', () => {
  const folder = mkdtempSync(join(tmpdir(), 'depthwire-page-crossed-'));
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

  it.each([
    ['crossed by', '60000.05', '0.03', true],
    ['locked', '60000.02', '0.00', false],
    ['', '60000.01', '0.01', false],
  ])(
    'is said to be "%s", where it is',
    async (words, bid, spread, isCrossed) => {
      const file = join(folder, `book-${bid}`);
      writeFileSync(file, bookWith(bid));
      const server = await startServer(['--replay', file, '--speed', 'max', '--instrument', 'sim:BTCUSDT']);
      servers.push(server.process);
      const { page, context, complaints } = await openPage(
        browser,
        `${server.url}#sim:BTCUSDT&heat=0`,
        { width: 1280, height: 720 },
        'dark',
      );
      await page.waitForSelector(`#best-bid[data-value="${Number(bid)}"]`);
      const answer = await fetch(`${server.url}v1/book/sim:BTCUSDT?depth=1`);
      const book = (await answer.json()) as { epoch: string; seq: string; crossed: boolean };
      expect(book.crossed).toBe(isCrossed);
      expect(await page.getAttribute('#best-bid', 'data-seq')).toBe(book.seq);
      // Beside the spread, in words, told to readers; and in the list and the state where prices cross.
      expect(await page.textContent('.market-state')).toBe(words);
      expect(await page.getAttribute('.market-state', 'role')).toBe('status');
      expect(await page.locator('.market-state').isVisible()).toBe(words !== '');
      expect(await page.textContent('.spread-value')).toBe(spread);
      const state = isCrossed ? 'synced: crossed' : 'synced';
      expect(await page.textContent('.ladder .book-state')).toBe(state);
      await expect.poll(() => page.textContent('.instrument .state')).toBe(state);
      const doubted = page.locator('.ladder .book-state[data-state="synced"][data-doubt]');
      expect(await doubted.count()).toBe(isCrossed ? 1 : 0);
      // A phone has room for both prices and the words between them.
      await page.setViewportSize({ width: 390, height: 844 });
      for (const side of ['bid', 'ask']) {
        const isCut = await page
          .locator(`.ladder .touch-bar .${side}`)
          .evaluate((price) => price.scrollWidth > price.clientWidth);
        expect(isCut, side).toBe(false);
      }
      expect(complaints).toEqual([]);
      await context.close();
    },
    60_000,
  );
});
