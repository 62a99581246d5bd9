import { expect } from 'vitest';
import { type Engine, openEngine } from '../../src/engine.js';
import type { DepthwireError } from '../../src/errors.js';
import { codesLike } from '../../src/fake-venue/codes.js';
import { FAKE_ACCOUNT, FakeVenue } from '../../src/fake-venue/fake-venue.js';
import type { Fault } from '../../src/fake-venue/fault.js';
import { canOffer } from '../../src/fake-venue/offer.js';
import type { Playback } from '../../src/fake-venue/recorded-market.js';
import { ownCodes, speaks } from '../../src/fake-venue/simulated-market.js';
import { AccountKey } from '../../src/ingest/account-key.js';
import { SYSTEM_CLOCK } from '../../src/ingest/clock.js';
import { Connector } from '../../src/ingest/connector.js';
import { VenueNet } from '../../src/ingest/venue-net.js';
import type { Channel, ProductFacts, VenueFacts } from '../../src/ingest/venues/facts.js';
import { VENUE_FACTS } from '../../src/ingest/venues/index.js';
import { allocateSharedBook, SharedBook } from '../../src/shared/index.js';
import { type Quick, quickened } from './quick-facts.js';

/** Levels a side that are compared. */
const DEPTH = 50;
const TICK_MS = 10;
const COMPARE_MS_MAX = 10_000;
/** Nothing is on its way any more after so long without a frame. */
const QUIET_MS = 80;
/** What was on its way has come after so long, whatever the machine had to do. */
const SETTLED_MS = 1000;
/** Turns of the event loop in which both ends of a connection have read what was there. */
const READING_TURNS = 4;

/** Products that are heard over sockets and have a dialect: each new room is one by its row of facts. */
export const LIVE_PRODUCTS: readonly string[] = VENUE_FACTS.flatMap(({ products }) =>
  products.filter(canOffer).map(({ name }) => name),
);

/** Those that tell books of orders to those who have a key, with the channel. */
export const LIVE_KEYED: readonly { readonly name: string; readonly channels: readonly Channel[] }[] =
  VENUE_FACTS.flatMap(({ products }) =>
    products
      .filter(({ name, offers }) => offers.orders === 'key' && speaks(name, true))
      .map(({ name }) => ({ name, channels: ['orders'] as const })),
  );

/** Those that tell anybody books of orders beside those of levels. */
export const LIVE_BOTH: readonly string[] = VENUE_FACTS.flatMap(({ products }) =>
  products
    .filter(({ name, offers }) => offers.book === 'built' && offers.orders === 'built' && speaks(name, true))
    .map(({ name }) => name),
);

/** What a product tells its books by to anybody. */
export function bookOf({ offers }: ProductFacts): 'book' | 'orders' {
  return offers.book === 'built' ? 'book' : 'orders';
}

/** So many codes of the shape that a product's codes have. */
export function codesOf(product: string, count: number): readonly string[] {
  return codesLike(ownCodes(product)[0] ?? '', count, []);
}

export interface RigOptions {
  readonly quick?: Quick;
  readonly faults?: readonly Fault[];
  readonly channels?: readonly Channel[];
  /** Whether the account's key is known. */
  readonly hasKey?: boolean;
  /** Levels a side that are subscribed. */
  readonly depth?: number;
  /** What the venue tells in place of the simulator's market. */
  readonly playback?: Playback;
}

/** A product's connector between a fake venue and an engine. */
export class LiveRig {
  readonly venue: FakeVenue;
  readonly engine: Engine;
  readonly connector: Connector;
  readonly product: ProductFacts;
  readonly facts: VenueFacts;
  readonly faults: DepthwireError[] = [];
  /** Instruments by their codes. */
  readonly ids = new Map<string, number>();
  readonly #net: VenueNet;
  readonly #books = new Map<string, SharedBook>();
  readonly #timer: NodeJS.Timeout;

  private constructor(venue: FakeVenue, facts: VenueFacts, product: ProductFacts, options: RigOptions) {
    this.venue = venue;
    this.facts = facts;
    this.product = product;
    const note = (fault: DepthwireError): void => void this.faults.push(fault);
    this.engine = openEngine(
      { startId: 1, replay: false, outputBytes: 16 << 20 },
      {
        onFrame: () => {},
        onAsk: (ask) => this.connector.ask(ask),
        onSay: (source, text) => void this.connector.say(source, Buffer.from(text).toString()),
        onFault: note,
      },
    );
    this.#net = new VenueNet(facts, {
      clock: SYSTEM_CLOCK,
      random: Math.random,
      addresses: Object.fromEntries(venue.hosts().map(({ venue, fake }) => [venue, fake])),
    });
    const { channels = [bookOf(product)], hasKey = false, depth } = options;
    const account = hasKey ? new AccountKey(FAKE_ACCOUNT) : undefined;
    const { engine: sink } = this;
    this.connector = new Connector({
      product,
      channels,
      lines: 1,
      ...(depth === undefined ? {} : { depth }),
      account,
      net: this.#net,
      sink,
      onFault: note,
    });
    this.#timer = setInterval(() => this.engine.tick(), TICK_MS);
  }

  /** Connects to a fake venue that lists these codes, for all of them. */
  static async start(name: string, codes: readonly string[], options: RigOptions = {}): Promise<LiveRig> {
    const own = VENUE_FACTS.find(({ products }) => products.some((product) => product.name === name));
    if (own === undefined) throw new Error(`no facts of ${name}`);
    const facts = quickened(own, options.quick ?? {});
    const product = facts.products.find((product) => product.name === name);
    if (product === undefined) throw new Error(`no facts of ${name}`);
    const { faults = [], playback } = options;
    const offered = { facts, product, codes, ...(playback === undefined ? {} : { playback }) };
    const venue = new FakeVenue({ products: [offered], faults });
    await venue.listen();
    const rig = new LiveRig(venue, facts, product, options);
    rig.add(codes);
    rig.connector.start();
    return rig;
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.connector.stop();
    this.#net.stop();
    await this.venue.stop();
    this.engine.close();
  }

  add(codes: readonly string[]): void {
    for (const code of codes) this.ids.set(code, this.engine.addInstrument(`${this.product.name}:${code}`));
    this.connector.add(codes.map((code) => this.engine.instrument(this.id(code))));
    for (const code of codes) {
      const memory = allocateSharedBook(DEPTH);
      this.engine.shareBook(this.id(code), memory);
      this.#books.set(code, new SharedBook(memory));
    }
  }

  remove(code: string): void {
    this.connector.remove(this.id(code));
    this.ids.delete(code);
    this.#books.delete(code);
  }

  id(code: string): number {
    const id = this.ids.get(code);
    if (id === undefined) throw new Error(`${code} is not carried`);
    return id;
  }

  state(code: string): string {
    return this.engine.book(this.id(code)).state;
  }

  /** Codes whose books are not synced. */
  waiting(): readonly string[] {
    return [...this.ids.keys()].filter((code) => this.state(code) !== 'synced');
  }

  async synced(msMax = 15_000): Promise<void> {
    for (const lateMs = performance.now() + msMax; this.waiting().length > 0; ) {
      if (performance.now() > lateMs) throw new Error(`not synced after ${msMax} ms: ${this.account()}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /**
   * Holds every book against the venue's own, as its connection has been told. The market stands still meanwhile, at a moment at
   * which no book is ahead of its connection: a snapshot may be newer than the last update. `levelsMax`: so many levels a side.
   */
  async expectTrue(levelsMax = DEPTH): Promise<void> {
    try {
      for (const lateMs = performance.now() + COMPARE_MS_MAX; ; ) {
        await this.synced();
        this.venue.pause();
        await this.#quiet();
        if ([...this.ids.keys()].every((code) => this.#isAtItsConnection(code))) break;
        if (performance.now() > lateMs)
          throw new Error(`no moment to compare at: ${this.account()}${this.#numbers()}`);
        this.venue.resume();
        await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
      }
      const { frames } = this.engine.stats();
      let wrong = this.#difference(levelsMax);
      if (wrong !== undefined) {
        // A machine that stood still may have what was told on its way still; a book that differs for good stays so.
        await new Promise((resolve) => setTimeout(resolve, SETTLED_MS));
        await this.#quiet();
        if (this.engine.stats().frames !== frames) wrong = this.#difference(levelsMax);
      }
      expect(wrong).toBeUndefined();
    } finally {
      this.venue.resume();
    }
  }

  /** The first level that is not as the venue has told it, or the code of a book of which nothing was told. */
  #difference(levelsMax: number): object | undefined {
    for (const code of this.ids.keys()) {
      const due = this.venue.hearings(code)[0]?.levels(levelsMax).map(numbers) ?? [];
      const got = this.#levels(code, levelsMax);
      const at = due.findIndex((level, at) => String(level) !== String(got[at]));
      if (due.length === 0 || at >= 0) return { code, at, due: due[at], got: got[at] };
    }
    return undefined;
  }

  /** After a pause of the whole process timers come before what the sockets have: those are read before frames are compared. */
  async #quiet(): Promise<void> {
    for (let frames = -1; frames !== this.engine.stats().frames; ) {
      ({ frames } = this.engine.stats());
      await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
      for (let turn = 0; turn < READING_TURNS; turn++) await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Where each connection and its book stand. */
  #numbers(): string {
    const of = [...this.ids].map(([code, id]) => {
      const told = this.venue.hearings(code).map((hearing) => hearing.truth().seq);
      return ` ${code}: told ${told.join(' ')}, book ${this.engine.book(id).venueSeq}`;
    });
    return of.join();
  }

  #isAtItsConnection(code: string): boolean {
    const told = this.venue.hearings(code)[0]?.truth().seq;
    const { state, venueSeq } = this.engine.book(this.id(code));
    return told !== undefined && state === 'synced' && (told === 0n || venueSeq === told);
  }

  /** What stands where, for the message of a test that waits in vain. */
  account(): string {
    const faults = this.faults.slice(-3).map(({ code, got }) => `${code} ${got}`);
    const waiting = this.waiting();
    return `${waiting.length} of ${this.ids.size} (${waiting.slice(0, 3).join(' ')}); ${faults.join('; ')}`;
  }

  #levels(code: string, levelsMax: number): readonly (readonly [string, number, number])[] {
    const book = this.#books.get(code);
    if (book === undefined || book.readTop() !== 'synced') return [];
    const side = (name: string, count: number, at: number) =>
      Array.from(
        { length: Math.min(count, levelsMax) },
        (_, rank) =>
          [
            name,
            (book.levels[4 * rank + at] ?? 0) / 10 ** -book.priceExponent,
            (book.levels[4 * rank + at + 1] ?? 0) / 10 ** -book.qtyExponent,
          ] as const,
      );
    return [...side('B', book.bidCount, 0), ...side('A', book.askCount, 2)];
  }
}

/** `B 61602.01 0.5` as the side and its numbers. */
function numbers(text: string): readonly [string, number, number] {
  const [side = '', price, qty] = text.split(' ');
  return [side, Number(price), Number(qty)];
}
