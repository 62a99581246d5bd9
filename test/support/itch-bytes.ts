import { createHash } from 'node:crypto';

/** A message of TotalView-ITCH 5.0 about a stock locate, its fields behind the common eleven bytes. */
function message(type: string, locate: number, timeNs: number, fields: readonly Buffer[]): Buffer {
  const head = Buffer.alloc(11);
  head.write(type, 0, 'latin1');
  head.writeUInt16BE(locate, 1);
  head.writeUIntBE(timeNs, 5, 6);
  return Buffer.concat([head, ...fields]);
}

function text(value: string, width: number): Buffer {
  return Buffer.from(value.padEnd(width), 'latin1');
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function u64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(value);
  return bytes;
}

interface Order {
  readonly locate: number;
  readonly side: 'B' | 'S';
  readonly price: number;
  shares: number;
}

/** A small market that speaks ITCH and keeps its own plain books: the oracle of what it says. */
export class ItchMarket {
  readonly messages: Buffer[] = [];
  readonly counts = { adds: 0, reduces: 0, executes: 0, replaces: 0, deletes: 0 };
  readonly #stocks: readonly string[];
  readonly #orders = new Map<bigint, Order>();
  #reference = 0n;
  #timeNs = 34_200_000_000_000;
  #seed: number;
  restingMax = 0;

  constructor(stocks: readonly string[], changes: number, seed: number) {
    this.#stocks = stocks;
    this.#seed = seed;
    this.#say('S', 0, [text('O', 1)]);
    for (let locate = 1; locate <= stocks.length; locate++) {
      this.#say('R', locate, [this.#stock(locate), Buffer.alloc(20, ' ')]);
    }
    for (let index = 0; index < changes; index++) this.#change();
  }

  /** The messages behind their lengths, with the end of the session. */
  get file(): Buffer {
    const blocks = this.messages.flatMap((bytes) => {
      const length = Buffer.alloc(2);
      length.writeUInt16BE(bytes.length);
      return [length, bytes];
    });
    return Buffer.concat([...blocks, Buffer.alloc(2)]);
  }

  /** The digest of a stock's final book, as `verify` prints it. */
  digest(locate: number): string {
    const hash = createHash('sha256');
    for (const [side, letter] of [
      ['B', 'B'],
      ['S', 'A'],
    ] as const) {
      for (const [price, shares] of this.levels(locate, side)) {
        hash.update(`${letter} ${decimal(price)} ${shares}\n`);
      }
    }
    return hash.digest('hex');
  }

  /** A side's levels, best first. */
  levels(locate: number, side: 'B' | 'S'): readonly (readonly [price: number, shares: number])[] {
    const sums = new Map<number, number>();
    for (const order of this.#orders.values()) {
      if (order.locate !== locate || order.side !== side) continue;
      sums.set(order.price, (sums.get(order.price) ?? 0) + order.shares);
    }
    return [...sums].sort(([a], [b]) => (side === 'B' ? b - a : a - b));
  }

  #change(): void {
    const ids = [...this.#orders.keys()];
    const id = ids[this.#below(Math.max(1, ids.length))];
    const order = id === undefined ? undefined : this.#orders.get(id);
    const kind = ids.length < 40 ? 0 : this.#below(10);
    if (id === undefined || order === undefined || kind < 5) this.#add();
    else if (kind < 7) this.#delete(id, order);
    else if (kind === 9) this.#replace(id, order);
    else this.#take(kind === 7 ? 'E' : 'X', id, order);
  }

  #add(): void {
    const locate = 1 + this.#below(this.#stocks.length);
    const side = this.#below(2) === 0 ? 'B' : 'S';
    const order = { locate, side, price: this.#price(side), shares: 1 + this.#below(900) } as const;
    this.counts.adds += 1;
    this.#orders.set(++this.#reference, order);
    this.restingMax = Math.max(this.restingMax, this.#orders.size);
    const fields = [text(side, 1), u32(order.shares), this.#stock(locate), u32(order.price)];
    this.#say('A', locate, [u64(this.#reference), ...fields]);
  }

  #delete(id: bigint, order: Order): void {
    this.counts.deletes += 1;
    this.#orders.delete(id);
    this.#say('D', order.locate, [u64(id)]);
  }

  #take(type: 'E' | 'X', id: bigint, order: Order): void {
    const shares = 1 + this.#below(order.shares);
    order.shares -= shares;
    if (order.shares === 0) this.#orders.delete(id);
    this.counts[type === 'E' ? 'executes' : 'reduces'] += 1;
    const match = type === 'E' ? [u64(BigInt(this.messages.length))] : [];
    this.#say(type, order.locate, [u64(id), u32(shares), ...match]);
  }

  #replace(id: bigint, order: Order): void {
    this.counts.replaces += 1;
    this.#orders.delete(id);
    const next = { ...order, price: this.#price(order.side), shares: 1 + this.#below(900) };
    this.#orders.set(++this.#reference, next);
    this.#say('U', order.locate, [u64(id), u64(this.#reference), u32(next.shares), u32(next.price)]);
  }

  /** Bids below 100 dollars, asks above, some of them off the cent. */
  #price(side: 'B' | 'S'): number {
    const distance = 100 * (1 + this.#below(60)) + (this.#below(20) === 0 ? 7 : 0);
    return side === 'B' ? 1_000_000 - distance : 1_000_000 + distance;
  }

  #stock(locate: number): Buffer {
    return text(this.#stocks[locate - 1] ?? '', 8);
  }

  #say(type: string, locate: number, fields: readonly Buffer[]): void {
    this.#timeNs += 1_000_000;
    this.messages.push(message(type, locate, this.#timeNs, fields));
  }

  #below(end: number): number {
    this.#seed = (Math.imul(this.#seed, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((this.#seed / 2 ** 32) * end);
  }
}

/** Ten-thousandths as the shortest decimal. */
function decimal(price: number): string {
  return String(price / 10_000);
}

/** Messages as MoldUDP64 packets in a capture of Ethernet frames, a microsecond apart. */
export function captureOf(messages: readonly Buffer[], each: number): Buffer {
  const head = Buffer.alloc(24);
  head.writeUInt32LE(0xa1b2c3d4);
  head.writeUInt16LE(2, 4);
  head.writeUInt16LE(4, 6);
  head.writeUInt32LE(65_535, 16);
  head.writeUInt32LE(1, 20);
  const parts: Buffer[] = [head];
  for (let at = 0; at < messages.length; at += each) {
    const some = messages.slice(at, at + each);
    const header = Buffer.alloc(20);
    header.write('000010059B', 0, 'latin1');
    header.writeBigUInt64BE(BigInt(at + 1), 10);
    header.writeUInt16BE(some.length, 18);
    const blocks = some.flatMap((bytes) => [Buffer.of(bytes.length >> 8, bytes.length & 0xff), bytes]);
    parts.push(...frameOf(Buffer.concat([header, ...blocks]), at));
  }
  return Buffer.concat(parts);
}

function frameOf(payload: Buffer, micros: number): readonly Buffer[] {
  const ethernet = Buffer.from('020202020202040404040404' + '0800', 'hex');
  const ip = Buffer.from('4500000000004000' + '09110000' + '0a000001' + 'e9360c6f', 'hex');
  ip.writeUInt16BE(28 + payload.length, 2);
  const udp = Buffer.from('6677667700000000', 'hex');
  udp.writeUInt16BE(8 + payload.length, 4);
  const size = ethernet.length + ip.length + udp.length + payload.length;
  const record = Buffer.alloc(16);
  record.writeUInt32LE(1_704_205_800);
  record.writeUInt32LE(micros, 4);
  record.writeUInt32LE(size, 8);
  record.writeUInt32LE(size, 12);
  return [record, ethernet, ip, udp, payload];
}

export const ZSTD_BLOCK_BYTES = 1 << 16;

/** Bytes as a zstd frame of raw blocks (RFC 8878, 3.1.1): Node 20 has no compressor. */
export function zstdOf(bytes: Uint8Array): Buffer {
  // A frame of one segment whose content size takes four bytes.
  const head = Buffer.from('28b52ffda000000000', 'hex');
  head.writeUInt32LE(bytes.byteLength, 5);
  const parts: Uint8Array[] = [head];
  for (let at = 0; at < bytes.byteLength; at += ZSTD_BLOCK_BYTES) {
    const block = bytes.subarray(at, at + ZSTD_BLOCK_BYTES);
    const last = at + ZSTD_BLOCK_BYTES >= bytes.byteLength ? 1 : 0;
    const size = Buffer.alloc(3);
    size.writeUIntLE((block.byteLength << 3) | last, 0, 3);
    parts.push(size, block);
  }
  return Buffer.concat(parts);
}
