import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { WatchLimits } from '../src/cli/watch-limits.js';
import { Refusals, WatchedMarket } from '../src/cli/watch-market.js';
import { fitting, WatchedServer } from '../src/cli/watch-server.js';
import { Flag, Kind } from '../src/wire/index.js';
import { opened, type Peer, withFeed } from './support/feed-server.js';
import { checkOf, type FrameSpec, frame, message } from './support/frames.js';

const STREAMS = { depth: 1, trades: 3, status: 4 } as const;

const of = (kind: number, stream: number, seq: number, spec: Partial<FrameSpec> = {}): Uint8Array =>
  frame({ kind, stream, epoch: 1n, prevSeq: seq - 1, seq, instrument: 7, ...spec });

const image = (
  bids: [number, number][],
  asks: [number, number][],
  spec: Partial<FrameSpec> = {},
): Uint8Array =>
  of(Kind.image, STREAMS.depth, 1, { info: {}, check: checkOf(bids, asks), bids, asks, ...spec });

/** Answers what a market subscribes to first. */
async function grantAll(peer: Peer, count = 3): Promise<void> {
  for (let at = 0; at < count; at += 1) {
    const asked = await peer.next('subscribe');
    peer.grant(asked, { stream: STREAMS[asked.channel as keyof typeof STREAMS] });
  }
}

/** A market of which a test plays the server. */
async function played(
  play: (peer: Peer, market: WatchedMarket, input: () => Promise<void>) => Promise<void>,
  refusals = new Refusals(),
): Promise<void> {
  await withFeed(async ({ feed, peer }) => {
    await opened(feed);
    let wake = (): void => {};
    const market = new WatchedMarket(feed, 'x:A', { depth: 5, grouping: undefined }, refusals, () => wake());
    await play(
      peer,
      market,
      () =>
        new Promise((resolve) => {
          wake = resolve;
        }),
    );
    market.close();
  });
}

describe('a watched market', () => {
  it('has exact prices, totals and the spread, and what is in doubt', async () => {
    await played(async (peer, market, input) => {
      await grantAll(peer);
      const came = input();
      const bids: [number, number][] = [
        [6_180_020, 3],
        [6_180_000, 4],
      ];
      peer.bytes(
        image(bids, [[6_180_010, 5]], {
          flags: Flag.crossed | Flag.beyondKnown,
          info: { bidKnownTo: 6_180_010 },
        }),
      );
      await came;
      const view = market.view(5);
      expect(view).toMatchObject({
        state: 'synced',
        distrust: undefined,
        doubts: ['BEYOND KNOWN', 'CROSSED'],
        spread: { text: '-0.10' },
        replayMs: undefined,
        bids: [
          { price: '61800.20', qty: '0.00003', total: '0.00003', beyondKnown: false },
          { price: '61800.00', qty: '0.00004', total: '0.00007', beyondKnown: true },
        ],
        asks: [{ price: '61800.10', qty: '0.00005', total: '0.00005', share: 1 }],
      });
      expect(view.bids[0]?.share).toBeCloseTo(0.6);
    });
  });

  it('is no market when the server says so, and counts what was lost', async () => {
    await played(async (peer, market, input) => {
      await grantAll(peer);
      let came = input();
      peer.bytes(
        of(Kind.status, STREAMS.status, 1, { status: { state: 2 }, gap: { noticed: 5n, reason: 1 } }),
      );
      peer.bytes(
        image([[100, 1]], [[101, 1]], {
          flags: Flag.replay,
          tsRecv: 1_500_000_000_000_000_000n,
          tsSend: 1_700_000_000_000_000_000n,
        }),
      );
      await came;
      expect(market.view(1)).toMatchObject({ state: 'synced', gaps: 0, replayMs: 1.5e12 });
      came = input();
      peer.bytes(
        message(
          of(Kind.status, STREAMS.status, 2, {
            status: { state: 3, reason: 1, ageNs: 7e9 },
            gap: { noticed: 9n, reason: 1 },
          }),
          of(Kind.image, STREAMS.trades, 1),
          of(Kind.trade, STREAMS.trades, 9, { trades: [] }),
        ),
      );
      await came;
      const view = market.view(1);
      expect(view).toMatchObject({
        state: 'STALE (gap)',
        distrust: 'STALE (gap)',
        gaps: 1,
        trades: [{ tag: 'missing' }],
      });
      // The last book stays readable.
      expect(view.bids).toHaveLength(1);
    });
  });

  it('says how old its news was when the server sent it', async () => {
    await played(async (peer, market, input) => {
      await grantAll(peer);
      const came = input();
      peer.bytes(image([[100, 1]], [[101, 1]], { tsRecv: 1_000_000_000n, tsSend: 8_000_000_000n }));
      await came;
      expect(market.view(1).ageMs).toBeGreaterThanOrEqual(7000);
      expect(market.view(1).ageMs).toBeLessThan(12_000);
    });
  });

  it('goes to wider price steps when their view is there, and stays where it is when it is refused', async () => {
    await played(async (peer, market, input) => {
      expect(market.stepBy(1)).toBe(false);
      await grantAll(peer);
      let came = input();
      peer.bytes(image([[100, 1]], [[101, 1]]));
      await came;
      expect(market.stepBy(1)).toBe(true);
      const wider = (await peer.next('subscribe')) as unknown as { grouping: string; id: number };
      expect(wider.grouping).toBe('0.02');
      expect(market.view(1).grouping).toBeUndefined();
      peer.grant(wider as never, { stream: 40, grouping: '0.02' });
      came = input();
      peer.bytes(
        of(Kind.image, 40, 1, {
          info: {},
          check: checkOf([[98, 1]], [[102, 1]]),
          bids: [[98, 1]],
          asks: [[102, 1]],
        }),
      );
      await came;
      expect(market.view(1)).toMatchObject({ grouping: '0.02', bids: [{ price: '0.98' }] });
      expect((await peer.next('unsubscribe')).op).toBe('unsubscribe');

      market.setDepth(50);
      const deeper = await peer.next('subscribe');
      peer.control({
        op: 'error',
        id: deeper.id,
        code: 'feed.views_full',
        what: 'too many views',
        fix: 'close one',
      });
      await expect.poll(() => market.refusal).toBe('too many views: close one');
      expect(market.view(1)).toMatchObject({ grouping: '0.02', state: 'synced' });
    });
  });

  it('takes the tick from the prices in sight where nobody tells it', async () => {
    await played(async (peer, market, input) => {
      for (let at = 0; at < 3; at += 1) {
        const asked = await peer.next('subscribe');
        peer.grant(asked, { stream: STREAMS[asked.channel as keyof typeof STREAMS], tickSize: 0 });
      }
      const came = input();
      const bids: [number, number][] = [
        [479_900, 1],
        [479_875, 1],
        [479_800, 1],
      ];
      peer.bytes(image(bids, [[479_950, 1]]));
      await came;
      expect(market.stepBy(1)).toBe(true);
      expect(await peer.next('subscribe')).toMatchObject({ grouping: '0.5' });
    });
  });

  it('does not call a view that begins news of a recording', async () => {
    await played(async (peer, market, input) => {
      await grantAll(peer);
      const came = input();
      peer.bytes(of(Kind.status, STREAMS.status, 1, { status: { state: 2, ageNs: 60e9 } }));
      peer.bytes(image([[100, 1]], [[101, 1]], { flags: Flag.replay }));
      await came;
      expect(market.view(1).ageMs).toBeGreaterThanOrEqual(60_000);
    });
  });

  it('does without what a token does not hold, and asks no more after two refusals', async () => {
    const refusals = new Refusals();
    for (const isLast of [false, true]) {
      await played(async (peer, market) => {
        const asked = [
          await peer.next('subscribe'),
          await peer.next('subscribe'),
          await peer.next('subscribe'),
        ];
        for (const { id, channel } of asked)
          if (channel !== 'depth') peer.control({ op: 'error', id, code: 'feed.not_entitled' });
        await expect.poll(() => refusals.mayAsk('trades')).toBe(!isLast);
        await expect.poll(() => refusals.mayAsk('status')).toBe(!isLast);
        await expect.poll(() => market.view(1).tradesNotice).toContain('no trades: ');
      }, refusals);
    }
    await played(async (peer, market) => {
      expect((await peer.next('subscribe')).channel).toBe('depth');
      expect(market.view(1).tradesNotice).toBe('no trades: the token does not hold them');
      expect(peer.count('subscribe')).toBe(0);
    }, refusals);
  });

  it('is refused with the code of the server', async () => {
    await played(async (peer, market) => {
      const { id } = await peer.next('subscribe');
      peer.control({ op: 'error', id, code: 'feed.unknown_instrument' });
      await expect.poll(() => market.error).toMatchObject({ code: 'feed.unknown_instrument' });
      expect(market.view(1).state).toBe('REFUSED (feed.unknown_instrument)');
    });
  });
});

describe('the instruments that are meant', () => {
  const names = ['sim:BTCUSDT', 'sim:ETHUSDT', 'kraken:BTC/USD'];
  const server = new WatchedServer('127.0.0.1:9', undefined);

  it('are those named, then those that fit, each once', () => {
    expect(fitting(['sim:ETHUSDT', 'sim:*', '*BTC*'], names)).toEqual([
      'sim:ETHUSDT',
      'sim:BTCUSDT',
      'kraken:BTC/USD',
    ]);
    expect(server.chosen([], names)).toEqual(['sim:BTCUSDT']);
    expect(server.chosen(['sim:*', 'kraken:BTC/USD'], names)).toEqual(['sim:*', 'kraken:BTC/USD']);
  });

  it('are told the nearest name where they are none, and not all of a long list', () => {
    expect(() => server.chosen(['sim:BTCUSD'], names)).toThrow(
      expect.objectContaining({ fix: 'Write sim:BTCUSDT.' }),
    );
    const many = Array.from({ length: 3000 }, (_, at) => `x:${at}`);
    expect(() => server.chosen(['y'], many)).toThrow(
      expect.objectContaining({ expected: expect.stringMatching(/^x:0, .* and 2980 more$/) as unknown }),
    );
    expect(() => server.chosen([], [])).toThrow(
      expect.objectContaining({ fix: expect.stringContaining('/health') as unknown }),
    );
  });
});

describe('a server that asks for a token', () => {
  it('is told as one, with the option that gives it', async () => {
    const error = {
      code: 'auth.missing',
      what: 'no token',
      where: '',
      expected: '',
      got: '',
      fix: 'a header',
    };
    const server = createServer((_request, response) =>
      response.writeHead(401).end(JSON.stringify({ error })),
    );
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    const { signal } = new AbortController();
    await expect(
      new WatchedServer(`127.0.0.1:${port}`, undefined).names(signal, () => {}),
    ).rejects.toMatchObject({
      code: 'auth.missing',
      fix: expect.stringContaining('--token-file') as unknown,
    });
    server.close();
  });
});

describe('the limits of a watch', () => {
  const there = { got: 'nothing', fix: 'wait' };

  it('end it with the last output that was asked for', () => {
    const limits = new WatchLimits({ countMax: 2, timeoutMs: undefined }, new AbortController().signal);
    expect([
      limits.take(),
      limits.signal.aborted,
      limits.take(),
      limits.signal.aborted,
      limits.take(),
    ]).toEqual([true, false, true, true, false]);
    limits.end(there);
  });

  it('end it when nothing comes for too long, and not before', async () => {
    const limits = new WatchLimits({ countMax: undefined, timeoutMs: 60 }, new AbortController().signal);
    await expect.poll(() => limits.signal.aborted, { interval: 5 }).toBe(true);
    expect(() => limits.end(there)).toThrow(
      expect.objectContaining({ code: 'watch.nothing_came', got: 'nothing' }),
    );
  });

  it('end it with the user', () => {
    const user = new AbortController();
    const limits = new WatchLimits({ countMax: undefined, timeoutMs: 60_000 }, user.signal);
    user.abort();
    expect([limits.signal.aborted, limits.take()]).toEqual([true, false]);
    limits.end(there);
  });
});
