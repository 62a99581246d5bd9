import type { InstrumentInfo } from '../engine.js';
import { codeOf, DepthwireError } from '../errors.js';
import type { Hub } from './hub.js';

/**
 * The stream of an instrument's orders, which the engine writes while a client has it: each call needs a `closeOrders`. Throws
 * `feed.no_orders` where the venue has named none.
 */
export function openOrders({ engine }: Hub, instrument: InstrumentInfo): number {
  try {
    return engine.openOrders(instrument.id);
  } catch (cause) {
    if (codeOf(cause) !== 'engine.no_orders') throw cause;
    throw new DepthwireError('feed.no_orders', {
      what: 'the venue has named no orders of this instrument',
      where: `subscribe orders of ${instrument.name}`,
      expected: 'an instrument whose source tells its book order by order',
      got: instrument.name,
      fix: 'Subscribe to book, or serve a source that tells orders (depthwire venues says which) and ask again.',
      cause,
    });
  }
}
