// @ts-check
/** Whether what clients hold is what the server had, at the place at which they say that they are. */
import { digestOf, textOf } from './digests.mjs';

const FAILURES_MAX = 20;

/**
 * What a frame of trades holds, each as `textOf` writes it.
 * @typedef {{ readonly prevSeq: number, readonly trades: readonly string[] }} TradeFrame
 *
 * Every stream of a market at each of its places; epochs of an instrument are numbered from 0 on.
 * @typedef {object} Truth
 * @property {(instrument: string) => number} epochs how many an instrument has
 * @property {(instrument: string, epoch: number, stream: number, seq: number) => number | undefined} crcAt checksum of all levels
 * @property {(instrument: string, epoch: number, depth: number, venueSeq: bigint) => string | undefined} topAt the best levels, as
 *   `digestOf` writes them
 * @property {(instrument: string, epoch: number, venueSeq: bigint) => number | undefined} ordersAt checksum of all orders
 * @property {(instrument: string, epoch: number, seq: number) => TradeFrame | undefined} tradesAt
 *
 * @typedef {Pick<import('../../src/wire/index.js').LocalBook, 'state' | 'reason' | 'place' | 'stream' | 'venueSeq' | 'check' | 'depth'>} Book
 * @typedef {Pick<import('../../src/wire/index.js').LocalOrders, 'state' | 'reason' | 'place' | 'venueSeq' | 'check'>} Orders
 * @typedef {Pick<import('../../src/wire/index.js').TradesSubscription, 'state' | 'place' | 'epoch' | 'seq' | 'on'>} Trades
 *
 * Whose an epoch of an instrument is: one of a market, for it is that of one start of the server.
 * @typedef {{ readonly truth: Truth, readonly epoch: number }} Owner
 */

export class Judge {
  /** @type {string[]} */
  failures = [];
  failed = 0;
  counts = { books: 0, orders: 0, trades: 0, gaps: 0 };
  /** @type {readonly Truth[]} */
  #truths;
  /** Whose each epoch may be. @type {Map<string, readonly Owner[]>} */
  #owners = new Map();

  /** @param {readonly Truth[]} truths of all markets */
  constructor(truths) {
    this.#truths = truths;
  }

  /** @param {string} text */
  fail(text) {
    this.failed += 1;
    if (this.failures.length < FAILURES_MAX) this.failures.push(text);
  }

  /**
   * A book that says that it is exact, or that it was at its place.
   * @param {string} who
   * @param {string} instrument
   * @param {Book} book
   * @param {number} depth of a view; 0 = none
   */
  book(who, instrument, book, depth) {
    const { stream, venueSeq } = book;
    this.counts.books += 1;
    this.#compare(who, instrument, book, ({ truth, epoch }, { seq }) =>
      depth === 0
        ? truth.crcAt(instrument, epoch, stream, seq) === book.check().allCrc
        : truth.topAt(instrument, epoch, depth, venueSeq) === digestOf(book, depth),
    );
  }

  /** Orders likewise. @param {string} who @param {string} instrument @param {Orders} orders */
  orders(who, instrument, orders) {
    this.counts.orders += 1;
    const { allCrc } = orders.check();
    this.#compare(
      who,
      instrument,
      orders,
      ({ truth, epoch }) => truth.ordersAt(instrument, epoch, orders.venueSeq) === allCrc,
    );
  }

  /**
   * @param {string} who
   * @param {string} instrument
   * @param {Book | Orders} kept
   * @param {(owner: Owner, place: import('../../src/wire/index.js').Place) => boolean} isRight
   */
  #compare(who, instrument, { state, reason, place }, isRight) {
    if (place === undefined) {
      if (state === 'synced') this.fail(`${who}: synced without a place`);
      return;
    }
    const owner = this.#ownerOf(instrument, place.epoch, (each) => isRight(each, place));
    if (owner === undefined)
      this.fail(`${who}: ${state} (${reason}) at ${place.epoch}/${place.seq} and not the server's`);
  }

  /**
   * Whose an epoch may be by what is seen of it now and was seen before: a few levels may be those of several markets.
   * @param {string} instrument
   * @param {bigint} epoch
   * @param {(owner: Owner) => boolean} isRight
   * @returns {Owner | undefined} undefined = nobody's
   */
  #ownerOf(instrument, epoch, isRight) {
    const name = `${instrument}/${epoch}`;
    const known = this.#owners.get(name) ?? this.#everyone(instrument);
    const right = known.filter(isRight);
    if (right.length > 0 && right.length < known.length) this.#owners.set(name, right);
    return right[0];
  }

  /** @param {string} instrument @returns {readonly Owner[]} */
  #everyone(instrument) {
    return this.#truths.flatMap((truth) =>
      Array.from({ length: truth.epochs(instrument) }, (_, epoch) => ({ truth, epoch })),
    );
  }

  /**
   * The frame at a place, if the trade at an index of it is this one.
   * @param {string} instrument
   * @param {bigint} epoch
   * @param {number} seq
   * @param {string} trade
   * @param {number} at
   */
  tradesOf(instrument, epoch, seq, trade, at) {
    const owner = this.#ownerOf(
      instrument,
      epoch,
      ({ truth, epoch: index }) => truth.tradesAt(instrument, index, seq)?.trades[at] === trade,
    );
    return owner?.truth.tradesAt(instrument, owner.epoch, seq);
  }
}

/** The trades that a client has got of an instrument: each one in turn, or told that some are missing. */
export class Tape {
  #judge;
  #who;
  #subscription;
  /** The place that the next trade must follow; undefined = something was told to be missing, or nothing has come yet. @type {{ epoch: bigint, seq: number } | undefined} */
  #last;
  /** Trades of the frame that are still due. */
  #due = 0;
  #at = 0;

  /** @param {Judge} judge @param {string} who @param {string} instrument @param {Trades} subscription */
  constructor(judge, who, instrument, subscription) {
    this.#judge = judge;
    this.#who = who;
    this.#subscription = subscription;
    subscription.on('update', (trade) => this.#trade(instrument, subscription.epoch, trade));
    subscription.on('gap', (gap) => {
      judge.counts.gaps += 1;
      this.#whole();
      // Trades that follow a hole follow what was received; a new epoch begins at its image.
      const seq = gap.reason === 'sequence' ? gap.received : subscription.seq;
      this.#last = { epoch: subscription.epoch, seq };
    });
    subscription.on('state', ({ state }) => {
      // Followed for the first time: from the place of its image on.
      if (state === 'synced') this.#last ??= subscription.place;
    });
  }

  /** What it has is followed by what it gets now. @param {string} instrument @param {bigint} epoch @param {import('../../src/wire/index.js').Trade} trade */
  #trade(instrument, epoch, trade) {
    const { seq } = trade;
    const { counts } = this.#judge;
    counts.trades += 1;
    const isNext = this.#due === 0;
    if (isNext) this.#at = 0;
    else this.#at += 1;
    const frame = this.#judge.tradesOf(instrument, epoch, seq, textOf(trade), this.#at);
    if (frame === undefined) {
      this.#judge.fail(`${this.#who}: trade ${trade.id} at ${epoch}/${seq} is not the server's`);
      this.#due = 0;
      this.#last = undefined;
      return;
    }
    if (isNext) {
      const last = this.#last;
      if (last !== undefined && (last.epoch !== epoch || last.seq !== frame.prevSeq))
        this.#judge.fail(
          `${this.#who}: trades between ${last.epoch}/${last.seq} and ${epoch}/${frame.prevSeq} are missing untold`,
        );
      this.#due = frame.trades.length;
    } else if (this.#last?.seq !== seq) {
      this.#judge.fail(`${this.#who}: ${this.#due} trades of ${epoch}/${this.#last?.seq} are missing untold`);
    }
    this.#due -= 1;
    this.#last = { epoch, seq };
  }

  #whole() {
    if (this.#due > 0) this.#judge.fail(`${this.#who}: half of a frame of trades`);
    this.#due = 0;
  }

  /** It stands where its last trade, or its image, has put it. */
  compare() {
    const { place, state } = this.#subscription;
    if (state === 'synced' && place === undefined) this.#judge.fail(`${this.#who}: synced without a place`);
  }
}
