import { afterEach, describe, expect, it } from 'vitest';
import { type Engine, openEngine } from '../src/engine.js';
import type { DepthwireError } from '../src/errors.js';
import { type LiveSource, LiveVenues } from '../src/ingest/live-venues.js';
import type { SocketLimits } from '../src/ingest/venues/facts.js';
import { productFacts } from '../src/ingest/venues/index.js';
import { ManualClock, turn, until } from './support/manual-clock.js';
import { SpotVenue } from './support/spot-venue.js';

const SOCKETS = 'wss://data-stream.binance.vision';
const REQUESTS = 'https://data-api.binance.vision';

const closing: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

interface Rig {
  readonly spot: SpotVenue;
  readonly clock: ManualClock;
  readonly engine: Engine;
  readonly live: LiveVenues;
  readonly faults: DepthwireError[];
  readonly ids: readonly number[];
  state(symbol: string): string;
  /** Lets the market and the connector's time run on together. */
  run(ms: number): Promise<void>;
}

/** The facts of a product with other limits of its connections. */
function limited(name: string, limits: Partial<SocketLimits>): ReturnType<typeof productFacts> {
  const found = productFacts(name);
  if (found === undefined) return undefined;
  const sockets = found.product.sockets.map((socket) => ({
    ...socket,
    limits: { ...socket.limits, ...limits },
  }));
  return { facts: found.facts, product: { ...found.product, sockets } };
}

/** A market, and an engine that hears it over sockets of this machine. */
async function rig(
  symbols: readonly string[],
  more: Partial<LiveSource> = {},
  limits: Partial<SocketLimits> = {},
): Promise<Rig> {
  const spot = new SpotVenue();
  const port = await spot.venue.listen();
  const clock = new ManualClock(Date.now());
  const faults: DepthwireError[] = [];
  const wiring: { live?: LiveVenues } = {};
  const engine = openEngine(
    { startId: 1, silenceMs: 0, replay: false, outputBytes: 4 << 20 },
    {
      onFrame() {},
      onAsk: (ask) => wiring.live?.ask(ask),
      onSay: (source, text) => wiring.live?.say(source, text),
      onFault: (fault) => faults.push(fault),
    },
  );
  const names = symbols.map((symbol) => `binance:${symbol}`);
  for (const name of names) engine.addInstrument(name);
  const source: LiveSource = {
    name: 'spot',
    venue: 'binance',
    instruments: names,
    urls: { [SOCKETS]: `ws://127.0.0.1:${port}`, [REQUESTS]: `http://127.0.0.1:${port}` },
    ...more,
  };
  const live = new LiveVenues([source], {
    clock,
    random: () => 0.5,
    onFault: (fault) => faults.push(fault),
    facts: (name) => limited(name, limits),
  });
  wiring.live = live;
  const ids = live.open(engine);
  live.start();
  closing.push(
    () => engine.close(),
    () => spot.venue.close(),
    () => live.stop(),
  );
  const idOf = (symbol: string) => ids[symbols.indexOf(symbol)] ?? -1;
  return {
    spot,
    clock,
    engine,
    live,
    faults,
    ids,
    state: (symbol) => engine.book(idOf(symbol)).state,
    run: async (ms) => {
      for (let passed = 0; passed < ms; passed += 50) {
        clock.pass(50);
        if (passed % 100 === 0) spot.step(100);
        engine.tick();
        await turn();
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    },
  };
}

async function synced({ live, run, engine, ids }: Rig): Promise<void> {
  const endMs = performance.now() + 10_000;
  while (performance.now() < endMs) {
    if (ids.every((id) => engine.book(id).state === 'synced')) return;
    await run(100);
  }
  throw new Error(`not synced: ${JSON.stringify(live.status())}`);
}

describe('a spot market over sockets', () => {
  it('is subscribed in few messages, joined to its snapshots, and followed', async () => {
    const all = await rig(['BTCUSDT', 'ETHUSDT', 'SOLUSDT']);
    await synced(all);
    const { spot, engine, live, ids } = all;
    expect(spot.commands.map(({ method, params }) => [method, params.length])).toEqual([['SUBSCRIBE', 9]]);
    expect([...spot.asked].sort()).toEqual(['BTCUSDT', 'ETHUSDT', 'SOLUSDT']);
    const before = engine.stats();
    await all.run(2000);
    const after = engine.stats();
    expect(after.applied - before.applied).toBeGreaterThan(20);
    expect(after.trades).toBeGreaterThan(0);
    expect(after.bboChecked).toBeGreaterThan(0);
    expect([after.gaps, after.decodeErrors, after.bboChecked - after.bboMatched]).toEqual([0, 0, 0]);
    const [status] = live.status();
    expect(status?.connections[0]).toMatchObject({
      state: 'ready',
      reconnects: 0,
      lastLoss: '',
      instruments: [...ids],
    });
    expect(status?.requests).toEqual({ spot: { made: 3, refused: 0, waiting: 0, pausedMs: 0 } });
  });

  it('that is lost leaves its books stale at once, and is followed again after a pause', async () => {
    const all = await rig(['BTCUSDT', 'ETHUSDT']);
    await synced(all);
    const { spot, engine, ids, faults } = all;
    spot.venue.visitors[0]?.socket.terminate();
    await until(() => all.state('BTCUSDT') === 'stale', 'the loss');
    expect(ids.map((id) => engine.book(id).reason)).toEqual(['source_failed', 'source_failed']);
    expect(faults.at(-1)).toMatchObject({ code: 'live.connection', got: 'closed: code 1006' });
    const asked = spot.asked.length;
    await turn();
    expect(spot.venue.visitors).toHaveLength(1);
    await synced(all);
    expect(spot.venue.visitors).toHaveLength(2);
    expect(spot.asked.length - asked).toBe(2);
    expect(ids.map((id) => engine.book(id).losses)).toEqual([1, 1]);
  });

  it('that loses a frame is mended by one snapshot, and other books go on', async () => {
    const all = await rig(['BTCUSDT', 'ETHUSDT']);
    await synced(all);
    const { spot, engine, ids } = all;
    const [btc = 0, eth = 0] = ids;
    const before = engine.book(eth);
    spot.loses = () => true;
    spot.step(100);
    spot.loses = () => false;
    await all.run(100);
    await synced(all);
    await all.run(1000);
    expect(engine.book(btc)).toMatchObject({ state: 'synced', losses: 1 });
    expect(engine.book(eth).state).toBe('synced');
    expect(engine.book(eth).seq).not.toBe(before.seq);
    expect(spot.asked.filter((symbol) => symbol === 'BTCUSDT')).toHaveLength(2);
  });

  it('that is quiet is not subscribed again: when its snapshot came late, or others of its message are told', async () => {
    const all = await rig(['BTCUSDT', 'ETHUSDT']);
    const { spot } = all;
    spot.statuses.push({ status: 418, retryAfter: '40' });
    spot.loses = (_visitor, stream) => stream.startsWith('ethusdt');
    await all.run(42_000);
    await synced(all);
    await all.run(40_000);
    expect(all.state('ETHUSDT')).toBe('synced');
    expect(spot.commands).toHaveLength(1);
    spot.loses = () => true;
    spot.venue.visitors[0]?.socket.terminate();
    await until(() => all.state('BTCUSDT') === 'stale', 'the loss');
    for (let refusal = 0; refusal < 2; refusal++) spot.statuses.push({ status: 418, retryAfter: '40' });
    await all.run(45_000);
    await synced(all);
    await all.run(8000);
    expect(spot.commands).toHaveLength(2);
  });

  it('that refuses one stream is subscribed for the others', async () => {
    const all = await rig(['BTCUSDT', 'ETHUSDT']);
    all.spot.refused = 'ethusdt@depth@100ms';
    await all.run(22_000);
    await synced({ ...all, ids: all.ids.slice(0, 1) });
    const alone = all.spot.commands.filter(
      ({ method, params }) => method === 'SUBSCRIBE' && params.length === 1,
    );
    expect(alone.map(({ params }) => params[0])).toContain('btcusdt@depth@100ms');
    // The refused one is tried ever more rarely.
    await all.run(100_000);
    const tries = all.spot.commands.filter(({ params }) => params.includes('ethusdt@depth@100ms'));
    expect(tries.length).toBeLessThan(16);
  });
});

describe('the budget of requests', () => {
  it('a ban holds every book, for as long as the venue says', async () => {
    const all = await rig(['BTCUSDT', 'ETHUSDT', 'SOLUSDT']);
    for (let refusal = 0; refusal < 3; refusal++) all.spot.statuses.push({ status: 418, retryAfter: '60' });
    await all.run(2000);
    const refused = all.spot.asked.length;
    expect(refused).toBeLessThanOrEqual(3);
    await all.run(55_000);
    expect(all.spot.asked).toHaveLength(refused);
    expect(all.live.status()[0]?.requests.spot?.pausedMs).toBeGreaterThan(0);
    await all.run(6000);
    await synced(all);
    expect(all.spot.asked).toHaveLength(refused + 3);
  });

  it('an answer that is no book is asked for again after a pause', async () => {
    const all = await rig(['BTCUSDT']);
    all.spot.statuses.push({ status: 500 }, { status: 503 });
    await synced(all);
    expect(all.spot.asked).toHaveLength(3);
    expect(all.faults.map(({ code }) => code)).toEqual(['live.snapshot', 'live.snapshot']);
  });
});

describe('lines', () => {
  it('two connections carry the same: one that is lost costs nothing', async () => {
    const all = await rig(['BTCUSDT'], { lines: 2 });
    await synced(all);
    await until(() => all.spot.venue.open.length === 2, 'both lines');
    await all.run(500);
    all.spot.venue.visitors[0]?.socket.terminate();
    await all.run(3000);
    expect(all.engine.book(all.ids[0] ?? 0)).toMatchObject({ state: 'synced', losses: 0 });
    expect(all.spot.venue.visitors).toHaveLength(3);
    expect(all.spot.asked).toHaveLength(1);
  });
});

describe('instruments that come and go', () => {
  it('are subscribed and unsubscribed while the others go on', async () => {
    const all = await rig(['BTCUSDT', 'ETHUSDT']);
    await synced(all);
    const { live, engine, spot } = all;
    const id = engine.addInstrument('binance:SOLUSDT');
    const [btc = 0] = all.ids;
    expect(live.change('spot', ['binance:BTCUSDT', 'binance:SOLUSDT'])).toEqual([btc, id]);
    await all.run(3000);
    expect(engine.book(id).state).toBe('synced');
    expect(engine.book(btc)).toMatchObject({ state: 'synced', losses: 0 });
    const gone = spot.commands
      .filter(({ method }) => method === 'UNSUBSCRIBE')
      .flatMap(({ params }) => params);
    expect(gone.every((stream) => stream.startsWith('ethusdt@'))).toBe(true);
    expect(gone).toHaveLength(3);
    expect(() => live.change('spot', ['binance:NOSUCH'])).toThrow('catalogue');
  });
});

describe('a connection that the venue is going to end', () => {
  it('is succeeded by another one that has its books, with not one stale moment', async () => {
    const all = await rig(['BTCUSDT', 'ETHUSDT'], {}, { lifeMs: 20_000 });
    await synced(all);
    const { spot, engine, ids, live, clock } = all;
    const frames = engine.stats().frames;
    // The successor is made after nine tenths of the life that the venue gives.
    while (clock.nowMs() < 17_000) await all.run(100);
    expect(spot.venue.visitors).toHaveLength(1);
    while (clock.nowMs() < 20_000) await all.run(100);
    expect(spot.venue.visitors.map(({ isClosed }) => isClosed)).toEqual([true, false]);
    // And so on, with the same two sources of the engine.
    while (clock.nowMs() < 58_000) await all.run(100);
    expect(spot.venue.visitors.map(({ isClosed }) => isClosed)).toEqual([true, true, true, false]);
    expect(ids.map((id) => engine.book(id))).toEqual(
      ids.map(() => expect.objectContaining({ state: 'synced', losses: 0 }) as unknown),
    );
    expect(spot.asked, 'no snapshot was needed').toHaveLength(2);
    expect(engine.stats().frames).toBeGreaterThan(frames + 500);
    expect([engine.stats().gaps, live.status()[0]?.connections.length]).toEqual([0, 1]);
    expect(engine.open('binance'), 'a third source').toBe(2);
  });
});
