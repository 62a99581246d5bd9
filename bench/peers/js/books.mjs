// @ts-check
/**
 * The books of others behind one shape. Each gets its input in its own form, made before the time runs, and is read as
 * its own interface allows.
 */
import { OrderBook as OrdersBook } from 'nodejs-order-book';
import { OrderBook as StoreBook } from 'orderbooks';
// The package names its exchanges only; the book that they keep is this one.
import { OrderBook as CcxtBook } from '../node_modules/ccxt/js/src/base/ws/OrderBook.js';

/**
 * @typedef {[price: number, qty: number]} Level mantissas; quantity 0 removes
 * @typedef {{ readonly bids: readonly Level[], readonly asks: readonly Level[] }} Message
 * @typedef {{ bidPrice: number, bidQty: number, askPrice: number, askQty: number }} Top 0 where a side is empty
 *
 * @typedef {object} Book
 * @property {(input: any) => void} apply what `prepare` made of a message
 * @property {() => Top} top
 * @property {() => { bids: Level[], asks: Level[] }} levels best first
 *
 * @typedef {object} Maker
 * @property {string} name
 * @property {string} [note]
 * @property {string} [flaw] why it may come to a book that is not the venue's
 * @property {boolean} [pricesOnly] its top comes without quantities
 * @property {(message: Message, frame: Buffer) => unknown} prepare not timed
 * @property {(snapshot: Message) => Book} make not timed
 */

/** @param {Message} message */
const asItIs = (message) => message;

/** Reused, so that reading costs no book an object. @type {Top} */
const top = { bidPrice: 0, bidQty: 0, askPrice: 0, askQty: 0 };

/** @param {Level | undefined} bid @param {Level | undefined} ask */
function topOf(bid, ask) {
  top.bidPrice = bid === undefined ? 0 : bid[0];
  top.bidQty = bid === undefined ? 0 : bid[1];
  top.askPrice = ask === undefined ? 0 : ask[0];
  top.askQty = ask === undefined ? 0 : ask[1];
  return top;
}

/** A map a side, sorted when it is read: the book that everybody writes first. */
class MapBook {
  /** @type {Map<number, number>} */
  #bids = new Map();
  /** @type {Map<number, number>} */
  #asks = new Map();

  /** @param {Message} message */
  apply({ bids, asks }) {
    for (const [price, qty] of bids) {
      if (qty === 0) this.#bids.delete(price);
      else this.#bids.set(price, qty);
    }
    for (const [price, qty] of asks) {
      if (qty === 0) this.#asks.delete(price);
      else this.#asks.set(price, qty);
    }
  }

  top() {
    const { bids, asks } = this.levels();
    return topOf(bids[0], asks[0]);
  }

  levels() {
    return {
      bids: [...this.#bids].sort((a, b) => b[0] - a[0]),
      asks: [...this.#asks].sort((a, b) => a[0] - b[0]),
    };
  }
}

/** The same, with the best price kept and looked for anew only when it is removed: what a careful author writes next. */
class BestKeptBook {
  /** @type {Map<number, number>} */
  #bids = new Map();
  /** @type {Map<number, number>} */
  #asks = new Map();
  #bid = 0;
  #ask = Number.POSITIVE_INFINITY;

  /** @param {Message} message */
  apply({ bids, asks }) {
    for (const [price, qty] of bids) {
      if (qty !== 0) {
        this.#bids.set(price, qty);
        if (price > this.#bid) this.#bid = price;
      } else if (this.#bids.delete(price) && price === this.#bid) {
        this.#bid = 0;
        for (const other of this.#bids.keys()) if (other > this.#bid) this.#bid = other;
      }
    }
    for (const [price, qty] of asks) {
      if (qty !== 0) {
        this.#asks.set(price, qty);
        if (price < this.#ask) this.#ask = price;
      } else if (this.#asks.delete(price) && price === this.#ask) {
        this.#ask = Number.POSITIVE_INFINITY;
        for (const other of this.#asks.keys()) if (other < this.#ask) this.#ask = other;
      }
    }
  }

  top() {
    const bidQty = this.#bids.get(this.#bid);
    const askQty = this.#asks.get(this.#ask);
    return topOf(
      bidQty === undefined ? undefined : [this.#bid, bidQty],
      askQty === undefined ? undefined : [this.#ask, askQty],
    );
  }

  levels() {
    return {
      bids: [...this.#bids].sort((a, b) => b[0] - a[0]),
      asks: [...this.#asks].sort((a, b) => a[0] - b[0]),
    };
  }
}

/** Level after level into a side, as the package's exchanges do it. */
class Ccxt {
  #book = new CcxtBook({});

  /** @param {Message} message */
  apply({ bids, asks }) {
    for (const [price, qty] of bids) this.#book.bids.store(price, qty);
    for (const [price, qty] of asks) this.#book.asks.store(price, qty);
  }

  top() {
    return topOf(this.#book.bids[0], this.#book.asks[0]);
  }

  levels() {
    return { bids: Array.from(this.#book.bids), asks: Array.from(this.#book.asks) };
  }
}

/** One array for both sides, searched from its start and sorted after each message. Its best prices come without quantity. */
class Store {
  #book = new StoreBook('', { maxDepth: Number.MAX_SAFE_INTEGER });

  /** @param {{ removed: unknown[], set: unknown[] }} input */
  apply({ removed, set }) {
    this.#book.handleDelta(removed, set, [], 0);
  }

  top() {
    top.bidPrice = this.#book.getBestBid() ?? 0;
    top.askPrice = this.#book.getBestAsk() ?? 0;
    top.bidQty = 0;
    top.askQty = 0;
    return top;
  }

  levels() {
    const side = (name) => this.#book.getBookState().filter((level) => level[2] === name);
    return {
      bids: side('Buy').map((level) => [level[1], level[3]]),
      asks: side('Sell')
        .reverse()
        .map((level) => [level[1], level[3]]),
    };
  }

  /** @param {Message} message */
  static input({ bids, asks }) {
    const levels = [
      ...bids.map(([price, qty]) => ['', price, 'Buy', qty]),
      ...asks.map(([price, qty]) => ['', price, 'Sell', qty]),
    ];
    return {
      removed: levels.filter((level) => level[3] === 0),
      set: levels.filter((level) => level[3] !== 0),
    };
  }
}

/** A matching engine: a price level is one resting order, named after side and price. */
class Orders {
  #book = new OrdersBook();

  /** Removals first, or an order would meet one that this message takes away. @param {ReturnType<typeof Orders.input>} input */
  apply({ removed, set }) {
    for (const id of removed) this.#book.cancel(id);
    for (const order of set) {
      if (this.#book.modify(order.id, order).err !== null) this.#book.limit(order);
    }
  }

  top() {
    const bid = this.#book.bids.maxPriceQueue();
    const ask = this.#book.asks.minPriceQueue();
    top.bidPrice = bid?.price() ?? 0;
    top.bidQty = bid?.volume() ?? 0;
    top.askPrice = ask?.price() ?? 0;
    top.askQty = ask?.volume() ?? 0;
    return top;
  }

  levels() {
    const [asks, bids] = this.#book.depth();
    return { bids: bids.sort((a, b) => b[0] - a[0]), asks: asks.sort((a, b) => a[0] - b[0]) };
  }

  /** @param {Message} message */
  static input({ bids, asks }) {
    const orders = [
      ...bids.map(([price, size]) => ({ id: `b${price}`, side: 'buy', price, size })),
      ...asks.map(([price, size]) => ({ id: `a${price}`, side: 'sell', price, size })),
    ];
    return {
      removed: orders.filter(({ size }) => size === 0).map(({ id }) => id),
      set: orders.filter(({ size }) => size !== 0),
    };
  }
}

/**
 * @param {{ priceExponent: number, qtyExponent: number }} scale
 * @returns {readonly Maker[]}
 */
export function bookMakers({ priceExponent, qtyExponent }) {
  /** @param {new () => Book} Class @param {(message: Message) => unknown} [input] */
  const from = (Class, input = asItIs) => ({
    prepare: input,
    make: (/** @type {Message} */ snapshot) => {
      const book = new Class();
      book.apply(input(snapshot));
      return book;
    },
  });
  const priceScale = 10 ** -priceExponent;
  const qtyScale = 10 ** -qtyExponent;
  /** @returns {Level[]} */
  const scaled = (texts) =>
    texts.map(([price, qty]) => [Math.round(Number(price) * priceScale), Math.round(Number(qty) * qtyScale)]);
  /**
   * The same book behind the parser, of each frame that belongs on the book.
   * @param {new () => Book} Class
   */
  const parsing = (Class) => ({
    prepare: (/** @type {Message} */ message, /** @type {Buffer} */ frame) =>
      message.bids.length + message.asks.length === 0 ? message : { frame },
    make: (/** @type {Message} */ snapshot) => {
      const book = new Class();
      book.apply(snapshot);
      return {
        apply: (/** @type {{ frame: Buffer } | Message} */ input) => {
          if (!('frame' in input)) return book.apply(input);
          const message = JSON.parse(input.frame.toString());
          const { b, a } = message.data ?? message;
          book.apply({ bids: scaled(b), asks: scaled(a) });
        },
        top: () => book.top(),
        levels: () => book.levels(),
      };
    },
  });
  return [
    { name: 'Map + sort', ...from(MapBook) },
    { name: 'JSON.parse, Map + sort', ...parsing(MapBook) },
    { name: 'Map, best kept', ...from(BestKeptBook), note: 'best prices only: its levels are in no order' },
    { name: 'JSON.parse, Map, best kept', ...parsing(BestKeptBook) },
    { name: 'ccxt', ...from(Ccxt), note: 'its OrderBook of bids and asks' },
    {
      name: 'orderbooks',
      ...from(Store, Store.input),
      pricesOnly: true,
      note: 'tells no quantity of its best prices',
      flaw: 'a price is one level of either side, so removing an old bid removes the ask that stands there now',
    },
    {
      name: 'nodejs-order-book',
      ...from(Orders, Orders.input),
      note: 'order by order: a level is one order; read through its private sides',
    },
  ];
}
