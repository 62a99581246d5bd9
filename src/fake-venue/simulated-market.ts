import { Dialect, dialects, type TrueBook } from '#native';
import type { Listing } from './lists/listing.js';
import { FRAME_CHANNELS, type Hearing, type Market, type Take } from './market.js';

export type { TrueBook };

/** Frames of 8 MiB are the largest that are read anywhere, so what a dialect says at once fits. */
const BUFFER_BYTES = 16 << 20;
const HEADER_BYTES = 8;

let buffer: Uint8Array | undefined;

function shared(): Uint8Array {
  buffer ??= new Uint8Array(BUFFER_BYTES);
  return buffer;
}

/** An instrument of the simulator as one connection hears it. */
export class SimulatedHearing implements Hearing {
  readonly #dialect: Dialect;
  readonly #onClose: (hearing: SimulatedHearing) => void;

  constructor(dialect: Dialect, onClose: (hearing: SimulatedHearing) => void) {
    this.#dialect = dialect;
    this.#onClose = onClose;
  }

  /** The end of the last millisecond of which it has told. */
  nowMs = 0;
  /** The instrument has left the venue: nothing more is told of it. */
  isDelisted = false;
  readonly isOver = false;

  get depth(): number {
    return this.#dialect.depth();
  }

  open(nowMs: number, take: Take): void {
    this.#hand(this.#dialect.open(nowMs, shared()), take);
    this.step(nowMs, take);
  }

  resubscribe(nowMs: number, take: Take): void {
    this.#hand(this.#dialect.resubscribe(nowMs, shared()), take);
    this.step(nowMs, take);
  }

  step(nowMs: number, take: Take): void {
    while (!this.isDelisted) {
      const bytes = this.#dialect.step(nowMs, shared());
      if (bytes === 0) break;
      this.#hand(bytes, take);
    }
    this.nowMs = nowMs;
  }

  /** The venue's own book as the last frame left it. */
  truth(): TrueBook {
    return this.#dialect.truth();
  }

  /** Its best levels, as many a side at most, buyers first: `B 61602.01 0.5`. */
  levels(depth: number): readonly string[] {
    return this.#dialect.levels(depth);
  }

  /** Its market, for another connection. */
  fork(): Dialect {
    return this.#dialect.fork();
  }

  snapshot(): Uint8Array | undefined {
    return answerOf(this.#dialect);
  }

  close(): void {
    this.#onClose(this);
    this.#dialect.close();
  }

  #hand(bytes: number, take: Take): void {
    const memory = shared();
    const numbers = new DataView(memory.buffer, memory.byteOffset);
    for (let at = 0; at < bytes; ) {
      const end = at + HEADER_BYTES + numbers.getUint32(at, true);
      const channel = FRAME_CHANNELS[numbers.getUint32(at + 4, true)] ?? 'control';
      take(channel, memory.subarray(at + HEADER_BYTES, end));
      at = end;
    }
  }
}

/** One instrument of one depth, which goes on whether anybody listens or not. */
interface Listed {
  /** Lives while nobody listens. */
  dialect: Dialect;
  /** Those who listen: each lives by itself, the same life. */
  readonly hearings: Set<SimulatedHearing>;
  /** The first answer about it, where old answers are wanted. */
  readonly first: Uint8Array | null;
}

/**
 * A product of the simulator. Each instrument has a market of its own, which all its connections hear; where the simulator cannot cut
 * one to several depths, each depth is a market of its own.
 */
export class SimulatedMarket implements Market {
  readonly product: string;
  readonly #listed = new Map<string, Listed>();
  readonly #codes: Map<string, number>;
  readonly #seed: number;
  readonly #keepsFirst: boolean;
  /** Depths that the venue has of its instruments, by what was asked for. */
  readonly #depths = new Map<string, number>();
  #nowMs: number;

  constructor(
    product: string,
    codes: readonly string[],
    options: { readonly seed: number; readonly nowMs: number; readonly keepsFirst: boolean },
  ) {
    this.product = product;
    this.#codes = new Map(codes.map((code, at) => [code, at]));
    this.#seed = options.seed;
    this.#nowMs = options.nowMs;
    this.#keepsFirst = options.keepsFirst;
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  get isByOrder(): boolean {
    return !speaks(this.product, false);
  }

  /** Whoever comes back hears the market as it is then. */
  readonly isToldOnce = false;
  /** The simulator's markets have no end. */
  readonly isClosed = false;

  codes(): readonly string[] {
    return [...this.#codes.keys()];
  }

  /** The instruments with their digits: those of the simulator's instrument of that code, or of its first one. */
  listings(): readonly Listing[] {
    const kinds = dialects().filter(({ venue }) => venue === this.product);
    return this.codes().map((code) => {
      const { priceExponent, qtyExponent } = kinds.find((kind) => kind.code === code) ?? kinds[0] ?? NO_KIND;
      return { code, priceDigits: Math.abs(priceExponent), qtyDigits: Math.abs(qtyExponent) };
    });
  }

  /** Lists another instrument; what is listed already stays as it is. */
  list(code: string): void {
    if (!this.#codes.has(code)) this.#codes.set(code, this.#codes.size);
  }

  /** Instruments that leave the venue go silent for those who hear them. */
  delist(code: string): void {
    this.#codes.delete(code);
    for (const [key, { hearings }] of this.#listed) {
      if (!key.startsWith(`${code}\n`)) continue;
      for (const hearing of hearings) hearing.isDelisted = true;
      this.#listed.delete(key);
    }
  }

  hear(code: string, isByOrder: boolean, depth: number): SimulatedHearing | undefined {
    const listed = this.#of(code, isByOrder, depth);
    if (listed === undefined) return undefined;
    const hearing: SimulatedHearing = new SimulatedHearing(this.#fork(listed), () => {
      listed.hearings.delete(hearing);
      if (listed.hearings.size > 0) return;
      // The last one to listen hands its life on.
      listed.dialect.close();
      listed.dialect = hearing.fork();
    });
    listed.hearings.add(hearing);
    return hearing;
  }

  snapshot(code: string, isByOrder: boolean, depth: number, isOld = false): Uint8Array | undefined {
    const listed = this.#of(code, isByOrder, depth);
    if (listed === undefined) return undefined;
    if (isOld && listed.first !== null) return listed.first;
    for (const hearing of listed.hearings) if (hearing.nowMs === this.#nowMs) return hearing.snapshot();
    if (listed.hearings.size === 0) return answerOf(listed.dialect);
    const dialect = this.#fork(listed);
    const answer = answerOf(dialect);
    dialect.close();
    return answer;
  }

  step(nowMs: number): void {
    this.#nowMs = nowMs;
    for (const { dialect, hearings } of this.#listed.values())
      if (hearings.size === 0) while (dialect.step(nowMs, shared()) > 0);
  }

  close(): void {
    for (const { dialect } of this.#listed.values()) dialect.close();
    this.#listed.clear();
  }

  /** A copy of its life as it is now. One whose connection is just ending has stopped a little before. */
  #fork({ dialect, hearings }: Listed): Dialect {
    const [last] = [...hearings].sort((a, b) => b.nowMs - a.nowMs);
    const copy = last?.fork() ?? dialect.fork();
    while (copy.step(this.#nowMs, shared()) > 0);
    return copy;
  }

  #of(code: string, isByOrder: boolean, depth: number): Listed | undefined {
    if (!this.#codes.has(code) || !speaks(this.product, isByOrder)) return undefined;
    const asked = `${code}\n${isByOrder}\n${depth}`;
    const known = this.#listed.get(`${code}\n${isByOrder}\n${this.#depths.get(asked)}`);
    if (known !== undefined) return known;
    const dialect = this.#otherDepth(code, isByOrder, depth) ?? this.#begun(code, isByOrder, depth);
    const has = dialect.depth();
    this.#depths.set(asked, has);
    const key = `${code}\n${isByOrder}\n${has}`;
    let listed = this.#listed.get(key);
    if (listed !== undefined) {
      dialect.close();
      return listed;
    }
    listed = { dialect, hearings: new Set(), first: this.#keepsFirst ? (answerOf(dialect) ?? null) : null };
    this.#listed.set(key, listed);
    return listed;
  }

  /** A market that begins now. */
  #begun(code: string, isByOrder: boolean, depth: number): Dialect {
    const dialect = new Dialect(
      this.product,
      isByOrder,
      depth,
      this.#seed + (this.#codes.get(code) ?? 0),
      code,
    );
    dialect.open(this.#nowMs, shared());
    while (dialect.step(this.#nowMs, shared()) > 0);
    return dialect;
  }

  /** The market that others hear at another depth, where the venue cuts one market to several. */
  #otherDepth(code: string, isByOrder: boolean, depth: number): Dialect | null {
    for (const [key, listed] of this.#listed) {
      if (!key.startsWith(`${code}\n${isByOrder}\n`)) continue;
      const copy = this.#fork(listed);
      const cut = copy.cut(depth);
      copy.close();
      return cut;
    }
    return null;
  }
}

/** Whether the simulator has the product, by orders or by levels. */
export function speaks(product: string, isByOrder: boolean): boolean {
  return dialects().some((kind) => kind.venue === product && kind.isByOrder === isByOrder);
}

/** The codes of the instruments that the simulator has of a product by itself. */
export function ownCodes(product: string): readonly string[] {
  return [...new Set(dialects().flatMap(({ venue, code }) => (venue === product ? [code] : [])))];
}

/** Products that the simulator speaks as. */
export function spokenProducts(): readonly string[] {
  return [...new Set(dialects().map(({ venue }) => venue))];
}

/** Of a product that the simulator does not speak as. */
const NO_KIND = { priceExponent: 0, qtyExponent: 0 };

function answerOf(dialect: Dialect): Uint8Array | undefined {
  const bytes = dialect.snapshot(shared());
  return bytes === 0 ? undefined : shared().slice(0, bytes);
}
