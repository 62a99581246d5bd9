import { type Channel, type ViewOptions, viewAsk } from './channel.js';
import type { Topic } from './control.js';
import type { FrameReader } from './frame.js';
import { CostRows } from './frame-computed.js';
import { KeptSubscription } from './kept-subscription.js';
import { LocalFacts } from './local-facts.js';
import { Kind, type Side } from './protocol.js';
import type { Backoff } from './resync.js';
import type { Host, SubscriptionOptions } from './subscription.js';

/** What costs take. */
export interface CostsOptions extends ViewOptions {
  /** Quantities as decimals above 0, such as `0.5`; with `bps` 1 to 16 in all. */
  readonly quantities?: readonly string[];
  /** Basis points of the mid, 1 to 10,000: all that a side holds within them. Default without quantities: 5, 10, 25 and 50. */
  readonly bps?: readonly number[];
}

/** What taking a quantity from a side costs. Mantissas, BigInts beyond 2^53; `decimalText` prints them exactly. */
export interface Cost {
  readonly side: Side;
  /** What is asked for, or where `bps` is not 0 all that the side holds within so many basis points of the mid. */
  readonly qty: number | bigint;
  readonly bps: number;
  /** What the side holds of it, and whether that is all. */
  readonly filled: number | bigint;
  readonly isComplete: boolean;
  /** Whether the venue has made the book known as deep as was needed. */
  readonly isKnown: boolean;
  /** Σ price × quantity / Σ quantity of what is filled, at `priceExponent`; undefined of nothing. */
  readonly priceAverage: number | bigint | undefined;
  readonly priceExponent: number;
  /** Worst price, at the instrument's exponent; undefined of nothing. */
  readonly priceWorst: number | bigint | undefined;
  /** What it comes to, at `costExponent`, in the asset that the instrument is paid in; undefined where that cannot be told. */
  readonly cost: number | bigint | undefined;
  readonly costExponent: number;
}

/** Costs of one moment of the book: of each quantity and then of each of `bps` a row of the bids and one of the asks. */
export interface Costs {
  readonly rows: readonly Cost[];
  readonly seq: number;
  /** When the server received what they follow from, and the venue's own time, ns; 0 = not given. */
  readonly tsRecv: bigint;
  readonly tsEvent: bigint;
}

/** What is asked for where nothing is named. */
const BPS = [5, 10, 25, 50];
const UNKNOWN = -(2n ** 63n);

/** What quantities cost. A loop yields the latest; while the state is not `synced` these are the last that were. */
export class CostsSubscription extends KeptSubscription<LocalFacts<Costs>, Costs> {
  /** @internal */
  constructor(host: Host, topic: Topic, options: SubscriptionOptions, backoff: Backoff) {
    super(host, topic, options, backoff, new LocalFacts(Kind.costs, costsOf, true));
  }

  /** The last ones; undefined before the first. */
  get costs(): Costs | undefined {
    return this.kept.facts;
  }

  protected get item(): Costs | undefined {
    return this.kept.facts;
  }
}

function costsOf(frame: FrameReader): Costs {
  const from = new CostRows(frame);
  const rows: Cost[] = [];
  for (let at = 0; at < from.count; at += 1) {
    const [filled, cost] = [from.filled(at), from.cost(at)];
    rows.push({
      side: from.side(at) === 1 ? 'bid' : 'ask',
      qty: from.qty(at),
      bps: from.bps(at),
      filled,
      isComplete: from.isComplete(at),
      isKnown: from.isKnown(at),
      priceAverage: filled === 0 ? undefined : from.priceAverage(at),
      priceExponent: from.priceExponent(at),
      priceWorst: filled === 0 ? undefined : from.priceWorst(at),
      cost: cost === UNKNOWN ? undefined : cost,
      costExponent: from.costExponent(at),
    });
  }
  const { seq, tsRecv, tsEvent } = frame;
  return { rows, seq, tsRecv, tsEvent };
}

/** What quantities cost on each side of the book, and what stands within basis points of the mid. */
export const costs: Channel<CostsOptions, CostsSubscription> = {
  name: 'costs',
  ask: (options) => {
    const { quantities = [], bps = quantities.length > 0 ? [] : BPS } = options;
    return { ...viewAsk(options), quantities, bps };
  },
  Subscription: CostsSubscription,
};
