import { DepthwireError, shown } from '../../errors.js';
import type { ChannelName, Grant, GrantedView } from './grant.js';

/**
 * The answer for a channel of an instrument that a grant does not hold. It is the same whether or not there is such an
 * instrument, so that asking for names tells nothing of what is served; what the grant does hold its owner may know.
 */
export function notEntitled(
  grant: Grant,
  where: string,
  channel: ChannelName,
  instrument: string,
  view?: GrantedView,
): DepthwireError {
  const levels = view === undefined ? '' : ` with depth ${view.depth}, intervalMs ${view.intervalMs}`;
  return new DepthwireError('feed.not_entitled', {
    what: 'the token of this connection does not hold this',
    where,
    expected: grant.terms,
    got: `${channel}${levels} of ${shown(instrument)}`,
    fix: 'Ask for what the token holds, by the names of /v1/instruments, or have one issued that holds this.',
  });
}
