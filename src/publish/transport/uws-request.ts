import type { HttpRequest, HttpResponse } from 'uWebSockets.js';
import type { Answer, Request } from '../transport.js';
import { addressKey } from './addresses.js';
import { type Handshake, handshakeRefusal, isHandshake } from './handshake.js';

export function requestOf(request: HttpRequest, address: string): Request {
  return {
    method: request.getMethod(),
    path: request.getUrl(),
    query: request.getQuery(),
    host: request.getHeader('host'),
    origin: request.getHeader('origin'),
    address,
    authorization: request.getHeader('authorization'),
  };
}

export function wrongHandshake(request: HttpRequest): Answer | undefined {
  const handshake = handshakeOf(request);
  return isHandshake(handshake) ? handshakeRefusal(handshake) : undefined;
}

export function handshakeOf(request: HttpRequest): Handshake {
  return {
    upgrade: request.getHeader('upgrade'),
    connection: request.getHeader('connection'),
    version: request.getHeader('sec-websocket-version'),
    key: request.getHeader('sec-websocket-key'),
  };
}

/** Answers and ends the connection. */
export function refuse(response: HttpResponse, answer: Answer): void {
  response.cork(() => {
    writeHead(response, answer);
    response.end(answer.body, true);
  });
}

export function writeHead(response: HttpResponse, answer: Answer): void {
  response.writeStatus(answer.status);
  for (const [name, value] of Object.entries(answer.headers)) response.writeHeader(name, value);
}

/** Whether a body is announced in a way in which uWebSockets may read on without a word of the connection. */
export function hidesItsConnection(request: HttpRequest): boolean {
  return (
    request.getHeader('transfer-encoding') !== '' || !/^\d{0,15}$/.test(request.getHeader('content-length'))
  );
}

export function addressOf(response: HttpResponse): string {
  return addressKey(Buffer.from(response.getRemoteAddressAsText()).toString('latin1'));
}
