import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type ApplyOutcome,
  FeedError,
  Flag,
  FrameReader,
  Kind,
  LocalBook,
  Stream,
} from '../src/wire/index.js';
import { checkOf, type FrameSpec, frame, type InfoSpec, type LevelSpec, message } from './support/frames.js';

const EPOCH = (9n << 32n) | 4n;
const BIDS: readonly LevelSpec[] = [
  [100, 5],
  [99, 7],
  [90, 1],
];
const ASKS: readonly LevelSpec[] = [
  [101, 2],
  [105, 9],
];

const image = (spec: Partial<FrameSpec> = {}, info: InfoSpec = {}): Uint8Array => {
  const bids = spec.bids ?? BIDS;
  const asks = spec.asks ?? ASKS;
  return frame({
    kind: Kind.image,
    epoch: EPOCH,
    seq: 10,
    bids,
    asks,
    check: checkOf(bids, asks),
    info,
    ...spec,
  });
};
const delta = (prevSeq: number, seq: number, spec: Partial<FrameSpec> = {}): Uint8Array =>
  frame({ kind: Kind.delta, epoch: EPOCH, prevSeq, seq, ...spec });
const status = (state: number, reason = 0, epoch = EPOCH): Uint8Array =>
  frame({ kind: Kind.status, epoch, seq: 10, stream: 4, status: { state, reason } });

/** Applies frames; the outcomes in words. */
function feed(book: LocalBook, ...frames: readonly Uint8Array[]): string[] {
  const reader = new FrameReader().reset(message(...frames));
  const words: string[] = [];
  while (reader.next()) {
    try {
      const outcome: ApplyOutcome = book.apply(reader);
      words.push(outcome.tag === 'ignored' ? outcome.why : outcome.tag);
    } catch (error) {
      if (!(error instanceof FeedError)) throw error;
      words.push(error.code);
    }
  }
  return words;
}

const sides = (book: LocalBook) => ({
  bids: [...book.levels('bid')].map(({ price, qty }) => [price, qty]),
  asks: [...book.levels('ask')].map(({ price, qty }) => [price, qty]),
});

function bookWith(...frames: readonly Uint8Array[]): LocalBook {
  const book = new LocalBook();
  feed(book, ...frames);
  return book;
}

describe('LocalBook, rule 1: images', () => {
  it('takes an image whole, with everything that it says', () => {
    const book = new LocalBook();
    expect([book.state, book.reason, book.seq]).toEqual(['syncing', 'no_image', 0]);
    const times = { venueSeq: 2n ** 60n, tsEvent: 1n, tsRecv: 2n, tsSend: 3n, flags: Flag.replay };
    expect(feed(book, image(times))).toEqual(['image']);
    expect(sides(book)).toEqual({ bids: BIDS, asks: ASKS });
    expect([book.state, book.reason, book.epoch, book.seq]).toEqual(['synced', 'none', EPOCH, 10]);
    expect([book.venueSeq, book.tsEvent, book.tsRecv, book.tsSend]).toEqual([2n ** 60n, 1n, 2n, 3n]);
    expect(book.flags).toBe(Flag.replay);
    expect([book.bestBid, book.bestAsk]).toEqual([
      { price: 100, qty: 5 },
      { price: 101, qty: 2 },
    ]);
    expect([book.priceText(6180020), book.qtyText(5)]).toEqual(['61800.2', '0.00005']);
    expect(book.depth(1)).toEqual({ bids: [{ price: 100, qty: 5 }], asks: [{ price: 101, qty: 2 }] });
    expect(book.depth(9).bids).toHaveLength(3);
    expect([book.count('bid'), book.priceAt('ask', 1), book.qtyAtIndex('ask', 1)]).toEqual([3, 105, 9]);
    expect([book.priceAt('ask', 2), book.qtyAtIndex('bid', 3)]).toEqual([Number.NaN, Number.NaN]);
  });

  it('replaces the content by an image of any epoch and sequence', () => {
    const book = bookWith(image());
    expect(feed(book, image({ epoch: 1n, seq: 1, bids: [[7, 7]], asks: [] }))).toEqual(['image']);
    expect([book.epoch, book.seq, sides(book)]).toEqual([1n, 1, { bids: [[7, 7]], asks: [] }]);
    expect(feed(book, image({ epoch: 1n, seq: 0 }))).toEqual(['image']);
  });

  it('holds levels that did not come best first in their order, and drops empty ones', () => {
    const bids: LevelSpec[] = [
      [90, 1],
      [100, 5],
      [95, 0],
      [99, 7],
      [90, 4],
    ];
    const check = checkOf(
      [
        [100, 5],
        [99, 7],
        [90, 4],
      ],
      ASKS,
    );
    const book = new LocalBook();
    expect(feed(book, image({ bids, check }))).toEqual(['image']);
    expect(sides(book).bids).toEqual([
      [100, 5],
      [99, 7],
      [90, 4],
    ]);
  });

  const chunk = (
    chunkIndex: number,
    bids: readonly LevelSpec[],
    spec: Partial<FrameSpec> = {},
    chunkCount = 3,
  ) => image({ bids, asks: [], check: checkOf(BIDS, []), ...spec }, { chunkIndex, chunkCount });
  const CHUNKS = BIDS.map((level, at) => chunk(at, [level]));
  const [first, second, third] = CHUNKS as [Uint8Array, Uint8Array, Uint8Array];

  it('lets a chunked image take effect at its last chunk', () => {
    const book = bookWith(image({ seq: 9, bids: [[1, 1]], asks: [] }));
    expect(feed(book, first, second)).toEqual(['chunk', 'chunk']);
    expect([book.seq, sides(book).bids]).toEqual([9, [[1, 1]]]);
    expect(feed(book, third)).toEqual(['image']);
    expect([book.seq, sides(book).bids]).toEqual([10, BIDS]);
  });

  it.each<[string, Uint8Array[], string[]]>([
    ['a skipped chunk', [first, third], ['chunk', 'chunk_discarded']],
    [
      'a repeated chunk',
      [first, second, second, third],
      ['chunk', 'chunk', 'chunk_discarded', 'chunk_discarded'],
    ],
    ['a chunk without its first', [second, third], ['chunk_discarded', 'chunk_discarded']],
    [
      'a chunk of another seq',
      [first, chunk(1, [[99, 7]], { seq: 11 }), second],
      ['chunk', 'chunk_discarded', 'chunk_discarded'],
    ],
    [
      'a chunk of another epoch',
      [first, chunk(1, [[99, 7]], { epoch: 5n }), second],
      ['chunk', 'chunk_discarded', 'chunk_discarded'],
    ],
    ['another chunk count', [first, chunk(1, [[99, 7]], {}, 2)], ['chunk', 'chunk_discarded']],
  ])('discards the collected chunks at %s', (_name, frames, outcomes) => {
    const book = bookWith(image({ seq: 9, bids: [[1, 1]], asks: [] }));
    expect(feed(book, ...frames)).toEqual(outcomes);
    expect([book.state, book.seq, sides(book).bids]).toEqual(['synced', 9, [[1, 1]]]);
    expect(feed(book, ...CHUNKS)).toEqual(['chunk', 'chunk', 'image']);
    expect(sides(book).bids).toEqual(BIDS);
  });

  it('starts anew when a first chunk comes among the others', () => {
    expect(feed(new LocalBook(), first, second, first, second, third)).toEqual([
      'chunk',
      'chunk',
      'chunk',
      'chunk',
      'image',
    ]);
  });

  it.each<[string, Partial<FrameSpec>, InfoSpec, string, string]>([
    ['a stale book', {}, { state: 3, reason: 2 }, 'stale', 'silence'],
    ['a syncing book', {}, { state: 1 }, 'syncing', 'none'],
    ['an unknown state', {}, { state: 9, reason: 99 }, 'stale', 'unknown'],
    ['a stale flag', { flags: Flag.stale }, {}, 'stale', 'unknown'],
  ])('shows the image of %s and does not call it synced', (_name, spec, info, state, reason) => {
    const book = bookWith(image(spec, info));
    expect([book.state, book.reason, book.seq]).toEqual([state, reason, 10]);
    expect(sides(book).bids).toEqual(BIDS);
    expect(feed(book, delta(10, 11))).toEqual(['awaiting_image']);
  });

  it.each<[string, Uint8Array, string]>([
    [
      'no info',
      frame({ kind: Kind.image, epoch: EPOCH, seq: 1, check: checkOf([], []) }),
      'wire.missing_field',
    ],
    ['no check', frame({ kind: Kind.image, epoch: EPOCH, seq: 1, info: {} }), 'wire.missing_field'],
    ['no chunk', image({}, { chunkCount: 0 }), 'wire.bad_value'],
    ['a chunk beyond the count', image({}, { chunkIndex: 2, chunkCount: 2 }), 'wire.bad_value'],
    ['a negative quantity', image({ asks: [[101, -1]] }), 'wire.bad_value'],
  ])('throws at an image with %s and is stale', (_name, bad, code) => {
    const book = bookWith(image());
    expect(feed(book, bad, delta(10, 11))).toEqual([code, 'awaiting_image']);
    expect([book.state, book.reason]).toEqual(['stale', 'bad_frame']);
    expect(feed(book, image())).toEqual(['image']);
    expect(book.state).toBe('synced');
  });
});

describe('LocalBook, rules 2 and 3: deltas', () => {
  it.each<[string, Uint8Array, string, number, string]>([
    ['seq below mine', delta(8, 9, { bids: [[100, 0]] }), 'old', 10, 'synced'],
    ['seq equal to mine', delta(9, 10, { bids: [[100, 0]] }), 'old', 10, 'synced'],
    ['prev_seq equal to mine', delta(10, 11, { bids: [[100, 0]] }), 'applied', 11, 'synced'],
    ['prev_seq below mine', delta(3, 25, { bids: [[100, 0]] }), 'applied', 25, 'synced'],
    ['prev_seq above mine', delta(11, 12, { bids: [[100, 0]] }), 'gap', 10, 'stale'],
    ['an earlier epoch', delta(10, 11, { epoch: EPOCH - 1n, bids: [[100, 0]] }), 'other_epoch', 10, 'synced'],
    ['another stream', delta(10, 11, { stream: 16, bids: [[100, 0]] }), 'other_epoch', 10, 'synced'],
    ['a later epoch, whose image was missed', delta(1, 2, { epoch: EPOCH + 1n }), 'gap', 10, 'stale'],
    [
      'another start of the server',
      delta(10, 11, { epoch: 4n, bids: [[100, 0]] }),
      'other_epoch',
      10,
      'synced',
    ],
  ])('%s', (_name, next, outcome, seq, state) => {
    const book = bookWith(image());
    expect(feed(book, next)).toEqual([outcome]);
    expect([book.seq, book.state]).toEqual([seq, state]);
    expect(book.bestBid?.price).toBe(outcome === 'applied' ? 99 : 100);
  });

  it('ignores everything but an image before the first one', () => {
    const book = new LocalBook();
    const check = frame({ kind: Kind.check, epoch: 0n, seq: 0, check: checkOf([], []) });
    expect(feed(book, delta(0, 1, { epoch: 0n }), check, frame({ kind: Kind.trade }))).toEqual([
      'awaiting_image',
      'awaiting_image',
      'kind',
    ]);
    expect([book.state, book.qtyAt('bid', 1)]).toEqual(['syncing', 'unknown']);
  });

  it('reports a gap with the sequences, and is repaired by a later frame that reaches back', () => {
    const book = bookWith(image());
    const reader = new FrameReader().reset(delta(12, 13));
    reader.next();
    expect(book.apply(reader)).toEqual({ tag: 'gap', expected: 10, received: 12 });
    expect([book.state, book.reason]).toEqual(['stale', 'sequence_gap']);
    expect(feed(book, delta(13, 14), delta(10, 14, { bids: [[98, 3]] }))).toEqual(['gap', 'applied']);
    expect([book.state, book.reason, book.seq, book.qtyAt('bid', 98)]).toEqual(['synced', 'none', 14, 3]);
  });

  it('sets, replaces and removes on both sides; removing an unknown level is legal', () => {
    const book = bookWith(image());
    feed(
      book,
      delta(10, 11, {
        bids: [
          [99, 0],
          [97, 4],
          [50, 0],
        ],
        asks: [
          [101, 8],
          [103, 6],
          [999, 0],
        ],
      }),
    );
    expect(sides(book)).toEqual({
      bids: [
        [100, 5],
        [97, 4],
        [90, 1],
      ],
      asks: [
        [101, 8],
        [103, 6],
        [105, 9],
      ],
    });
  });

  it('holds negative prices and a price of 0 on both sides', () => {
    const bids: LevelSpec[] = [
      [0, 1],
      [-5, 2],
    ];
    const asks: LevelSpec[] = [
      [0, 4],
      [3, 1],
    ];
    const book = bookWith(image({ bids, asks }));
    expect(book.state).toBe('synced');
    expect(Object.is(book.bestAsk?.price, 0)).toBe(true);
    feed(book, delta(10, 11, { bids: [[-5, 0]], asks: [[-1, 2]] }));
    expect(sides(book)).toEqual({
      bids: [[0, 1]],
      asks: [
        [-1, 2],
        [0, 4],
        [3, 1],
      ],
    });
  });

  it('replaces both sides by a top of book', () => {
    const book = bookWith(image({ stream: 2, bids: [[100, 5]], asks: [[101, 2]] }));
    const bbo = (prevSeq: number, seq: number, spec: Partial<FrameSpec>): Uint8Array =>
      frame({ kind: Kind.bbo, stream: 2, epoch: EPOCH, prevSeq, seq, ...spec });
    expect(feed(book, bbo(10, 11, { bids: [[102, 1]], asks: [] }), bbo(9, 10, {}))).toEqual([
      'applied',
      'old',
    ]);
    expect(sides(book)).toEqual({ bids: [[102, 1]], asks: [] });
    expect(feed(book, bbo(12, 13, {}))).toEqual(['gap']);
  });

  it('is stale while frames carry the stale flag', () => {
    const book = bookWith(image());
    feed(book, delta(10, 11, { flags: Flag.stale }));
    expect([book.state, book.reason]).toEqual(['stale', 'unknown']);
    feed(book, delta(11, 12));
    expect(book.state).toBe('synced');
  });

  it('throws at a negative quantity and is stale until an image', () => {
    const book = bookWith(image());
    const negative = delta(10, 11, { bids: [[98, -4]] });
    expect(feed(book, negative, delta(10, 12))).toEqual(['wire.bad_value', 'awaiting_image']);
    expect([book.state, book.reason]).toEqual(['stale', 'bad_frame']);
    expect(feed(book, image())).toEqual(['image']);
    expect(sides(book)).toEqual({ bids: BIDS, asks: ASKS });
  });

  it('refuses more levels than its limit, in images and deltas', () => {
    const book = new LocalBook(3);
    const four: LevelSpec[] = [
      [4, 1],
      [3, 1],
      [2, 1],
      [1, 1],
    ];
    expect(feed(book, image({ bids: four }))).toEqual(['client.levels_limit']);
    expect(feed(book, image({ asks: four.toReversed() }))).toEqual(['client.levels_limit']);
    expect(feed(book, image())).toEqual(['image']);
    expect(
      feed(
        book,
        delta(10, 11, {
          bids: [
            [100, 6],
            [50, 1],
          ],
        }),
      ),
    ).toEqual(['client.levels_limit']);
    expect([book.state, book.reason]).toEqual(['stale', 'bad_frame']);
  });
});

describe('LocalBook, rule 5: checks', () => {
  const check = (seq: number, spec = checkOf(BIDS, ASKS), epoch = EPOCH): Uint8Array =>
    frame({ kind: Kind.check, epoch, seq, check: spec });
  const RIGHT = checkOf(BIDS, ASKS);

  it('verifies at its own sequence only', () => {
    const book = bookWith(image());
    const wrong = { ...RIGHT, allCrc: 1 };
    expect(feed(book, check(10), check(9, wrong), check(10, wrong, 1n))).toEqual([
      'checked',
      'other_seq',
      'other_epoch',
    ]);
    expect(book.state).toBe('synced');
  });

  it('is a gap when it is ahead: the last delta was lost', () => {
    const book = bookWith(image());
    expect(feed(book, check(11))).toEqual(['gap']);
    expect([book.state, book.reason]).toEqual(['stale', 'sequence_gap']);
  });

  it.each<[string, Partial<typeof RIGHT>]>([
    ['the checksum of the top', { topCrc: RIGHT.topCrc ^ 1 }],
    ['the checksum of all', { allCrc: RIGHT.allCrc ^ 1 }],
    ['the number of bids', { bidCount: 4 }],
    ['the number of asks', { askCount: 1 }],
  ])('is stale until an image when %s differs, in a check and in an image', (_name, difference) => {
    const book = bookWith(image());
    expect(feed(book, check(10, { ...RIGHT, ...difference }), delta(10, 11))).toEqual([
      'check_failed',
      'awaiting_image',
    ]);
    expect([book.state, book.reason]).toEqual(['stale', 'check_failed']);
    expect(feed(book, image({ check: { ...RIGHT, ...difference } }))).toEqual(['check_failed']);
    expect(book.state).toBe('stale');
    expect(feed(book, image())).toEqual(['image']);
    expect(book.state).toBe('synced');
  });

  it('says what the server doubts, of content and of later checks', () => {
    const book = bookWith(image({ flags: Flag.beyondKnown }));
    const doubts = (): readonly boolean[] => [book.isBeyondKnown, book.isCrossed];
    expect(doubts()).toEqual([true, false]);
    const check = (flags: number) =>
      frame({ kind: Kind.check, epoch: EPOCH, seq: 10, flags, check: checkOf(BIDS, ASKS) });
    feed(book, check(Flag.crossed | Flag.last));
    expect(doubts()).toEqual([false, true]);
    expect(book.flags & Flag.last).toBe(0);
    feed(book, check(0));
    expect(doubts()).toEqual([false, false]);
  });

  it('notices a difference beyond the best ten', () => {
    const bids = Array.from({ length: 12 }, (_, at): LevelSpec => [100 - at, 1]);
    const other = bids.with(11, [89, 2]);
    expect(checkOf(bids, []).topCrc).toBe(checkOf(other, []).topCrc);
    const book = bookWith(image({ bids, asks: [] }));
    expect(feed(book, check(10, checkOf(other, [])))).toEqual(['check_failed']);
  });
});

describe('LocalBook, rule 6: status', () => {
  it.each<[string, number, number, string, string]>([
    ['gap', 3, 1, 'stale', 'gap'],
    ['silence', 3, 2, 'stale', 'silence'],
    ['levels limit', 3, 3, 'stale', 'levels_limit'],
    ['contradiction', 3, 4, 'stale', 'contradiction'],
    ['orders limit', 3, 5, 'stale', 'orders_limit'],
    ['a reason of the future', 3, 77, 'stale', 'unknown'],
    ['syncing', 1, 0, 'syncing', 'none'],
  ])('takes the word of the server: %s', (_name, code, reasonCode, state, reason) => {
    const book = bookWith(image());
    expect(feed(book, status(code, reasonCode), delta(10, 11))).toEqual(['status', 'awaiting_image']);
    expect([book.state, book.reason]).toEqual([state, reason]);
    expect(feed(book, status(2))).toEqual(['status']);
    expect(book.state).toBe(state);
    expect(feed(book, image({ epoch: EPOCH + 1n, seq: 1 }))).toEqual(['image']);
    expect(book.state).toBe('synced');
  });

  it('does not believe a status of an epoch that is over, and does one of a new start', () => {
    const book = bookWith(image());
    expect(feed(book, status(3, 1, EPOCH - 1n))).toEqual(['old_epoch']);
    expect(book.state).toBe('synced');
    expect(feed(book, status(3, 1, 1n))).toEqual(['status']);
    expect(book.state).toBe('stale');
  });

  it('leaves the venue’s own top of book alone, whose image tells of the other book too', () => {
    const top = { stream: Stream.venueBbo, bids: BIDS.slice(0, 1), asks: ASKS.slice(0, 1) };
    const book = bookWith(status(3, 1), image(top, { state: 3, reason: 1, depth: 1 }));
    expect([book.state, book.reason]).toEqual(['synced', 'none']);
    const next: Partial<FrameSpec> = { ...top, kind: Kind.bbo, bids: [[98, 1]] };
    expect(feed(book, status(3, 2), delta(10, 11, next))).toEqual(['other_book', 'applied']);
    expect([book.state, book.seq, book.bestBid]).toEqual(['synced', 11, { price: 98, qty: 1 }]);
    // Its connection is lost; a check does not end that, the next top does.
    const { bids, asks } = { bids: next.bids ?? [], asks: top.asks };
    feed(book, delta(11, 12, { ...next, flags: Flag.stale }));
    expect([book.state, book.bestBid]).toEqual(['stale', { price: 98, qty: 1 }]);
    expect(
      feed(book, frame({ ...top, kind: Kind.check, epoch: EPOCH, seq: 12, check: checkOf(bids, asks) })),
    ).toEqual(['checked']);
    expect(book.state).toBe('stale');
    feed(book, delta(12, 13, next));
    expect(book.state).toBe('synced');
  });

  it('does not call a book synced before its image', () => {
    const book = new LocalBook();
    feed(book, status(2));
    expect([book.state, book.reason]).toEqual(['syncing', 'no_image']);
  });
});

describe('LocalBook, what is known', () => {
  it('says unknown beyond what the venue has made known', () => {
    const book = bookWith(image({}, { bidKnownTo: 92, askKnownTo: 104 }));
    const asked = [100, 98, 92, 91, 90].map((price) => book.qtyAt('bid', price));
    expect(asked).toEqual([5, 0, 0, 'unknown', 1]);
    expect([101, 104, 105, 106].map((price) => book.qtyAt('ask', price))).toEqual([2, 0, 9, 'unknown']);
  });

  it('says unknown beyond the last level of a full view, and 0 in one that is not full', () => {
    const book = bookWith(image({}, { depth: 3 }));
    expect([89, 91].map((price) => book.qtyAt('bid', price))).toEqual(['unknown', 0]);
    expect(book.qtyAt('ask', 999)).toBe(0);
  });

  it('refuses a price that is no mantissa', () => {
    expect(() => bookWith(image()).qtyAt('bid', 100.5)).toThrow('client.price_mantissa');
  });
});

describe('LocalBook against a map', () => {
  interface Step {
    readonly changes: readonly (readonly [bid: boolean, price: number, qty: number])[];
    readonly delivery: 'each' | 'merged' | 'duplicate' | 'image';
  }
  const step: fc.Arbitrary<Step> = fc.record({
    changes: fc.array(fc.tuple(fc.boolean(), fc.integer({ min: -40, max: 700 }), fc.nat(3)), {
      maxLength: 12,
    }),
    delivery: fc.constantFrom('each', 'each', 'merged', 'duplicate', 'image'),
  });

  it('holds the same levels through deltas, conflated ranges, duplicates and chunked images', () => {
    fc.assert(
      fc.property(
        fc.array(step, { minLength: 1, maxLength: 40 }),
        fc.integer({ min: 1, max: 4 }),
        (steps, chunks) => {
          const oracle = { bid: new Map<number, number>(), ask: new Map<number, number>() };
          const sorted = (side: 'bid' | 'ask'): LevelSpec[] =>
            [...oracle[side]].sort(([a], [b]) => (side === 'bid' ? b - a : a - b));
          const book = bookWith(image({ seq: 1, bids: [], asks: [] }));
          let seq = 1;
          /** Prices changed since the last frame that was delivered. */
          const touched = { bid: new Set<number>(), ask: new Set<number>() };
          let deliveredSeq = 1;
          for (const { changes, delivery } of steps) {
            seq += 1;
            for (const [isBid, price, qty] of changes) {
              const side = isBid ? 'bid' : 'ask';
              touched[side].add(price);
              if (qty === 0) oracle[side].delete(price);
              else oracle[side].set(price, qty);
            }
            if (delivery === 'merged') continue;
            const net = (side: 'bid' | 'ask'): LevelSpec[] =>
              [...touched[side]].map((price) => [price, oracle[side].get(price) ?? 0]);
            const [bids, asks] = [sorted('bid'), sorted('ask')];
            const frames: Uint8Array[] = [];
            if (delivery === 'image') {
              const per = Math.ceil((bids.length + asks.length) / chunks) || 1;
              const all = [
                ...bids.map((level) => ({ bid: level })),
                ...asks.map((level) => ({ ask: level })),
              ];
              for (let index = 0; index < chunks; index += 1) {
                const part = all.slice(index * per, (index + 1) * per);
                const partBids = part.flatMap((item) => ('bid' in item ? [item.bid] : []));
                const partAsks = part.flatMap((item) => ('ask' in item ? [item.ask] : []));
                frames.push(
                  image(
                    { seq, bids: partBids, asks: partAsks, check: checkOf(bids, asks) },
                    { chunkIndex: index, chunkCount: chunks },
                  ),
                );
              }
            } else {
              frames.push(delta(deliveredSeq, seq, { bids: net('bid'), asks: net('ask') }));
              if (delivery === 'duplicate')
                frames.push(...frames, delta(deliveredSeq, deliveredSeq, { bids: [[1, 99]] }));
            }
            frames.push(frame({ kind: Kind.check, epoch: EPOCH, seq, check: checkOf(bids, asks) }));
            const outcomes = feed(book, ...frames);
            if (outcomes.at(-1) !== 'checked' || book.state !== 'synced') return false;
            expect(sides(book)).toEqual({ bids, asks });
            deliveredSeq = seq;
            touched.bid.clear();
            touched.ask.clear();
          }
          return true;
        },
      ),
      { numRuns: 150 },
    );
  });

  it('grows through its capacities and stays sorted', () => {
    const book = bookWith(image({ bids: [], asks: [] }));
    const prices = Array.from({ length: 3000 }, (_, at) => (at * 7919) % 30011);
    prices.forEach((price, at) => {
      feed(book, delta(10 + at, 11 + at, { bids: [[price, at + 1]], asks: [[price + 40000, at + 1]] }));
    });
    const bids = prices
      .map((price, at): LevelSpec => [price, at + 1])
      .sort(([a], [b]) => Number(b) - Number(a));
    const asks = bids.map(([price, qty]): LevelSpec => [Number(price) + 40000, qty]).reverse();
    expect(sides(book)).toEqual({ bids, asks });
    expect(book.check()).toEqual(checkOf(bids, asks));
  });
});
