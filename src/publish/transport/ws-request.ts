import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Answer, Request } from '../transport.js';

const EMPTY = Buffer.alloc(0);

export function requestOf(request: IncomingMessage, address: string): Request {
  const url = request.url ?? '/';
  const query = url.indexOf('?');
  return {
    method: (request.method ?? '').toLowerCase(),
    path: query < 0 ? url : url.slice(0, query),
    query: query < 0 ? '' : url.slice(query + 1),
    host: request.headers.host ?? '',
    origin: textOf(request.headers.origin),
    address,
    authorization: request.headers.authorization ?? '',
  };
}

/** What is sent with a request; undefined where it is more than `bytesMax`, or its connection ends before it has come. */
export async function bodyOf(request: IncomingMessage, bytesMax: number): Promise<string | undefined> {
  const parts: Buffer[] = [];
  let bytes = 0;
  try {
    // Whoever is told that it is too much still has to read that.
    for await (const part of request.iterator({ destroyOnReturn: false })) {
      bytes += (part as Buffer).byteLength;
      if (bytes > bytesMax) return undefined;
      parts.push(part as Buffer);
    }
  } catch {
    return undefined;
  }
  return Buffer.concat(parts).toString();
}

export function textOf(header: string | readonly string[] | undefined): string {
  return typeof header === 'string' ? header : (header?.join(', ') ?? '');
}

export function statusOf({ status }: Answer): readonly [code: number, text: string] {
  return [Number(status.slice(0, 3)), status.slice(4)];
}

/** Answers on a socket that Node has given up for an upgrade, and ends it. */
export function writeRaw(socket: Duplex, answer: Answer, headOnly: boolean): void {
  const body = typeof answer.body === 'string' ? Buffer.from(answer.body) : Buffer.from(answer.body);
  const headers = Object.entries({
    ...answer.headers,
    'Content-Length': String(body.byteLength),
    Connection: 'close',
  });
  const head = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  socket.end(
    Buffer.concat([Buffer.from(`HTTP/1.1 ${answer.status}\r\n${head}\r\n`), headOnly ? EMPTY : body]),
  );
}
