import type { DepthwireError } from '../../errors.js';
import { refusal } from './refusals.js';

/** Begins the subprotocol that carries a token: a browser can set no other header of a handshake. */
export const TOKEN_PROTOCOL = 'depthwire.token.';

/**
 * The token of a request: `Authorization: Bearer TOKEN`, or of a handshake the subprotocol `depthwire.token.TOKEN`. Never from
 * the address, which servers and proxies write down.
 */
export function tokenOf(authorization: string, protocols: readonly string[]): string | DepthwireError {
  const carried = protocols.filter((protocol) => protocol.startsWith(TOKEN_PROTOCOL));
  if (carried.length + (authorization === '' ? 0 : 1) > 1) return refusal('auth.ambiguous');
  const [inProtocol] = carried;
  if (inProtocol !== undefined) return inProtocol.slice(TOKEN_PROTOCOL.length);
  if (authorization === '') return refusal('auth.missing');
  const [, token] = /^Bearer +(\S+)$/i.exec(authorization) ?? [];
  return token ?? refusal('auth.malformed');
}

/** The subprotocols that may be told again: all but tokens. */
export function tellable(protocols: readonly string[]): readonly string[] {
  return protocols.filter((protocol) => !protocol.startsWith(TOKEN_PROTOCOL));
}
