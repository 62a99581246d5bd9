import type { ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GAP_COLUMNS } from '../src/web/heatmap-columns.js';
import { NOT_TOLD, TEXEL_FACTS, TEXEL_ROWS } from '../src/web/heatmap-texels.js';
import { FrameReader, LocalBook } from '../src/wire/index.js';
import { ARTEFACTS, launch, openPage, startServer, stopServer } from './support/page.js';
import { simulatedRecording } from './support/recording.js';

const DESKTOP = { width: 1280, height: 720 };
const COLUMN_MS = 250;
/** Columns that are compared cell for cell. */
const COLUMNS_MIN = 12;

/** What the socket brought, in its order. */
type Message = string | Buffer;

function listen(page: Page): Message[] {
  const messages: Message[] = [];
  page.on('websocket', (socket) => socket.on('framereceived', ({ payload }) => messages.push(payload)));
  return messages;
}

interface Drawn {
  readonly newest: number;
  readonly origin: number;
  readonly capacity: number;
  readonly bucketSize: number;
  /** The texture, one row of `capacity` texels after another. */
  readonly texels: readonly number[];
}

/** Reads the texture from which the painter draws back from the GPU. */
function readTexture(rows: number): Drawn {
  const canvas = document.querySelector<HTMLCanvasElement>('.heat-canvas');
  const gl = canvas?.getContext('webgl2');
  if (!canvas || !gl) throw new Error('no heatmap');
  if (gl.getExtension('EXT_color_buffer_float') === null) throw new Error('floats cannot be read back');
  const { newest, origin, capacity, bucketSize } = canvas.dataset;
  const width = Number(capacity);
  gl.bindFramebuffer(gl.FRAMEBUFFER, gl.createFramebuffer());
  const texture = gl.getParameter(gl.TEXTURE_BINDING_2D) as WebGLTexture;
  gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, texture, 0);
  const rgba = new Float32Array(width * rows * 4);
  gl.readPixels(0, 0, width, rows, gl.RGBA, gl.FLOAT, rgba);
  gl.bindFramebuffer(gl.FRAMEBUFFER, null);
  const texels: number[] = [];
  for (let at = 0; at < rgba.length; at += 4) texels.push(rgba[at] ?? 0, rgba[at + 1] ?? 0);
  return {
    newest: Number(newest),
    origin: Number(origin),
    capacity: width,
    bucketSize: Number(bucketSize),
    texels,
  };
}

type Cells = ReadonlyMap<string, number>;

interface PlainColumn {
  readonly cells: Cells;
  readonly bidTo: number;
  readonly askTo: number;
}

/** The columns by the plainest way: the book at the last frame of each span of time. */
function plainColumns(messages: readonly Message[]): ReadonlyMap<number, PlainColumn> {
  const columns = new Map<number, PlainColumn>();
  const reader = new FrameReader();
  const book = new LocalBook();
  let stream = -1;
  for (const message of messages) {
    if (typeof message === 'string') {
      const control = JSON.parse(message) as {
        channel?: string;
        op: string;
        stream?: number;
        grouping?: string;
      };
      // The list's prices come by the same channel, and are not grouped.
      const isView = control.op === 'subscribed' && control.channel === 'depth' && control.grouping != null;
      if (isView) stream = control.stream ?? -1;
      continue;
    }
    reader.reset(message);
    while (reader.next()) {
      if (reader.stream !== stream) continue;
      const { tag } = book.apply(reader);
      if (tag !== 'applied' && tag !== 'image') continue;
      const cells = new Map<string, number>();
      for (const side of ['bid', 'ask'] as const) {
        for (const level of book.levels(side)) cells.set(`${side} ${level.price}`, level.qty);
      }
      const edge = (side: 'bid' | 'ask', open: number) =>
        book.count(side) < book.depthMax ? open : (book.levelAt(side, book.count(side) - 1)?.price ?? open);
      const column = Math.floor(Number(book.tsSend / 1_000_000n) / COLUMN_MS);
      columns.set(column, { cells, bidTo: edge('bid', -Infinity), askTo: edge('ask', Infinity) });
    }
  }
  return columns;
}

describe('heatmap', () => {
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

  it('draws the columns that a plain one has of the same frames, cell for cell', async () => {
    const context = await browser.newContext({ viewport: DESKTOP, reducedMotion: 'reduce' });
    const page = await context.newPage();
    const messages = listen(page);
    await page.goto(`${server.url}#heatms=${COLUMN_MS}`);
    await page.waitForSelector('.heat-canvas[data-newest]');
    const first = Number(await page.getAttribute('.heat-canvas', 'data-newest'));
    await expect
      .poll(() => page.getAttribute('.heat-canvas', 'data-newest').then(Number), { timeout: 30_000 })
      .toBeGreaterThan(first + COLUMNS_MIN);
    const drawn = await page.evaluate(readTexture, TEXEL_FACTS + TEXEL_ROWS);
    const plain = plainColumns(messages);
    const texel = (slot: number, row: number): readonly [number, number] => {
      const at = (row * drawn.capacity + slot) * 2;
      return [drawn.texels[at] ?? Number.NaN, drawn.texels[at + 1] ?? Number.NaN];
    };
    let latest: PlainColumn | undefined;
    let compared = 0;
    let filled = 0;
    for (let column = Math.min(...plain.keys()); column <= drawn.newest; column += 1) {
      latest = plain.get(column) ?? latest;
      if (latest === undefined) continue;
      const slot = column % drawn.capacity;
      const [base, mark] = texel(slot, 0);
      expect(mark, `mark of column ${column}`).toBe(1);
      for (let row = 0; row < TEXEL_ROWS; row += 1) {
        const price = (base + drawn.origin + row) * drawn.bucketSize;
        const { cells, bidTo, askTo } = latest;
        const [bid, ask] = texel(slot, TEXEL_FACTS + row);
        expect(bid, `bid ${price} of ${column}`).toBe(
          price < bidTo ? NOT_TOLD : Math.fround(cells.get(`bid ${price}`) ?? 0),
        );
        expect(ask, `ask ${price} of ${column}`).toBe(
          price > askTo ? NOT_TOLD : Math.fround(cells.get(`ask ${price}`) ?? 0),
        );
        if (bid > 0 || ask > 0) filled += 1;
      }
      compared += 1;
    }
    expect(compared).toBeGreaterThanOrEqual(COLUMNS_MIN);
    expect(filled).toBeGreaterThan(COLUMNS_MIN * 20);
    await context.close();
  }, 90_000);

  it('pauses, scrolls back, goes live, tells a cell, copies it exactly and closes, all by keys', async () => {
    const { page, context, complaints } = await openPage(
      browser,
      `${server.url}#heatms=${COLUMN_MS}`,
      DESKTOP,
      'dark',
    );
    await page.waitForSelector('.heat-canvas[data-end]');
    const end = () => page.getAttribute('.heat-canvas', 'data-end').then(Number);
    const newest = () => page.getAttribute('.heat-canvas', 'data-newest').then(Number);
    await page.focus('.heat-field');
    await page.keyboard.press('Space');
    await page.waitForSelector('.heat-live[aria-pressed="false"]');
    const pausedAt = await end();
    await expect.poll(newest, { timeout: 10_000 }).toBeGreaterThan(pausedAt + 2);
    expect(await end()).toBe(pausedAt);

    await page.keyboard.press('ArrowDown');
    await expect.poll(() => page.textContent('.heat-readout')).toMatch(/^\d\d:\d\d:\d\d {2}[\d,.]+ {2}/);
    await page.screenshot({ path: join(ARTEFACTS, 'page-heatmap.png') });
    const copied = await page.evaluate(() => {
      const clipboardData = new DataTransfer();
      const event = new ClipboardEvent('copy', { clipboardData, bubbles: true, cancelable: true });
      document.querySelector('.heat-field')?.dispatchEvent(event);
      return clipboardData.getData('text/plain');
    });
    expect(copied).toMatch(
      /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\tmarket\n(bid|ask)\t\d+(\.\d+)?\t\d+(\.\d+)?\n/,
    );

    await page.keyboard.press('End');
    await page.waitForSelector('.heat-live[aria-pressed="true"]');
    await expect.poll(async () => (await newest()) - (await end())).toBe(0);
    expect(await page.textContent('.heat-readout')).toBe('');

    await page.keyboard.press('h');
    await page.waitForSelector('.heatmap', { state: 'detached' });
    await page.keyboard.press('h');
    await page.waitForSelector('.heat-canvas[data-newest]');
    expect(complaints).toEqual([]);
    await context.close();
  }, 60_000);

  it('marks the time of a lost connection, and draws no market in it', async () => {
    const other = await startServer();
    const { page, context } = await openPage(browser, `${other.url}#heatms=${COLUMN_MS}`, DESKTOP, 'dark');
    await page.waitForSelector('.heat-canvas[data-newest]');
    await stopServer(other.process);
    const lost = Number(await page.getAttribute('.heat-canvas', 'data-newest'));
    const newest = () => page.getAttribute('.heat-canvas', 'data-newest').then(Number);
    await expect.poll(newest, { timeout: 20_000 }).toBeGreaterThan(lost + 4);
    const drawn = await page.evaluate(readTexture, TEXEL_FACTS + TEXEL_ROWS);
    const slot = drawn.newest % drawn.capacity;
    expect(drawn.texels[slot * 2 + 1]).toBe(2);
    const cells = Array.from(
      { length: TEXEL_ROWS },
      (_, row) => drawn.texels[((TEXEL_FACTS + row) * drawn.capacity + slot) * 2],
    );
    expect(cells.every((qty) => qty === 0)).toBe(true);
    await page.focus('.heat-field');
    await page.keyboard.press('ArrowUp');
    await expect.poll(() => page.textContent('.heat-readout')).toMatch(/the book was not exact$/);
    await context.close();
  }, 60_000);
});

describe('heatmap of a replay', () => {
  const START_MS = 1_700_000_000_000;
  /** Long enough at ten times its speed for a slow machine. */
  const LENGTH_MS = 180_000;
  const folder = mkdtempSync(join(tmpdir(), 'depthwire-page-heatmap-'));
  let browser: Browser;
  let server: { readonly process: ChildProcess; readonly url: string };

  beforeAll(async () => {
    const file = join(folder, 'recording');
    writeFileSync(file, simulatedRecording('BTCUSDT', LENGTH_MS));
    server = await startServer(['--replay', file, '--instrument', 'sim:BTCUSDT']);
    browser = await launch();
  }, 60_000);

  afterAll(async () => {
    await browser?.close();
    if (server !== undefined) await stopServer(server.process);
    rmSync(folder, { recursive: true });
  }, 30_000);

  const wish = (body: object) =>
    fetch(`${server.url}v1/replay`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });

  it('has the time of the recording: at every speed, in a pause, and elsewhere behind a gap', async () => {
    const { page, context, complaints } = await openPage(
      browser,
      `${server.url}#sim:BTCUSDT&heatms=${COLUMN_MS}`,
      DESKTOP,
      'dark',
    );
    await page.waitForSelector('.heat-canvas[data-end-ms]');
    /** The column that is drawn last, and when in the recording it ended. */
    const drawn = () =>
      page.evaluate(() => {
        const { newest, endMs } = document.querySelector<HTMLElement>('.heat-canvas')?.dataset ?? {};
        return { newest: Number(newest), endMs: Number(endMs) };
      });
    const first = await drawn();
    expect(first.endMs).toBeGreaterThan(START_MS);
    expect(first.endMs).toBeLessThan(START_MS + LENGTH_MS);
    expect(first.newest).toBe(Math.floor(first.endMs / COLUMN_MS) - 1);

    // Ten times as fast: ten times as many columns, each of as much of the recording.
    const startMs = performance.now();
    expect((await wish({ speed: 10 })).status).toBe(200);
    await expect
      .poll(async () => (await drawn()).newest, { timeout: 15_000 })
      .toBeGreaterThan(first.newest + 60);
    expect(performance.now() - startMs).toBeLessThan((60 * COLUMN_MS) / 2);
    const fast = await drawn();
    expect(fast.endMs - first.endMs).toBe((fast.newest - first.newest) * COLUMN_MS);

    await wish({ paused: true, speed: 1 });
    await page.waitForSelector('.replay[data-state="paused"]');
    // The page asks for the clock twice a second, and under load later.
    let paused = await drawn();
    await expect
      .poll(
        async () => {
          const before = paused;
          await page.waitForTimeout(2000);
          paused = await drawn();
          return paused.newest - before.newest;
        },
        { timeout: 20_000 },
      )
      .toBe(0);
    await page.waitForTimeout(1500);
    expect(await drawn()).toEqual(paused);
    const clockMs = Number(
      BigInt(((await (await wish({})).json()) as { clockNs: string }).clockNs) / 1_000_000n,
    );
    expect(paused.endMs).toBeLessThanOrEqual(clockMs);
    expect(clockMs - paused.endMs).toBeLessThan(12_000);

    // Back to near the beginning: another stretch, behind a gap that is drawn.
    await wish({ seek: String(BigInt(START_MS + 5000) * 1_000_000n), paused: false });
    await expect.poll(async () => (await drawn()).endMs, { timeout: 15_000 }).toBeLessThan(START_MS + 15_000);
    await expect
      .poll(async () => (await drawn()).newest, { timeout: 15_000 })
      .toBeGreaterThan(paused.newest + GAP_COLUMNS + 4);
    const texture = await page.evaluate(readTexture, TEXEL_FACTS + TEXEL_ROWS);
    const marks: number[] = [];
    for (let column = paused.newest; column <= texture.newest; column += 1) {
      marks.push(texture.texels[(column % texture.capacity) * 2 + 1] ?? Number.NaN);
    }
    const gap = marks.indexOf(3);
    expect(marks.filter((mark) => mark === 3).length).toBe(GAP_COLUMNS);
    expect(marks.slice(gap, gap + GAP_COLUMNS).every((mark) => mark === 3)).toBe(true);
    expect(marks.slice(gap + GAP_COLUMNS).every((mark) => mark === 1)).toBe(true);
    const back = await drawn();
    expect(back.endMs - START_MS).toBeGreaterThan(5000);
    await page.screenshot({ path: join(ARTEFACTS, 'page-heatmap-replay.png') });
    expect(complaints).toEqual([]);
    await context.close();
  }, 90_000);
});
