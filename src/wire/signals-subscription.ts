import { type Channel, type ViewOptions, viewAsk } from './channel.js';
import type { Topic } from './control.js';
import type { FrameReader } from './frame.js';
import { SignalRows } from './frame-computed.js';
import { SIGNAL_NAMES, SIGNAL_UNITS, VPIN_BUCKETS } from './generated/constants.js';
import { KeptSubscription } from './kept-subscription.js';
import { LocalFacts } from './local-facts.js';
import { Kind } from './protocol.js';
import type { Backoff } from './resync.js';
import type { Host, SubscriptionOptions } from './subscription.js';

/** What signals take. */
export interface SignalsOptions extends ViewOptions {
  /** The window of those that have one, 1,000 to 3,600,000 ms; default 60,000. */
  readonly windowMs?: number;
  /** Volume of a bucket of VPIN as a decimal, such as `5`; default: VPIN is not told. */
  readonly vpinVolume?: string;
  /** Buckets of it, 1 to 256; default 50. */
  readonly vpinBuckets?: number;
}

/** A signal's name; docs/signals.md defines each. */
export type SignalName = Exclude<(typeof SIGNAL_NAMES)[number], 'none'>;

/** A value: `value` × 10^`exponent`, a BigInt beyond 2^53; `decimalText` prints it exactly. */
export interface Signal {
  readonly name: SignalName;
  readonly value: number | bigint;
  readonly exponent: number;
  /** What it counts: `price` and `qty` are the instrument's own. */
  readonly unit: string;
  /** The time that it is computed over, ns; 0 = of the moment. */
  readonly windowNs: bigint;
  /** Whether less than the whole window has passed. */
  readonly isPartial: boolean;
}

/** The signals after one event of the venue; one that has no value is not there. */
export interface Signals {
  readonly rows: readonly Signal[];
  readonly seq: number;
  /** When the server received the event, and the venue's own time, ns; 0 = not given. */
  readonly tsRecv: bigint;
  readonly tsEvent: bigint;
}

const PARTIAL = 2;

/** Numbers computed of a book and its trades. A loop yields the latest; while the state is not `synced` these are the last that were. */
export class SignalsSubscription extends KeptSubscription<LocalFacts<Signals>, Signals> {
  /** @internal */
  constructor(host: Host, topic: Topic, options: SubscriptionOptions, backoff: Backoff) {
    super(host, topic, options, backoff, new LocalFacts(Kind.signals, signalsOf, true));
  }

  /** The last ones; undefined before the first. */
  get signals(): Signals | undefined {
    return this.kept.facts;
  }

  /** One of the last ones; undefined where it has no value. */
  signal(name: SignalName): Signal | undefined {
    return this.kept.facts?.rows.find((row) => row.name === name);
  }

  protected get item(): Signals | undefined {
    return this.kept.facts;
  }
}

function signalsOf(frame: FrameReader): Signals {
  const from = new SignalRows(frame);
  const rows: Signal[] = [];
  for (let at = 0; at < from.count; at += 1) {
    const id = from.id(at);
    const name = SIGNAL_NAMES[id];
    // A newer server has more of them.
    if (name === undefined || name === 'none') continue;
    rows.push({
      name,
      value: from.value(at),
      exponent: from.exponent(at),
      unit: SIGNAL_UNITS[id] ?? '',
      windowNs: from.windowNs(at),
      isPartial: (from.flags(at) & PARTIAL) !== 0,
    });
  }
  const { seq, tsRecv, tsEvent } = frame;
  return { rows, seq, tsRecv, tsEvent };
}

/** Mid, spread, imbalances, flows, volatility and more, computed by the server. */
export const signals: Channel<SignalsOptions, SignalsSubscription> = {
  name: 'signals',
  ask: (options) => {
    const { windowMs = 60_000, vpinVolume, vpinBuckets = VPIN_BUCKETS } = options;
    const vpin = vpinVolume === undefined ? {} : { vpinVolume, vpinBuckets };
    return { ...viewAsk(options), windowMs, ...vpin };
  },
  Subscription: SignalsSubscription,
};
