import { afterEach, expect, it, vi } from 'vitest';
import { configFrom } from '../src/config.js';
import { openEngine } from '../src/engine.js';
import { EVERYTHING_NS } from '../src/ingest/source.js';
import { FeedServer } from '../src/publish/server.js';
import { FrameReader } from '../src/wire/frame.js';
import { TradeRows } from '../src/wire/frame-trades.js';
import { LocalBook } from '../src/wire/local-book.js';
import { LinkTransport } from './support/link.js';
import { RandomReader, type Truth } from './support/random-reader.js';
import { simulatedRecording } from './support/recording.js';

/** Frames that readers get in all, and the run of chance: a failure prints both. */
const DELIVERIES = Number(process.env.DELIVERIES ?? 100_000);
const SEED = Number(process.env.DELIVERIES_SEED ?? 1);

const SYMBOLS = ['BTCUSDT', 'ETHUSDT', 'SOLUSDT'] as const;
const READERS = 24;
const TRADES = 3;
/** Bytes that readers take in a second: none at all, one at a time, too few, enough, all. */
const SPEEDS = [0, 1, 20_000, 200_000, 2e6, 2e6, Infinity, Infinity, Infinity, Infinity] as const;
const KINDS = { image: 1, trade: 5, status: 6 } as const;

afterEach(() => vi.restoreAllMocks());

/** Numbers from 0 to 1, the same for the same seed. */
function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** What was last, some 20,000 of them. */
class Last<T> {
  #now = new Map<string, T>();
  #before = new Map<string, T>();

  set(key: string, value: T): void {
    if (this.#now.size >= 20_000) {
      this.#before = this.#now;
      this.#now = new Map();
    }
    this.#now.set(key, value);
  }

  get(key: string): T | undefined {
    return this.#now.get(key) ?? this.#before.get(key);
  }
}

/** A reader that misses nothing, and keeps what every stream was at each of the last places. */
class Recorder implements Truth {
  readonly books = new Map<string, LocalBook>();
  readonly #crcs = new Last<number>();
  readonly #trades = new Last<bigint>();
  /** The last sequence of the trades, and those before which the engine left one out: what the venue told was lost. */
  readonly #told = new Map<string, number>();
  readonly #leftOut = new Set<string>();
  readonly #reader = new FrameReader();

  take(bytes: Uint8Array): void {
    const frame = this.#reader.reset(bytes);
    while (frame.next()) {
      const { kind, instrument, stream, epoch, seq } = frame;
      if (kind === KINDS.status) continue;
      const stand = `${instrument}/${stream}`;
      if (stream === TRADES) {
        if (kind !== KINDS.trade) continue;
        const trades = new TradeRows(frame);
        const place = `${instrument}/${epoch}/${seq}`;
        // One without trades says that nobody tells them for now.
        if (trades.count > 0) this.#trades.set(place, trades.id(0));
        const told = this.#told.get(`${instrument}/${epoch}`);
        if (told !== undefined && frame.prevSeq > told) this.#leftOut.add(place);
        this.#told.set(`${instrument}/${epoch}`, seq);
        continue;
      }
      let book = this.books.get(stand);
      if (book === undefined) {
        book = new LocalBook();
        this.books.set(stand, book);
      }
      const { tag } = book.apply(frame);
      if (tag === 'image' || tag === 'applied')
        this.#crcs.set(`${stand}/${book.epoch}/${book.seq}`, book.check().allCrc);
    }
  }

  crcAt(instrument: number, stream: number, epoch: bigint, seq: number): number | undefined {
    return this.#crcs.get(`${instrument}/${stream}/${epoch}/${seq}`);
  }

  leavesOut(instrument: number, epoch: bigint, seq: number): boolean {
    return this.#leftOut.has(`${instrument}/${epoch}/${seq}`);
  }

  tradeAt(instrument: number, epoch: bigint, seq: number): bigint | undefined {
    return this.#trades.get(`${instrument}/${epoch}/${seq}`);
  }
}

const WANTS: readonly Readonly<Record<string, unknown>>[] = [
  { channel: 'book', instruments: ['sim:*'] },
  { channel: 'book', instruments: ['sim:*'], mode: 'strict' },
  { channel: 'book', instruments: ['sim:BTCUSDT', 'sim:ETHUSDT'] },
  { channel: 'bbo', source: 'book', instruments: ['sim:?????DT', 'sim:*'] },
  { channel: 'bbo', source: 'venue', instruments: ['sim:*'] },
  { channel: 'trades', instruments: ['sim:*'] },
  { channel: 'depth', depth: 5, intervalMs: 0, instruments: ['sim:*'] },
  { channel: 'depth', depth: 20, intervalMs: 100, instruments: ['sim:S*'] },
];

it(
  `slow, leaving, joining and resuming readers hold what the engine held, in ${DELIVERIES} deliveries of seed ${SEED}`,
  async () => {
    let nowMs = 1000;
    vi.spyOn(performance, 'now').mockImplementation(() => nowMs);
    const random = chance(SEED);
    const one = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
    const truth = new Recorder();
    const wiring: { server?: FeedServer } = {};
    const engine = openEngine(
      { startId: 1, silenceMs: 0, replay: true, outputBytes: 4 << 20, historyBytes: 8 << 20 },
      {
        onFrame() {},
        onFrameBytes(id, stream, ring, offset, size) {
          truth.take(ring.subarray(offset, offset + size));
          wiring.server?.onFrameBytes(id, stream, ring, offset, size);
        },
        onAsk() {},
        onSay() {},
        onFault(error) {
          throw error;
        },
      },
    );
    const config = configFrom({
      server: { heartbeatMs: 1000 },
      limits: {
        backpressureSoftBytes: 65_536,
        backpressureHardBytes: 262_144,
        slowMs: 3000,
        waitingBytesMax: 1 << 20,
        controlPerSecond: 10_000,
        controlBurst: 10_000,
      },
    });
    const markets = SYMBOLS.map((symbol, at) => {
      const id = engine.addInstrument(`sim:${symbol}`);
      const lines = simulatedRecording(symbol, 30_000, SEED * SYMBOLS.length + at)
        .trimEnd()
        .split('\n');
      return { id, lines, source: engine.openSource('sim', [id]), at: 0 };
    });
    const served = engine.instruments().filter(({ id }) => markets.some((market) => market.id === id));
    const server = new FeedServer(engine, served, config, new Map());
    wiring.server = server;
    let transport: LinkTransport | undefined;
    await server.listen((_choice, _options, handlers) => {
      transport = new LinkTransport(handlers);
      return Promise.resolve(transport);
    });
    if (transport === undefined) throw new Error('no transport');
    const links: LinkTransport = transport;

    /** The venue goes on by some lines; at the end of its recording it begins anew, and now and then its source fails. */
    const advance = (): void => {
      const market = one(markets);
      const roll = random();
      if (market.at >= market.lines.length || roll < 0.004) {
        engine.resetSource(market.source);
        market.at = 0;
      } else if (roll < 0.008) {
        engine.sourceFailed(market.source);
      }
      const next = market.at + Math.ceil(random() ** 4 * 200);
      const lines = Buffer.from(`${market.lines.slice(market.at, next).join('\n')}\n`);
      market.at = next;
      engine.ingestRecording(market.source, lines, EVERYTHING_NS);
    };

    const turn = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve));
    const readers = Array.from({ length: READERS }, () => new RandomReader(truth, random));
    const deliveries = (): number => readers.reduce((sum, { counts }) => sum + counts.frames, 0);
    let ticksMs = 0;
    const pass = async (ms: number): Promise<void> => {
      nowMs += ms;
      await turn();
      ticksMs += ms;
      if (ticksMs >= 10) server.tick();
      ticksMs %= 10;
      for (const reader of readers) reader.read(ms);
    };

    /** A reader does one of the things that clients do. */
    const act = (reader: RandomReader): void => {
      const roll = random();
      if (reader.link === undefined) {
        reader.connect(links.connect(), random() < 0.7);
        reader.subscribe(one(WANTS));
      } else if (roll < 0.04) reader.subscribe(one(WANTS));
      else if (roll < 0.06) reader.unsubscribe();
      else if (roll < 0.08) reader.resync();
      else if (roll < 0.14) reader.link.leave();
      else if (roll < 0.3) reader.bytesPerSecond = one(SPEEDS);
    };

    while (deliveries() < DELIVERIES) {
      advance();
      for (let deed = 0; deed < 3; deed++) act(one(readers));
      await pass(1 + Math.floor(random() * 30));
    }

    // Nothing more comes, and everybody reads: all that is exact in the engine is exact with everyone.
    for (const reader of readers) reader.bytesPerSecond = Number.POSITIVE_INFINITY;
    for (let step = 0; step < 400; step++) {
      for (const reader of readers) if (reader.link === undefined) reader.connect(links.connect(), true);
      await pass(10);
    }
    let exact = 0;
    for (const reader of readers) {
      reader.compareAll();
      for (const held of reader.held) {
        expect(held.isBehind).toBe(false);
        const { content, instrumentId, stream } = held;
        if (!(content instanceof LocalBook) || engine.book(instrumentId).state !== 'synced') continue;
        const { epoch, seq } = engine.place(instrumentId, stream);
        expect([held.name, content.state, content.epoch, content.seq]).toEqual([
          held.name,
          'synced',
          epoch,
          Number(seq),
        ]);
        const all = truth.books.get(`${instrumentId}/${stream}`);
        if (all !== undefined && all.seq === content.seq) expect(content.check()).toEqual(all.check());
        exact += 1;
      }
    }
    const sum = (name: keyof RandomReader['counts']): number =>
      readers.reduce((total, { counts }) => total + counts[name], 0);
    const by: Record<string, number> = {};
    for (const reader of readers) for (const [how, count] of reader.by) by[how] = (by[how] ?? 0) + count;
    const told = {
      compared: sum('compared'),
      behind: sum('behind'),
      rejoined: sum('rejoined'),
      resumed: sum('resumed'),
      lost: sum('lost'),
    };
    if (process.env.DELIVERIES !== undefined)
      console.log(JSON.stringify({ deliveries: deliveries(), exact, ...told, by }));
    expect(exact).toBeGreaterThan(10);
    for (const [what, count] of Object.entries(told)) expect([what, count > 5]).toEqual([what, true]);
    // Nobody reads any more, so the end waits for its own time, which must pass.
    vi.restoreAllMocks();
    await server.drain('test is over');
    engine.close();
  },
  60_000 + DELIVERIES,
);
