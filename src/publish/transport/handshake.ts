import { DepthwireError, shown } from '../../errors.js';
import type { Answer } from '../transport.js';

/** What a WebSocket handshake says of itself, as it stands in its headers; empty where a header is missing. */
export interface Handshake {
  readonly upgrade: string;
  readonly connection: string;
  readonly version: string;
  readonly key: string;
}

/** 16 bytes in base64. */
const KEY = /^[A-Za-z0-9+/]{21}[AQgw]==$/;

/** The one version that RFC 6455 defines. */
const VERSION = '13';

/** Whether a request asks for a WebSocket at all; one that does not is answered as any other. */
export function isHandshake({ upgrade, connection }: Handshake): boolean {
  return listed(upgrade, 'websocket') && listed(connection, 'upgrade');
}

/** An answer to a handshake that RFC 6455 section 4.2.1 has refused; undefined for one that is well-formed. */
export function handshakeRefusal({ version, key }: Handshake): Answer | undefined {
  if (version !== VERSION) {
    const error = new DepthwireError('feed.websocket_version', {
      what: 'the handshake is of another version of the WebSocket protocol',
      where: 'Sec-WebSocket-Version',
      expected: VERSION,
      got: version === '' ? 'no version' : shown(version),
      fix: `Send Sec-WebSocket-Version: ${VERSION}.`,
    });
    return refusal('426 Upgrade Required', error, { 'Sec-WebSocket-Version': VERSION, Upgrade: 'websocket' });
  }
  if (!KEY.test(key)) {
    const error = new DepthwireError('feed.websocket_key', {
      what: 'the key of the handshake cannot be used',
      where: 'Sec-WebSocket-Key',
      expected: '16 bytes in base64, which are 24 characters',
      got: key === '' ? 'no key' : shown(key),
      fix: 'Use a WebSocket library, or send 16 random bytes in base64.',
    });
    return refusal('400 Bad Request', error);
  }
  return undefined;
}

/** The texts of a list in a header. */
export function listOf(header: string): readonly string[] {
  return header.split(',').map((text) => text.trim());
}

function listed(header: string, word: string): boolean {
  return listOf(header).some((text) => text.toLowerCase() === word);
}

/** A typed error as the answer to a handshake. */
export function refusal(
  status: string,
  error: DepthwireError,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  return {
    status,
    headers: { 'Content-Type': 'application/json; charset=utf-8', 'Cache-Control': 'no-cache', ...headers },
    body: JSON.stringify({ error: error.toJSON() }),
  };
}
