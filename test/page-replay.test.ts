import type { ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cutNumbers } from './support/cut-numbers.js';
import { ARTEFACTS, launch, startServer, stopServer } from './support/page.js';
import { simulatedRecording } from './support/recording.js';

const DESKTOP = { width: 1280, height: 720 };
const START_MS = 1_700_000_000_000;
const LENGTH_MS = 30_000;

type Server = { readonly process: ChildProcess; readonly url: string };

/** A book of prices with 18 digits and quantities of billions, as Binance would say it. */
function longNumbers(): string {
  const levels = (from: number, by: number): string =>
    Array.from(
      { length: 400 },
      (_, at) => `["1234${String(from + at * by)}.123456789","9876543210.9876543"]`,
    ).join();
  const snapshot = `{"lastUpdateId":10,"bids":[${levels(50_000, -1)}],"asks":[${levels(50_001, 1)}]}`;
  const update = (seq: number): string =>
    `{"e":"depthUpdate","E":${START_MS},"s":"BTCUSDT","U":${seq},"u":${seq},"b":[["123450000.123456789","${seq}000000000.5"]],"a":[]}`;
  const lines = [update(10), snapshot, ...Array.from({ length: 50 }, (_, at) => update(11 + at))];
  return lines.map((line, at) => `${BigInt(START_MS + at * 100) * 1_000_000n} ${line}\n`).join('');
}

describe('the page of a replay', () => {
  const folder = mkdtempSync(join(tmpdir(), 'depthwire-page-replay-'));
  let browser: Browser;
  let server: Server;
  let long: Server;

  beforeAll(async () => {
    mkdirSync(ARTEFACTS, { recursive: true });
    const [file, longFile] = [join(folder, 'recording'), join(folder, 'long')];
    writeFileSync(file, simulatedRecording('BTCUSDT', LENGTH_MS));
    writeFileSync(longFile, longNumbers());
    server = await startServer(['--replay', file, '--instrument', 'sim:BTCUSDT']);
    long = await startServer(['--replay', longFile, '--instrument', 'sim:BTCUSDT', '--speed', 'max']);
    browser = await launch();
  }, 60_000);

  afterAll(async () => {
    await browser?.close();
    for (const one of [server, long]) if (one !== undefined) await stopServer(one.process);
    rmSync(folder, { recursive: true });
  }, 30_000);

  async function open(url: string, viewport: { width: number; height: number }, scheme: 'dark' | 'light') {
    const context = await browser.newContext({ viewport, colorScheme: scheme, reducedMotion: 'reduce' });
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on('pageerror', (error) => complaints.push(String(error)));
    await page.goto(url);
    await page.waitForSelector('.book-state[data-state="synced"]', { timeout: 20_000 });
    return { page, context, complaints };
  }

  const standing = async (): Promise<{ state: string; speed: unknown; clockNs: string; paused: boolean }> =>
    (await (await fetch(`${server.url}v1/replay`)).json()) as never;
  const clock = async (page: Page): Promise<number> =>
    Date.parse(((await page.textContent('.replay-clock')) ?? '').replace(' ', 'T'));

  it('says that it is one, with its clock and its end, and shows no latency', async () => {
    const { page, context, complaints } = await open(server.url, DESKTOP, 'dark');
    const bar = page.getByRole('region', { name: 'Replay' });
    await bar.waitFor();
    expect(await page.textContent('.replay-badge')).toBe('REPLAY');
    expect(await page.textContent('.connection')).toBe('Replay');
    await expect.poll(() => page.textContent('.replay-end')).toMatch(/^ends 2023-11-1\d \d\d:\d\d:\d\d$/);
    const nowMs = Number(BigInt((await standing()).clockNs) / 1_000_000n);
    expect(Math.abs((await clock(page)) - nowMs)).toBeLessThan(3000);
    expect(await page.textContent('[data-health="p50"]')).toBe('of a replay: none');
    expect(await page.textContent('[data-health="outages"]')).toBe('0');
    await page.screenshot({ path: join(ARTEFACTS, 'page-replay.png') });
    expect(complaints).toEqual([]);
    await context.close();
  }, 60_000);

  it('pauses it, goes on, and changes its speed and time by keyboard alone', async () => {
    const { page, context, complaints } = await open(server.url, DESKTOP, 'dark');
    await page.getByRole('button', { name: 'Pause' }).waitFor();
    await page.focus('#ladder');
    await page.keyboard.press('p');
    await expect.poll(async () => (await standing()).state).toBe('paused');
    await page.getByRole('button', { name: 'Go on' }).waitFor();
    // What was under way when it paused is still told.
    await expect
      .poll(async () => {
        const told = await clock(page);
        await page.waitForTimeout(300);
        return (await clock(page)) - told;
      })
      .toBe(0);
    const before = await clock(page);
    await page.waitForTimeout(1200);
    expect(await clock(page)).toBe(before);

    await page.getByRole('slider', { name: 'Time of the recording' }).focus();
    await page.keyboard.press('End');
    await expect
      .poll(async () => Number(BigInt((await standing()).clockNs) / 1_000_000n))
      .toBeGreaterThan(START_MS + LENGTH_MS - 2000);
    await page.keyboard.press('Home');
    await expect
      .poll(async () => Number(BigInt((await standing()).clockNs) / 1_000_000n))
      .toBeLessThan(START_MS + 1000);
    for (let step = 0; step < 5; step += 1) await page.keyboard.press('ArrowRight');
    await expect
      .poll(async () => Number(BigInt((await standing()).clockNs) / 1_000_000n))
      .toBeGreaterThan(START_MS + 4000);
    await page.waitForSelector('.book-state[data-state="synced"]');
    expect(await page.getAttribute('.replay-time', 'aria-valuetext')).toMatch(/^2023-11-1\d /);

    await page.getByLabel('Speed').selectOption('2');
    await expect.poll(async () => (await standing()).speed).toBe(2);
    await page.getByLabel('Skip idle times').press(' ');
    await expect.poll(async () => (await standing()) as object).toMatchObject({ skipIdle: true });
    await page.getByRole('button', { name: 'Go on' }).press('Enter');
    await expect.poll(async () => (await standing()).state).toBe('running');
    expect(complaints).toEqual([]);
    await context.close();
  }, 60_000);

  it.each([
    ['1440 × 900, light', { width: 1440, height: 900 }, 'light'],
    ['1280 × 720, dark', DESKTOP, 'dark'],
    ['390 × 844, dark', { width: 390, height: 844 }, 'dark'],
  ] as const)(
    'cuts no number into another one: 18 digits at %s',
    async (name, viewport, scheme) => {
      const { page, context, complaints } = await open(long.url, viewport, scheme);
      await page.waitForSelector('.rung[data-side="bid"]');
      await expect.poll(() => page.getAttribute('#best-bid', 'data-value')).toBe('123450000.123456789');
      await page.waitForSelector('.page[data-long]');
      expect(await page.evaluate(cutNumbers)).toEqual([]);
      const sideways = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      expect(sideways).toBeLessThanOrEqual(0);
      await page.screenshot({ path: join(ARTEFACTS, `page-long-${name.split(' ')[0]}.png`) });
      expect(complaints).toEqual([]);
      await context.close();
    },
    60_000,
  );
});
