import { describe, expect, it } from 'vitest';
import { textOf } from '../bench/kill/digests.mjs';
import { Judge, Tape } from '../bench/kill/judge.mjs';

const NAME = 'sim:BTCUSDT';
const trade = (id: number, seq: number) => ({ id: BigInt(id), price: 100 + id, qty: 1, tsEvent: 5n, seq });

/** A market with one epoch, whose book has this checksum at sequence 3 and that of all markets at 1, and two frames of trades. */
const truth = (crc: number) => ({
  epochs: () => 1,
  crcAt: (_name: string, _epoch: number, stream: number, seq: number) =>
    stream !== 1 ? undefined : seq === 1 ? 5 : seq === 3 ? crc : undefined,
  topAt: () => undefined,
  tradesAt: (_name: string, _epoch: number, seq: number) =>
    [
      { prevSeq: 1, trades: [trade(1, 2), trade(2, 2)].map(textOf) },
      { prevSeq: 2, trades: [textOf(trade(3, 3))] },
    ][seq - 2],
});

const book = (allCrc: number, epoch = 7n, seq = 3, state = 'synced') => ({
  state,
  reason: 'none',
  place: { epoch, seq },
  stream: 1,
  check: () => ({ allCrc }),
});

function judged(...books: readonly object[]): readonly string[] {
  const judge = new Judge([truth(11), truth(22)] as never);
  for (const each of books) judge.book('client', NAME, each as never, 0);
  return judge.failures;
}

describe('the judge of clients of a killed server', () => {
  it('takes a book for right that some market had at its place', () => {
    expect(judged(book(11), book(22, 8n), book(11, 7n, 3, 'stale'))).toEqual([]);
  });

  it('waits until it knows which market an epoch is of', () => {
    const alike = { ...book(0, 7n, 1), check: () => ({ allCrc: 5 }) };
    expect(judged(alike, book(22), book(22))).toEqual([]);
    expect(judged(alike, book(22), book(11))).toHaveLength(1);
  });

  it.each([
    ['of no market', [book(33)]],
    ['at no place of it', [book(11, 7n, 4)]],
    ['of another market in the same epoch', [book(11), book(22)]],
    ['without a place that is called synced', [{ ...book(11), place: undefined }]],
    ['that is called stale at a place where it was another one', [book(33, 7n, 3, 'stale')]],
  ])('fails a book %s', (_what, books) => {
    expect(judged(...books)).toHaveLength(1);
  });
});

/** What a tape says of trades and gaps that come one after the other, behind the place at sequence 1. */
function taped(...events: readonly (number | { readonly gap: object; readonly epoch: bigint })[]) {
  const judge = new Judge([truth(11)] as never);
  const listeners: Record<string, (event: object) => void> = {};
  const subscription = {
    epoch: 7n,
    seq: 1,
    state: 'synced',
    place: { epoch: 7n, seq: 1 },
    on: (name: string, listener: (event: object) => void) => {
      listeners[name] = listener;
    },
  };
  new Tape(judge, 'client', NAME, subscription as never);
  listeners.state?.({ state: 'synced' });
  for (const event of events) {
    if (typeof event === 'number') listeners.update?.(trade(event, event === 3 ? 3 : 2));
    else {
      subscription.epoch = event.epoch;
      listeners.gap?.(event.gap);
    }
  }
  return judge.failures;
}

describe('the judge of trades', () => {
  it('follows each trade, and holes that are told', () => {
    expect(taped(1, 2, 3)).toEqual([]);
    expect(taped({ gap: { reason: 'sequence', received: 2 }, epoch: 7n }, 3)).toEqual([]);
    expect(taped(1, 2, { gap: { reason: 'reset' }, epoch: 8n }, 1, 2)).toEqual([]);
  });

  it.each([
    ['a trade that nobody made', [4]],
    ['a frame that is missing untold', [3]],
    ['half of a frame', [1, 3]],
    ['the same trades once more', [1, 2, 1]],
    ['another epoch untold', [1, 2, { gap: { reason: 'reset' }, epoch: 8n }, 3]],
  ])('fails %s', (_what, events) => {
    expect(taped(...events)).not.toEqual([]);
  });
});
