import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FeedError, FrameReader, Kind, LocalBook } from '../src/wire/index.js';
import { checkOf, type FrameSpec, frame, type LevelSpec } from './support/frames.js';

/** What a server tells of a book whose truth is known at each place, and what happens to it on the way. */
type Event =
  | { readonly tag: 'change'; readonly isBid: boolean; readonly price: number; readonly qty: number }
  | { readonly tag: 'check' | 'image' | 'reset' | 'lost' };
type Fault = 'none' | 'drop' | 'twice' | 'late' | 'wrong check' | 'bytes' | 'cut' | 'lie';

interface Sent {
  readonly kind: number;
  readonly bytes: Uint8Array;
  /** The levels that a book at this frame's place has. */
  readonly truth: string;
}

const event: fc.Arbitrary<Event> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      tag: fc.constant('change' as const),
      isBid: fc.boolean(),
      price: fc.integer({ min: 1, max: 60 }),
      qty: fc.nat(3),
    }),
  },
  { weight: 3, arbitrary: fc.constant({ tag: 'check' as const }) },
  { weight: 2, arbitrary: fc.constantFrom<Event>({ tag: 'image' }, { tag: 'reset' }, { tag: 'lost' }) },
);
const fault = (...faults: readonly Fault[]): fc.Arbitrary<Fault> =>
  fc.oneof(
    { weight: 6, arbitrary: fc.constant<Fault>('none') },
    { weight: 2, arbitrary: fc.constantFrom(...faults) },
  );
const script = (...faults: readonly Fault[]) =>
  fc.array(fc.tuple(event, fault(...faults), fc.nat(999)), { minLength: 1, maxLength: 120 });

/** A server's book, and every frame of it with the truth at its place. */
class Server {
  epoch = 1n;
  seq = 1;
  readonly sides = { bid: new Map<number, number>(), ask: new Map<number, number>() };
  /** By epoch and sequence. */
  readonly truths = new Map<string, string>();

  sorted(side: 'bid' | 'ask'): LevelSpec[] {
    return [...this.sides[side]].sort(([a], [b]) => (side === 'bid' ? b - a : a - b));
  }

  tell(event: Event): readonly Sent[] {
    switch (event.tag) {
      case 'change': {
        const prevSeq = this.seq;
        this.seq += 1;
        const { isBid, price, qty } = event;
        if (qty === 0) this.sides[isBid ? 'bid' : 'ask'].delete(price);
        else this.sides[isBid ? 'bid' : 'ask'].set(price, qty);
        return [this.send({ kind: Kind.delta, prevSeq, [isBid ? 'bids' : 'asks']: [[price, qty]] })];
      }
      case 'check':
        return [this.send({ kind: Kind.check, prevSeq: this.seq, check: this.check() })];
      case 'image':
        return [this.image()];
      case 'reset':
        this.epoch += 1n;
        this.seq = 1;
        for (const side of [this.sides.bid, this.sides.ask]) side.clear();
        return [this.image()];
      case 'lost':
        return [this.send({ kind: Kind.status, stream: 4, status: { state: 3, reason: 1 } })];
    }
  }

  image(): Sent {
    const [bids, asks] = [this.sorted('bid'), this.sorted('ask')];
    return this.send({ kind: Kind.image, info: { state: 2 }, check: this.check(), bids, asks });
  }

  private check() {
    return checkOf(this.sorted('bid'), this.sorted('ask'));
  }

  private send(spec: FrameSpec): Sent {
    const truth = JSON.stringify([this.sorted('bid'), this.sorted('ask')]);
    this.truths.set(`${this.epoch}:${this.seq}`, truth);
    return {
      kind: spec.kind,
      truth,
      bytes: frame({ epoch: this.epoch, seq: this.seq, instrument: 7, ...spec }),
    };
  }
}

const contentOf = (book: LocalBook): string =>
  JSON.stringify(
    (['bid', 'ask'] as const).map((side) => Array.from(book.levels(side), ({ price, qty }) => [price, qty])),
  );

/** Hands bytes to a book as a feed does: what it throws must be typed. */
function hand(book: LocalBook, reader: FrameReader, bytes: Uint8Array): void {
  reader.reset(bytes);
  try {
    while (reader.next()) book.apply(reader);
  } catch (error) {
    if (!(error instanceof FeedError)) throw error;
    expect(error.message).toMatch(/expected .*, got .*; \S/);
  }
}

/** The frame with one byte of it another one, its size prefix excepted: the rest of a message would not be found. */
function damaged(bytes: Uint8Array, at: number): Uint8Array {
  const copy = bytes.slice();
  const place = 4 + (at % (bytes.length - 4));
  copy[place] = (copy[place] as number) ^ (1 + (at % 255));
  return copy;
}

describe('a book that is fed by a bad line', () => {
  it('takes no image of which any bit is another than it was sent for the server’s levels', () => {
    const server = new Server();
    for (let price = 1; price < 12; price += 1)
      server.tell({ tag: 'change', isBid: price < 6, price, qty: price });
    const { bytes, truth } = server.image();
    let synced = 0;
    for (let bit = 32; bit < bytes.length * 8; bit += 1) {
      const bad = bytes.slice();
      bad[bit >> 3] = (bad[bit >> 3] as number) ^ (1 << (bit & 7));
      const book = new LocalBook();
      hand(book, new FrameReader(), bad);
      if (book.state !== 'synced') continue;
      synced += 1;
      expect(contentOf(book)).toBe(truth);
    }
    // Times, exponents and places are not of the levels, and nothing in a frame proves them.
    expect(synced).toBeGreaterThan(0);
  });

  it('is never synced and another than the server’s, whatever is lost, doubled or late', () => {
    fc.assert(
      fc.property(script('drop', 'twice', 'late', 'wrong check'), (events) => {
        const server = new Server();
        const [book, reader] = [new LocalBook(), new FrameReader()];
        let late: Uint8Array | undefined;
        const take = (bytes: Uint8Array): void => {
          hand(book, reader, bytes);
          if (book.state === 'synced') {
            expect(contentOf(book)).toBe(server.truths.get(`${book.epoch}:${book.seq}`));
          }
        };
        take(server.image().bytes);
        for (const [event, fault] of events) {
          for (const { kind, bytes } of server.tell(event)) {
            const waited = late;
            late = undefined;
            if (fault === 'late') late = bytes;
            else if (fault === 'wrong check' && kind === Kind.check) {
              const { epoch, seq } = server;
              take(frame({ kind, epoch, seq, instrument: 7, check: { ...checkOf([], []), allCrc: 1 } }));
            } else if (fault !== 'drop') take(bytes);
            if (fault === 'twice') take(bytes);
            if (waited !== undefined) take(waited);
          }
        }
        take(server.image().bytes);
        expect([book.state, contentOf(book)]).toEqual(['synced', server.image().truth]);
      }),
      { numRuns: 300 },
    );
  });

  it('throws only what is typed at damaged bytes and lies, and is found out by the next check or whole image', () => {
    fc.assert(
      fc.property(script('bytes', 'cut', 'lie', 'drop'), (events) => {
        const server = new Server();
        const [book, reader] = [new LocalBook(), new FrameReader()];
        hand(book, reader, server.image().bytes);
        for (const [event, fault, at] of events) {
          for (const { kind, bytes, truth } of server.tell(event)) {
            if (fault === 'bytes') hand(book, reader, damaged(bytes, at));
            else if (fault === 'cut') hand(book, reader, bytes.subarray(0, at % bytes.length));
            else if (fault === 'lie') {
              const { epoch, seq } = server;
              const bids: LevelSpec[] = [[1 + (at % 60), at % 4]];
              hand(book, reader, frame({ kind: Kind.delta, epoch, prevSeq: 0, seq: seq + (at % 3), bids }));
            } else if (fault === 'none') {
              hand(book, reader, bytes);
              const isProof = kind === Kind.check || kind === Kind.image;
              const isHere = book.seq === server.seq && book.epoch === server.epoch;
              if (isProof && isHere && book.state === 'synced') expect(contentOf(book)).toBe(truth);
            }
          }
        }
        const { bytes, truth } = server.image();
        hand(book, reader, bytes);
        expect([book.state, contentOf(book)]).toEqual(['synced', truth]);
      }),
      { numRuns: 300 },
    );
  });
});
