// @ts-check
/** A market of orders as a recording: a day of TotalView-ITCH 5.0 in the form of files, each message behind its length. */
import { writeFileSync } from 'node:fs';
import { Truth } from './truth.mjs';

const STOCKS = ['AAAA', 'BBBB', 'CCCC'];
const BEGIN_NS = 34_200_000_000_000;
/** Of each message, so that its time tells it from all others of its stock. */
const STEP_NS = 4_000_000;
const RESTING_MIN = 60;

export const ORDER_INSTRUMENTS = STOCKS.map((stock) => `nasdaq:${stock}`);

/** @param {string} value @param {number} width */
const text = (value, width) => Buffer.from(value.padEnd(width), 'latin1');

/** @param {number} value */
function u32(value) {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** @param {bigint} value */
function u64(value) {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(value);
  return bytes;
}

/** @typedef {{ id: bigint, locate: number, side: 'B' | 'S', price: number, shares: number }} Order */

class OrderMarket {
  /** @type {Buffer[]} */
  parts = [];
  /** @type {Order[]} */
  #resting = [];
  #reference = 0n;
  #matches = 0n;
  #ns = BEGIN_NS;
  #random;

  /** @param {() => number} random */
  constructor(random) {
    this.#random = random;
    this.#say('S', 0, [text('O', 1)]);
    for (let locate = 1; locate <= STOCKS.length; locate++)
      this.#say('R', locate, [text(STOCKS[locate - 1] ?? '', 8), Buffer.alloc(20, ' ')]);
  }

  change() {
    const at = this.#below(this.#resting.length);
    const order = this.#resting[at];
    const deed = this.#resting.length < RESTING_MIN ? 0 : this.#below(11);
    if (order === undefined || deed < 5) this.#add();
    else if (deed < 7) {
      this.#resting.splice(at, 1);
      this.#say('D', order.locate, [u64(order.id)]);
    } else if (deed < 9) this.#replace(order);
    else this.#take(deed === 9 ? 'E' : 'X', order, at);
  }

  #add() {
    const locate = 1 + this.#below(STOCKS.length);
    const side = this.#random() < 0.5 ? 'B' : 'S';
    this.#reference += 1n;
    const order = {
      id: this.#reference,
      locate,
      side: /** @type {'B' | 'S'} */ (side),
      ...this.#terms(side),
    };
    this.#resting.push(order);
    const stock = text(STOCKS[locate - 1] ?? '', 8);
    this.#say('A', locate, [u64(order.id), text(side, 1), u32(order.shares), stock, u32(order.price)]);
  }

  /** @param {Order} order */
  #replace(order) {
    this.#reference += 1n;
    const before = order.id;
    Object.assign(order, { id: this.#reference, ...this.#terms(order.side) });
    this.#say('U', order.locate, [u64(before), u64(order.id), u32(order.shares), u32(order.price)]);
  }

  /** Executes or reduces. @param {'E' | 'X'} type @param {Order} order @param {number} at */
  #take(type, order, at) {
    const shares = 1 + this.#below(order.shares);
    order.shares -= shares;
    if (order.shares === 0) this.#resting.splice(at, 1);
    this.#matches += 1n;
    this.#say(type, order.locate, [
      u64(order.id),
      u32(shares),
      ...(type === 'E' ? [u64(this.#matches)] : []),
    ]);
  }

  /** Bids below 100 dollars, asks above. @param {string} side */
  #terms(side) {
    const distance = 100 * (1 + this.#below(40));
    return { price: 1_000_000 + (side === 'B' ? -distance : distance), shares: 1 + this.#below(900) };
  }

  /** @param {string} type @param {number} locate @param {readonly Buffer[]} fields */
  #say(type, locate, fields) {
    this.#ns += STEP_NS;
    const head = Buffer.alloc(13);
    head.writeUInt16BE(11 + fields.reduce((sum, field) => sum + field.length, 0));
    head.write(type, 2, 'latin1');
    head.writeUInt16BE(locate, 3);
    head.writeUIntBE(this.#ns, 7, 6);
    this.parts.push(head, ...fields);
  }

  /** @param {number} end */
  #below(end) {
    return Math.floor(this.#random() * end);
  }
}

/**
 * Writes a recording of all stocks.
 * @param {string} file
 * @param {() => number} random
 * @param {number} durationMs
 */
export function recordOrders(file, random, durationMs) {
  const market = new OrderMarket(random);
  for (let ms = 0; ms < durationMs; ms += STEP_NS / 1e6) market.change();
  const bytes = Buffer.concat([...market.parts, Buffer.alloc(2)]);
  writeFileSync(file, bytes);
  return { file, truth: new Truth('nasdaq', ORDER_INSTRUMENTS, bytes, true) };
}
