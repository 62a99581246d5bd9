import type { InstrumentInfo } from '../engine.js';
import { codeOf, DepthwireError } from '../errors.js';
import type { Hub } from './hub.js';

/** Depths and intervals of the views that exist: few, so that clients share them. Best first is nearest above. */
const DEPTHS = [1, 5, 10, 20, 50, 100] as const;
const INTERVALS_MS = [0, 20, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000] as const;

/** Different views of one instrument that one client may hold. */
const CLIENT_VIEWS_MAX = 4;

/** What a depth subscription asks for, or is granted. */
export interface DepthView {
  readonly depth: number;
  readonly intervalMs: number;
}

/** The view that is granted for what was asked: each number rounded up to one that is offered. */
export function grantedView({ depth, intervalMs }: DepthView): DepthView {
  return { depth: roundedUp(depth, DEPTHS), intervalMs: roundedUp(intervalMs, INTERVALS_MS) };
}

/**
 * Opens a granted view for a client that holds views of the instrument on the streams `held`, and returns its stream.
 * Throws `feed.views_full` when the client or the engine has no room for another one.
 */
export function openView(
  hub: Hub,
  instrument: InstrumentInfo,
  view: DepthView,
  held: ReadonlySet<number>,
): number {
  let stream: number;
  try {
    stream = hub.engine.openDepth(instrument.id, view.depth, view.intervalMs);
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
  closeView(hub, instrument, stream);
  throw new DepthwireError('feed.views_full', {
    what: 'this connection holds as many different depth views of the instrument as it may',
    where: `subscribe depth of ${instrument.name}`,
    expected: `at most ${CLIENT_VIEWS_MAX} different pairs of depth and intervalMs`,
    got: `${held.size + 1}`,
    fix: 'Unsubscribe from one of them, or cut the smaller depths out of the largest one.',
  });
}

/** Gives a view back. Its stream's number may name another view from now on, so no image of it may stay. */
export function closeView({ engine, images }: Hub, instrument: InstrumentInfo, stream: number): void {
  engine.closeDepth(instrument.id, stream);
  images.forget(instrument.id);
}

function roundedUp(asked: number, offered: readonly number[]): number {
  return offered.find((value) => value >= asked) ?? asked;
}
