import { DepthwireError } from '../errors.js';
import type { Loss } from './session.js';

/** That a connection of a product was lost, or could not be made, and is made again after `retryMs`. */
export function connectionFault(
  where: string,
  { cause, detail, remedy }: Loss,
  wasOpen: boolean,
  retryMs: number,
): DepthwireError {
  const again = `in ${(retryMs / 1000).toFixed(1)} s`;
  const got = `${cause}: ${detail}`;
  if (cause === 'login') {
    const check = remedy ?? 'Check the key of the account and what it may do, and the clock of this machine.';
    return new DepthwireError('live.login', {
      what: 'the venue does not take the account',
      where,
      expected: 'a key that is taken',
      got,
      fix: `${check} It is tried again ${again}, then ever more rarely.`,
    });
  }
  return new DepthwireError('live.connection', {
    what: wasOpen ? 'a connection was lost' : 'a connection could not be made',
    where,
    expected: 'a connection that lasts',
    got,
    fix: `It is made again ${again}; nothing has to be done unless that fails, too.`,
  });
}
