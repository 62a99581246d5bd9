import type { InstrumentInfo } from '../engine.js';
import { codeOf, DepthwireError } from '../errors.js';
import { decimalText, parseDecimal } from '../wire/decimal.js';
import type { Hub } from './hub.js';

/** Depths and intervals of the views that exist: few, so that clients share them. Best first is nearest above. */
const DEPTHS = [1, 5, 10, 20, 50, 100] as const;
const INTERVALS_MS = [0, 20, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000] as const;
/** Steps of prices, times a power of ten. */
const STEPS = [1, 2, 2.5, 5, 10] as const;

/** Different views of one instrument that one client may hold. */
const CLIENT_VIEWS_MAX = 4;

/** What a depth subscription asks for, or is granted. */
export interface DepthView {
  readonly depth: number;
  readonly intervalMs: number;
  /** Step of prices as a decimal; absent = every price has a level of its own. */
  readonly grouping?: string;
}

/** A view with its step as the instrument's mantissa, 0 = none. */
export interface GrantedView extends DepthView {
  readonly step: bigint;
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
  asked: DepthView,
  { priceExponent }: Pick<InstrumentInfo, 'priceExponent'>,
): GrantedView {
  const { grouping } = asked;
  const granted = offeredView(asked);
  if (grouping === undefined) return { ...granted, step: 0n };
  const step = grantedStep(grouping, priceExponent);
  return { ...granted, grouping: decimalText(step, priceExponent), step };
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
  view: GrantedView,
  held: ReadonlySet<number>,
): number {
  let stream: number;
  try {
    stream = hub.engine.openDepth(instrument.id, view.depth, view.intervalMs, view.step);
  } catch (cause) {
    if (codeOf(cause) !== 'engine.views_full') throw cause;
    throw new DepthwireError('feed.views_full', {
      what: 'all depth views of this instrument are in use by clients',
      where: `subscribe depth of ${instrument.name}`,
      expected: cause instanceof DepthwireError ? cause.expected : '',
      got: `depth ${view.depth}, intervalMs ${view.intervalMs}, which nobody holds yet`,
      fix: 'Ask for depth 20 with intervalMs 100, which is mostly open already, or subscribe to book; else try later.',
      cause,
    });
  }
  if (held.has(stream) || held.size < CLIENT_VIEWS_MAX) return stream;
  hub.engine.closeDepth(instrument.id, stream);
  throw new DepthwireError('feed.views_full', {
    what: 'this connection holds as many different depth views of the instrument as it may',
    where: `subscribe depth of ${instrument.name}`,
    expected: `at most ${CLIENT_VIEWS_MAX} different views`,
    got: `${held.size + 1}`,
    fix: 'Unsubscribe from one of them, or cut the smaller depths out of the largest one.',
  });
}

function roundedUp(asked: number, offered: readonly number[]): number {
  return offered.find((value) => value >= asked) ?? asked;
}
