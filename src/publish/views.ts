import type { InstrumentInfo } from '../engine.js';
import { codeOf, DepthwireError } from '../errors.js';
import { decimalText, parseDecimal } from '../wire/decimal.js';
import { VPIN_BUCKETS } from '../wire/generated/constants.js';
import type { ViewChannel } from './channels.js';
import type { View } from './feed-engine.js';
import type { Hub } from './hub.js';

/** Depths and intervals of the views that exist: few, so that clients share them. Best first is nearest above. */
const DEPTHS = [1, 5, 10, 20, 50, 100] as const;
const INTERVALS_MS = [0, 20, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000] as const;
/** Windows of signals, likewise. */
const WINDOWS_MS = [1000, 5000, 10_000, 30_000, 60_000, 300_000, 900_000, 3_600_000] as const;
/** Steps of prices, times a power of ten. */
const STEPS = [1, 2, 2.5, 5, 10] as const;

/** The greatest quantity that a book holds, as a mantissa. */
const QTY_MAX = 2n ** 63n - 1n;

/** Different views of a kind of one instrument that one client may hold. */
const CLIENT_VIEWS_MAX = 4;

/** What helps where the engine has no room for another view, and where the client has. */
const FULL_FIXES = {
  depth:
    'Ask for depth 20 with intervalMs 100, which is mostly open already, or subscribe to book; else try later.',
  volumes: 'Ask for intervalMs 100 without grouping, which is mostly open already; else try later.',
  costs: 'Compute the costs from book or depth, or try later.',
  signals:
    'Ask for intervalMs 100 and windowMs 60000 without vpinVolume, which is mostly open already; else try later.',
} as const;
const HELD_FIXES = {
  depth: 'Unsubscribe from one of them, or cut the smaller depths out of the largest one.',
  volumes: 'Unsubscribe from one of them, or add the rows of the finest one up.',
  costs: 'Unsubscribe from one of them, or ask for all quantities in one.',
  signals: 'Unsubscribe from one of them.',
} as const;

/** What a depth subscription asks for, or is granted. */
export interface DepthView {
  readonly depth: number;
  readonly intervalMs: number;
  /** Step of prices as a decimal; absent = every price has a level of its own. */
  readonly grouping?: string;
}

/** What is granted: the view as the engine opens it, and as the client is told. */
export interface Granted {
  readonly view: View;
  readonly channel: ViewChannel;
}

/** Depth and interval as they are offered for what was asked: each rounded up. */
export function offeredView({ depth, intervalMs }: DepthView): Required<Omit<DepthView, 'grouping'>> {
  return { depth: roundedUp(depth, DEPTHS), intervalMs: roundedUp(intervalMs, INTERVALS_MS) };
}

/**
 * The view that is granted for what was asked: each number rounded up to one that is offered. Throws `feed.bad_field` for a
 * step that the instrument's prices do not have.
 */
export function grantedView(
  asked: ViewChannel,
  { priceExponent, qtyExponent }: Pick<InstrumentInfo, 'priceExponent' | 'qtyExponent'>,
): Granted {
  const grouping = 'grouping' in asked ? asked.grouping : undefined;
  const step = grouping === undefined ? 0n : grantedStep(grouping, priceExponent);
  const told = grouping === undefined ? {} : { grouping: decimalText(step, priceExponent) };
  switch (asked.channel) {
    case 'depth': {
      const view = { channel: asked.channel, ...offeredView(asked) };
      return { view: { ...view, step }, channel: { ...view, ...told } };
    }
    case 'costs': {
      const { channel, bps } = asked;
      const intervalMs = roundedUp(asked.intervalMs, INTERVALS_MS);
      const quantities = asked.quantities.map((qty) => quantityOf(qty, qtyExponent, 'quantities'));
      const texts = quantities.map((qty) => decimalText(qty, qtyExponent));
      return {
        view: { channel, intervalMs, quantities, bps },
        channel: { channel, intervalMs, quantities: texts, bps },
      };
    }
    case 'signals': {
      const { channel, vpinVolume, vpinBuckets = VPIN_BUCKETS } = asked;
      const intervalMs = roundedUp(asked.intervalMs, INTERVALS_MS);
      const windowMs = roundedUp(asked.windowMs, WINDOWS_MS);
      if (vpinVolume === undefined) {
        return {
          view: { channel, intervalMs, params: { windowMs } },
          channel: { channel, intervalMs, windowMs },
        };
      }
      const volume = quantityOf(vpinVolume, qtyExponent, 'vpinVolume');
      const text = decimalText(volume, qtyExponent);
      return {
        view: { channel, intervalMs, params: { windowMs, vpinVolume: volume, vpinBuckets } },
        channel: { channel, intervalMs, windowMs, vpinVolume: text, vpinBuckets },
      };
    }
    case 'volumes': {
      const view = { channel: asked.channel, intervalMs: roundedUp(asked.intervalMs, INTERVALS_MS) };
      return { view: { ...view, step }, channel: { ...view, ...told } };
    }
  }
}

/** A quantity as the instrument's mantissa, which may have all of its 63 bits. */
function quantityOf(text: string, qtyExponent: number, field: string): bigint {
  const [whole = '', decimals = ''] = text.split('.');
  const shift = -qtyExponent - decimals.length;
  const scale = 10n ** BigInt(Math.abs(shift));
  const digits = BigInt(whole + decimals);
  const qty = shift < 0 ? digits / scale : digits * scale;
  const isWhole = shift >= 0 || qty * scale === digits;
  if (isWhole && qty >= 1n && qty <= QTY_MAX) return qty;
  throw new DepthwireError('feed.bad_field', {
    what: 'this is no quantity that a book of the instrument can hold',
    where: `subscribe.${field}`,
    expected: `a multiple of ${decimalText(1, qtyExponent)}, at most ${decimalText(QTY_MAX, qtyExponent)}`,
    got: text,
    fix: 'Give a quantity that the instrument can have.',
  });
}

/** The step that is granted, as a mantissa: 1, 2, 2.5 or 5 times a power of ten. */
function grantedStep(grouping: string, priceExponent: number): bigint {
  let asked: number;
  try {
    asked = parseDecimal(grouping, priceExponent);
  } catch (cause) {
    throw new DepthwireError('feed.bad_field', {
      what: 'the prices of this instrument do not have this step',
      where: 'subscribe.grouping',
      expected: `a multiple of ${decimalText(1, priceExponent)}, of at most 15 digits`,
      got: grouping,
      fix: 'Give a step that prices of the instrument can have.',
      cause,
    });
  }
  for (let power = 1; ; power *= 10) {
    const step = STEPS.map((each) => each * power).find((each) => Number.isInteger(each) && each >= asked);
    if (step !== undefined) return BigInt(step);
  }
}

/**
 * Opens a granted view for a client that holds views of the instrument on the streams `held`, and returns its stream.
 * Throws `feed.views_full` when the client or the engine has no room for another one.
 */
export function openView(
  hub: Hub,
  instrument: InstrumentInfo,
  view: View,
  held: ReadonlySet<number>,
): number {
  let stream: number;
  try {
    stream = hub.engine.openView(instrument.id, view);
  } catch (cause) {
    if (codeOf(cause) !== 'engine.views_full') throw cause;
    throw new DepthwireError('feed.views_full', {
      what: `all ${view.channel} views of this instrument are in use by clients`,
      where: `subscribe ${view.channel} of ${instrument.name}`,
      expected: cause instanceof DepthwireError ? cause.expected : '',
      got: `${wordsOf(view)}, which nobody holds yet`,
      fix: FULL_FIXES[view.channel],
      cause,
    });
  }
  if (held.has(stream) || held.size < CLIENT_VIEWS_MAX) return stream;
  hub.engine.closeView(instrument.id, stream);
  throw new DepthwireError('feed.views_full', {
    what: `this connection holds as many different ${view.channel} views of the instrument as it may`,
    where: `subscribe ${view.channel} of ${instrument.name}`,
    expected: `at most ${CLIENT_VIEWS_MAX} different views`,
    got: `${held.size + 1}`,
    fix: HELD_FIXES[view.channel],
  });
}

function wordsOf(view: View): string {
  return view.channel === 'depth'
    ? `depth ${view.depth}, intervalMs ${view.intervalMs}`
    : `intervalMs ${view.intervalMs}`;
}

function roundedUp(asked: number, offered: readonly number[]): number {
  return offered.find((value) => value >= asked) ?? asked;
}
