import { describe, expect, it } from 'vitest';
import { startServing } from '../src/cli/serve.js';
import type { Terminal } from '../src/cli/terminal.js';
import { type WatchOptions, watch } from '../src/cli/watch.js';
import { WatchLimits } from '../src/cli/watch-limits.js';
import type { WatchChannel } from '../src/cli/watch-lines.js';
import { stream } from '../src/cli/watch-stream.js';
import { configFrom } from '../src/config.js';
import { Kind } from '../src/wire/index.js';
import { type Control, opened, type Peer, withFeed } from './support/feed-server.js';
import { checkOf, crc32cBitwise, type FrameSpec, frame, message } from './support/frames.js';

type Line = Readonly<Record<string, unknown>>;

/** A terminal that keeps lines, and tells when there are so many. */
class Lines {
  readonly lines: Line[] = [];
  private readonly waiting: { readonly test: () => boolean; readonly resolve: () => void }[] = [];

  write(text: string): Promise<void> {
    this.lines.push(JSON.parse(text) as Line);
    for (const { test, resolve } of this.waiting) if (test()) resolve();
    return Promise.resolve();
  }

  until(test: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      if (test()) resolve();
      else this.waiting.push({ test, resolve });
    });
  }
}

const endless = (abort: AbortController): WatchLimits =>
  new WatchLimits({ countMax: undefined, timeoutMs: undefined }, abort.signal);

/** What `watch` prints of a channel, of which a test plays the server, until there are so many lines. */
async function printed(
  channel: WatchChannel,
  instrument: string,
  count: number,
  play: (peer: Peer, asked: Control, terminal: Lines) => void | Promise<void>,
): Promise<Line[]> {
  const terminal = new Lines();
  const abort = new AbortController();
  await withFeed(
    async ({ feed, peer }) => {
      await opened(feed);
      const done = stream(
        feed,
        { instruments: [instrument], channel, depth: 5, grouping: undefined, limits: endless(abort) },
        terminal,
      );
      await play(peer, await peer.next('subscribe'), terminal);
      await terminal.until(() => terminal.lines.length >= count);
      abort.abort();
      await done;
    },
    { signal: abort.signal },
  );
  return terminal.lines;
}

const of = (kind: number, stream: number, seq: number, spec: Partial<FrameSpec> = {}): Uint8Array =>
  frame({ kind, stream, epoch: 1n, prevSeq: seq - 1, seq, instrument: 7, ...spec });

describe('watch of a channel', () => {
  it('prints trades with their gaps', async () => {
    const trade = { price: 6_180_020, qty: 5, id: 2n ** 60n, tsEvent: 9, aggressor: 2 };
    const lines = await printed('trades', 'x:A', 2, (peer, asked) => {
      peer.grant(asked, { stream: 3 });
      peer.bytes(
        message(
          of(Kind.image, 3, 1),
          of(Kind.trade, 3, 2, { trades: [trade] }),
          of(Kind.trade, 3, 9, { trades: [] }),
        ),
      );
    });
    expect(lines).toEqual([
      {
        instrument: 'x:A',
        price: '61800.20',
        qty: '0.00005',
        aggressor: 'sell',
        id: '1152921504606846976',
        idKind: 'number',
        tsEvent: '9',
        seq: '2',
      },
      { instrument: 'x:A', event: 'gap', reason: 'sequence', expected: '2', received: '8' },
    ]);
  });

  it('prints orders: the whole by its size, then each change', async () => {
    const crc = crc32cBitwise(new Uint8Array(BigInt64Array.of(1n, 0n, 100n, 5n).buffer));
    const check = { topCrc: crc, allCrc: crc, bidCount: 1, askCount: 0 };
    const lines = await printed('orders', 'x:A', 2, (peer, asked) => {
      peer.grant(asked, { stream: 6 });
      peer.bytes(
        message(
          of(Kind.image, 6, 1, { info: {}, check, orders: [{ id: 1, action: 1, price: 100, qty: 5 }] }),
          of(Kind.orders, 6, 2, { orders: [{ id: 2, action: 1, price: 100, qty: 7, cause: 1 }] }),
        ),
      );
    });
    expect(lines).toEqual([
      {
        instrument: 'x:A',
        state: 'synced',
        reason: 'none',
        epoch: '1',
        seq: '1',
        bidOrders: 1,
        askOrders: 0,
      },
      {
        instrument: 'x:A',
        action: 'add',
        id: '2',
        side: 'bid',
        price: '1.00',
        qty: '0.00007',
        cause: 'new',
        ahead: 1,
        seq: '2',
      },
    ]);
  });

  it('prints statistics, trading and status', async () => {
    const ticker = await printed('ticker', 'x:A', 1, (peer, asked) => {
      peer.grant(asked, { stream: 7 });
      const values = [6_180_020, 0, 0, 0, 0, -5];
      peer.bytes(of(Kind.image, 7, 1, { ticker: { mask: 0b10_0001, values } }));
    });
    expect(ticker).toEqual([
      {
        instrument: 'x:A',
        state: 'synced',
        last: '61800.20',
        fundingRateE9: '-5',
        tsRecv: '0',
        tsEvent: '0',
        seq: '1',
      },
    ]);
    const trading = await printed('trading', 'x:A', 1, (peer, asked) => {
      peer.grant(asked, { stream: 9 });
      peer.bytes(of(Kind.image, 9, 1, { trading: { status: 3 } }));
    });
    expect(trading).toEqual([
      { instrument: 'x:A', state: 'synced', status: 'auction', tsEvent: '0', seq: '1' },
    ]);
    const status = await printed('status', 'x:A', 1, (peer, asked) => {
      peer.grant(asked, { stream: 4 });
      peer.bytes(of(Kind.status, 4, 1, { status: { state: 3, reason: 1 }, gap: { noticed: 5n, reason: 1 } }));
    });
    expect(status).toMatchObject([
      {
        instrument: 'x:A',
        state: 'stale',
        reason: 'gap',
        gap: { noticed: '5', before: { epoch: '0', seq: '0' } },
      },
    ]);
  });

  it('prints what comes and goes of a pattern, and what was not seen one by one', async () => {
    const image = (seq: number): Uint8Array =>
      of(Kind.image, 1, seq, { info: {}, check: checkOf([[100, 5]], []), bids: [[100, 5]] });
    const name = { channel: 'book', instrument: 'x:A', stream: 1 };
    const lines = await printed('book', 'x:*', 7, async (peer, asked, terminal) => {
      peer.control({ op: 'matched', id: asked.id, instruments: 1 });
      peer.grant({ ...asked, instrument: 'x:A' });
      peer.bytes(image(1));
      await terminal.until(() => terminal.lines.at(-1)?.state === 'synced');
      peer.control({ op: 'slow', state: 'behind', streams: [{ ...name, epoch: '1', seq: '1' }] });
      peer.control({ op: 'slow', state: 'rejoined', ...name, from: '1', to: '4', by: 'image' });
      peer.bytes(image(4));
      peer.control({ op: 'removed', ...name, reason: 'not_served' });
    });
    const words = lines.map(({ event, state, seq, reason }) => event ?? `${state} ${seq} ${reason}`);
    expect(words).toContain('synced 1 none');
    expect(words.filter((word) => !String(word).includes(' '))).toEqual([
      'matched',
      'slow',
      'slow',
      'resync',
      'removed',
    ]);
    expect(lines.find(({ event }) => event === 'resync')).toEqual({
      instrument: 'x:A',
      event: 'resync',
      cause: 'slow',
      by: 'image',
      from: { epoch: '1', seq: '1' },
      to: { epoch: '1', seq: '4' },
    });
  });

  it('ends by the error of what it shows', async () => {
    const abort = new AbortController();
    await withFeed(async ({ feed, peer }) => {
      const done = stream(
        feed,
        { instruments: ['x:A'], channel: 'ticker', depth: 5, grouping: undefined, limits: endless(abort) },
        new Lines(),
      );
      const { id } = await peer.next('subscribe');
      peer.control({ op: 'error', id, code: 'feed.not_entitled' });
      await expect(done).rejects.toMatchObject({ code: 'feed.not_entitled' });
    });
    await withFeed(async ({ feed, peer }) => {
      const done = stream(
        feed,
        { instruments: ['x:*'], channel: 'ticker', depth: 5, grouping: undefined, limits: endless(abort) },
        new Lines(),
      );
      await peer.next('subscribe');
      peer.close(4403);
      await expect(done).rejects.toMatchObject({ code: 'feed.not_entitled' });
    });
  });
});

const OPTIONS: WatchOptions = {
  url: '127.0.0.1:9',
  instruments: ['sim:A'],
  channel: 'depth',
  output: 'table',
  depth: 1,
  grouping: undefined,
  tokenFile: undefined,
  countMax: undefined,
  timeoutMs: undefined,
  signal: new AbortController().signal,
};

describe('watch of a server', () => {
  it('prints all instruments that fit, also where a table was the default, and ends by its signal', async () => {
    const serving = await startServing(
      configFrom({ server: { port: 0, drainMs: 300 } }),
      new Map(),
      () => {},
    );
    const abort = new AbortController();
    const terminal = new Lines();
    const done = watch(
      { ...OPTIONS, url: serving.url, instruments: ['sim:*'], channel: 'bbo', signal: abort.signal },
      { stdout: terminal as unknown as Terminal, stderr: terminal },
    );
    const synced = (): Set<unknown> =>
      new Set(terminal.lines.filter(({ state }) => state === 'synced').map(({ instrument }) => instrument));
    await terminal.until(() => synced().size === 4);
    expect(terminal.lines[0]).toEqual({ event: 'matched', instruments: 4 });
    abort.abort();
    await done;
    await serving.stop('test is over');
  });

  it.each([
    ['a snapshot of trades', { channel: 'trades', output: 'json' }, 'watch.output'],
    ['a token file that is not there', { tokenFile: '/nowhere/token' }, 'watch.token_file'],
  ] as const)('refuses %s', async (_what, options, code) => {
    const terminal = new Lines();
    const run = watch(
      { ...OPTIONS, ...options },
      { stdout: terminal as unknown as Terminal, stderr: terminal },
    );
    await expect(run).rejects.toMatchObject({ code });
  });
});
