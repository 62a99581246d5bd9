import { afterEach, expect, it } from 'vitest';
import { type Ask, type BookInfo, type Cure, type InstrumentInfo, venues } from '../src/engine.js';
import type { LiveSink } from '../src/ingest/live-sink.js';
import { LiveVenues } from '../src/ingest/live-venues.js';
import { levelsFor } from '../src/ingest/snapshots.js';
import { chooseStreams } from '../src/ingest/stream-choice.js';
import type { Fields, ProductFacts, Rate, VenueFacts } from '../src/ingest/venues/facts.js';
import { VENUE_FACTS } from '../src/ingest/venues/index.js';
import { instrument } from './support/fake-engine.js';
import { ManualClock } from './support/manual-clock.js';
import { SocketVenue, type Visitor } from './support/socket-venue.js';

const BOOKS = 200;
/** Levels a side: what makes snapshots cost. */
const DEPTH = 1000;
const STEP_MS = 50;
/** The first pause of a lost connection, the time until updates come in, and the steps of time in between. */
const OVERHEAD_MS = 1500;
/** Symbols that are found in any message, in either case. */
const MARK = /S(\d{3})X/gi;

const closing: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

interface Product {
  readonly name: string;
  readonly facts: VenueFacts;
  readonly product: ProductFacts;
}

/** Products whose books anybody may hear, or else their orders. */
const PRODUCTS: readonly Product[] = VENUE_FACTS.flatMap((facts) =>
  facts.products
    .filter(
      ({ sockets, offers }) => sockets.length > 0 && (offers.book === 'built' || offers.orders === 'built'),
    )
    .map((product) => ({ name: product.name, facts, product })),
);

interface Use {
  readonly atMs: number;
  readonly units: number;
}

/** The most units in any window. */
function most(uses: readonly Use[], windowMs: number): number {
  let best = 0;
  for (const { atMs } of uses) {
    const inside = uses.filter((use) => use.atMs > atMs - windowMs && use.atMs <= atMs);
    best = Math.max(
      best,
      inside.reduce((sum, { units }) => sum + units, 0),
    );
  }
  return best;
}

/** The least time in which a rate lets so many units through. */
function leastMs(units: number, rate: Rate | null): number {
  return rate === null ? 0 : Math.max(0, Math.ceil(units / rate.max) - 1) * rate.windowMs;
}

/** Stands in for the engine: a book is lost with its connection, and mended by what its venue's books are mended by. */
class Books implements LiveSink {
  readonly nextNs = 0n;
  readonly #list: readonly InstrumentInfo[];
  readonly #clock: ManualClock;
  readonly #cure: Cure;
  readonly #sources: Set<number>[] = [];
  readonly #lostMs = new Map<number, number>();
  readonly #heard = new Map<number, number>();
  readonly #synced = new Set<number>();
  readonly asks: Ask[] = [];

  constructor(list: readonly InstrumentInfo[], cure: Cure, clock: ManualClock) {
    this.#list = list;
    this.#cure = cure;
    this.#clock = clock;
  }

  get synced(): number {
    return this.#synced.size;
  }

  instruments = (): readonly InstrumentInfo[] => this.#list;
  open = (): number => this.#sources.push(new Set()) - 1;
  openSource = (): number => -1;
  openRecorded = (): number => -1;
  carry = (source: number, ids: readonly number[]): void => {
    for (const id of ids) this.#sources[source]?.add(id);
  };
  carryBesideBooks = (): void => {};
  drop = (): void => {};
  asked = (): void => {};
  ingest = (): void => {};
  ingestRecording = (): number => 0;
  resetSource = (): void => {};
  hold = (): void => {};
  release = (): void => {};
  readonly recordedNs = 0n;
  sourceEnded = (): void => {};
  expectOthers = (): void => {};
  succeed = (): void => {};
  outstanding = (): number => 0;
  snapshotFailed = (): void => {};
  opened = (source: number): void => {
    if (this.#cure === 'snapshot') this.#ask(source);
  };
  sourceFailed = (source: number): void => {
    for (const id of this.#sources[source] ?? []) {
      this.#synced.delete(id);
      this.#lostMs.set(id, this.#clock.wallMs());
    }
    this.#ask(source);
  };
  ingestSnapshot = (id: number): void => {
    if (this.#heard.has(id)) this.#synced.add(id);
  };
  book = (id: number): BookInfo =>
    ({
      state: this.#synced.has(id) ? 'synced' : 'syncing',
      epoch: 1n,
      seq: BigInt(1 + (this.#heard.get(id) ?? 0)),
      lostMs: this.#lostMs.get(id) ?? 0,
    }) as BookInfo;

  /** The venue tells of a book that was subscribed. */
  told(id: number): void {
    this.#heard.set(id, (this.#heard.get(id) ?? 0) + 1);
    if (this.#cure !== 'snapshot') this.#synced.add(id);
  }

  #ask(source: number): void {
    for (const instrument of this.#sources[source] ?? []) {
      this.asks.push({ instrument, ticket: this.asks.length + 1, cure: this.#cure, reason: 3 });
    }
  }
}

/** A JSON text with these members. */
function textOf(fields: Fields): string {
  const root: Record<string, unknown> = {};
  for (const [path, value] of Object.entries(fields)) {
    const names = path.split('.');
    let at = root;
    for (const name of names.slice(0, -1)) {
      at[name] ??= {};
      at = at[name] as Record<string, unknown>;
    }
    at[names.at(-1) ?? ''] = value;
  }
  return JSON.stringify(root);
}

it.each(PRODUCTS)(
  '$name: 200 books that lose their connection at once stay within its limits, and are back in 1.2 times the least time',
  async ({ name, facts, product }) => {
    const clock = new ManualClock();
    const channel = product.offers.book === 'built' ? 'book' : 'orders';
    const cure = venues().find((venue) => venue.name === name)?.resync ?? 'resubscribe';
    const list = Array.from({ length: BOOKS }, (_, at) =>
      instrument(at, `${name}:S${String(at).padStart(3, '0')}X-USD`),
    );
    const books = new Books(list, cure as Cure, clock);
    let events = 0;
    const connects: Use[] = [];
    const requests: Use[] = [];
    const messages = new Map<Visitor, Use[]>();
    const subscribed = new Map<Visitor, Use[]>();
    const weight = product.snapshot === null ? 0 : levelsFor(product.snapshot, DEPTH).weight;
    const venue = new SocketVenue({
      onConnect: (visitor) => {
        events += 1;
        connects.push({ atMs: clock.nowMs(), units: 1 });
        messages.set(visitor, []);
        subscribed.set(visitor, []);
        for (const { welcome } of product.sockets) if (welcome !== null) visitor.socket.send(textOf(welcome));
      },
      onText: (visitor, text) => {
        events += 1;
        const marks = [...text.matchAll(MARK)];
        messages.get(visitor)?.push({ atMs: clock.nowMs(), units: 1 });
        subscribed.get(visitor)?.push({ atMs: clock.nowMs(), units: marks.length });
        for (const [, digits] of marks) books.told(Number(digits));
      },
      onRequest: (request, response) => {
        events += 1;
        const [{ address } = { address: null }] = product.sockets;
        if (!/S\d{3}X/i.test(request.url ?? '') && address !== null) {
          const endpoint = address.endpoint === null ? {} : { [address.endpoint]: 'wss://told.example/x' };
          return void response.end(textOf({ [address.token]: 'T', ...endpoint }));
        }
        requests.push({ atMs: clock.nowMs(), units: weight });
        response.end('{}', () => {
          events += 1;
        });
      },
    });
    const port = await venue.listen();
    const live = new LiveVenues(
      [
        {
          name,
          venue: name,
          instruments: list.map((each) => each.name),
          channels: [channel],
          depth: DEPTH,
          urls: { 'wss://': `ws://127.0.0.1:${port}/`, 'https://': `http://127.0.0.1:${port}/` },
        },
      ],
      { clock, random: () => 0.5, onFault: () => {}, facts: () => ({ facts, product }) },
    );
    closing.push(
      () => venue.close(),
      () => live.stop(),
    );
    // Whoever knows the instruments has asked for their list.
    const { instruments } = product;
    if (instruments !== null && instruments.budget === product.snapshot?.budget)
      requests.push({ atMs: clock.nowMs(), units: instruments.weight * instruments.urls.length });
    live.open(books);
    live.start();
    const [{ facts: socket } = { facts: undefined }] = chooseStreams(product, {
      channels: [channel],
      depth: DEPTH,
      hasKey: false,
    });
    if (socket === undefined) throw new Error('no socket');
    const { beat } = socket;
    const run = async (isDone: () => boolean, msMax: number): Promise<number> => {
      const fromMs = clock.nowMs();
      while (!isDone()) {
        if (clock.nowMs() - fromMs > msMax)
          throw new Error(
            `${books.synced} books after ${msMax} ms: ${JSON.stringify(live.status()[0]?.connections)}`,
          );
        clock.pass(STEP_MS);
        if (beat.from === 'venue' && clock.nowMs() % beat.everyMs < STEP_MS) {
          for (const { socket } of venue.open) socket.send('{}');
        }
        for (const ask of books.asks.splice(0)) live.ask(ask);
        // Time stands still until the sockets of this machine have taken their turn.
        for (let before = -1; before !== events; ) {
          before = events;
          await new Promise((resolve) => setTimeout(resolve, 2));
        }
      }
      return clock.nowMs() - fromMs;
    };
    await run(() => books.synced === BOOKS, 3_600_000);
    // What the beginning used of a budget is forgotten.
    const budget = facts.budgets[product.snapshot?.budget ?? ''];
    const quietMs = clock.nowMs() + (budget === undefined ? 0 : budget.windowMs * 1.1);
    await run(() => clock.nowMs() > quietMs, 3_600_000);
    const [before, asked] = [connects.length, requests.length];
    for (const { socket } of venue.open) socket.terminate();
    await run(() => books.synced === 0, 10_000);
    const tookMs = await run(() => books.synced === BOOKS, 3_600_000);

    const { rates, connects: connectRate, connectionsMax } = socket.limits;
    const budgetRate = budget === undefined ? null : { max: budget.weightMax, windowMs: budget.windowMs };
    // Within the limits, as a venue counts them.
    if (connectRate !== null)
      expect(most(connects, connectRate.windowMs)).toBeLessThanOrEqual(connectRate.max);
    if (budgetRate !== null) expect(most(requests, budgetRate.windowMs)).toBeLessThanOrEqual(budgetRate.max);
    const countedBy = (of: string) => [...(of === 'subscriptions' ? subscribed : messages).values()];
    for (const { of, max, windowMs } of rates) {
      for (const uses of countedBy(of)) expect(most(uses, windowMs)).toBeLessThanOrEqual(max);
    }
    expect(venue.open.length).toBeLessThanOrEqual(connectionsMax ?? BOOKS);
    // No faster than these allow, and hardly slower.
    const again = [...messages.values()].slice(before).map((uses) => uses.length);
    const unitsOf = (uses: readonly Use[]) => uses.reduce((sum, { units }) => sum + units, 0);
    const least = Math.max(
      leastMs(connects.length - before, connectRate),
      leastMs((requests.length - asked) * weight, budgetRate),
      ...rates.flatMap((rate) =>
        countedBy(rate.of)
          .slice(before)
          .map((uses) => leastMs(unitsOf(uses), rate)),
      ),
    );
    console.info(
      `${name}: ${again.length} connections, ${again.reduce((sum, count) => sum + count, 0)} messages, ` +
        `${requests.length - asked} requests: ${tookMs} ms, least ${least} ms`,
    );
    expect(tookMs).toBeLessThanOrEqual(1.2 * least + OVERHEAD_MS);
  },
  120_000,
);
