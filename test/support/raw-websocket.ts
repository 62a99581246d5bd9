import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

/** The parts of a frame that a client may get wrong. */
export interface FrameOptions {
  readonly fin?: boolean;
  /** The three reserved bits, as a number from 0 to 7. */
  readonly reserved?: number;
  /** Undefined: not masked. */
  readonly mask?: readonly [number, number, number, number] | undefined;
  /** Bits of the length: 7, 16 or 64; by default the fewest. */
  readonly lengthBits?: 7 | 16 | 64;
  /** Length that the header states, where it is not that of the payload. */
  readonly stated?: number | bigint;
}

export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

const MASK = [0x37, 0xfa, 0x21, 0x3d] as const;

/** One frame of a client, masked unless it is told otherwise. */
export function frameOf(
  opcode: number,
  payload: string | Uint8Array = '',
  options: FrameOptions = {},
): Buffer {
  const { fin = true, reserved = 0, stated } = options;
  const mask = 'mask' in options ? options.mask : MASK;
  const body = Buffer.from(typeof payload === 'string' ? Buffer.from(payload) : payload);
  const length = stated ?? body.length;
  const bits = options.lengthBits ?? (length < 126 ? 7 : length < 65_536 ? 16 : 64);
  const masked = mask === undefined ? 0 : 0x80;
  const head = Buffer.alloc(bits === 7 ? 2 : bits === 16 ? 4 : 10);
  head[0] = (fin ? 0x80 : 0) | (reserved << 4) | opcode;
  head[1] = masked | (bits === 7 ? Number(length) : bits === 16 ? 126 : 127);
  if (bits === 16) head.writeUInt16BE(Number(length), 2);
  if (bits === 64) head.writeBigUInt64BE(BigInt(length), 2);
  if (mask === undefined) return Buffer.concat([head, body]);
  for (let at = 0; at < body.length; at++) body[at] = (body[at] ?? 0) ^ (mask[at & 3] ?? 0);
  return Buffer.concat([head, Buffer.from(mask), body]);
}

/** A close frame with a code and a reason. */
export function closeOf(code: number, reason: string | Uint8Array = ''): Buffer {
  const body = Buffer.alloc(2);
  body.writeUInt16BE(code);
  return frameOf(OPCODE.close, Buffer.concat([body, Buffer.from(reason as Uint8Array)]));
}

/** Headers of the handshake of RFC 6455 section 1.2; undefined leaves one out. */
export function handshakeOf(
  headers: Readonly<Record<string, string | undefined>> = {},
  line = 'GET /v1/feed HTTP/1.1',
): string {
  const all = {
    Host: '127.0.0.1',
    Upgrade: 'websocket',
    Connection: 'Upgrade',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Protocol': 'depthwire.v1',
    ...headers,
  };
  const lines = Object.entries(all).filter(([, value]) => value !== undefined);
  return `${line}\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
}

/** A frame of the server. */
export interface ServerFrame {
  readonly opcode: number;
  readonly payload: Buffer;
}

/** A bare connection that knows how to read HTTP and WebSocket frames, and sends what it is told. */
export class RawClient {
  readonly socket: Socket;
  /** Status line and headers of the answer. */
  head = '';
  readonly frames: ServerFrame[] = [];
  hasEnded = false;
  #bytes = Buffer.alloc(0);
  readonly #waiters = new Set<() => void>();

  constructor(port: number, tls?: { readonly ca: string | Buffer }) {
    this.socket =
      tls === undefined
        ? connect(port, '127.0.0.1')
        : connectTls({ port, host: '127.0.0.1', servername: 'localhost', ca: tls.ca });
    this.socket.setNoDelay();
    this.socket.on('data', (bytes) => this.#take(bytes));
    this.socket.on('error', () => {});
    this.socket.on('close', () => {
      this.hasEnded = true;
      this.#changed();
    });
  }

  /** A connection that has shaken hands. */
  static async open(port: number, tls?: { readonly ca: string | Buffer }): Promise<RawClient> {
    const client = new RawClient(port, tls);
    client.socket.write(handshakeOf());
    await client.until(() => client.head !== '', 'answer to the handshake');
    if (!client.head.startsWith('HTTP/1.1 101')) throw new Error(client.head);
    return client;
  }

  /** What came after the headers of an answer that is no handshake. */
  get body(): string {
    return this.#bytes.toString();
  }

  get texts(): readonly string[] {
    return this.frames.filter(({ opcode }) => opcode === OPCODE.text).map(({ payload }) => String(payload));
  }

  /** The code of the close frame: 1005 for one without a code, 1006 where none came. */
  get closeCode(): number {
    const close = this.frames.find(({ opcode }) => opcode === OPCODE.close);
    if (close === undefined) return 1006;
    return close.payload.length < 2 ? 1005 : close.payload.readUInt16BE();
  }

  send(...parts: readonly (string | Uint8Array)[]): void {
    this.socket.write(Buffer.concat(parts.map((part) => Buffer.from(part as Uint8Array))));
  }

  async until(condition: () => boolean, what: string, timeoutMs = 5000): Promise<void> {
    const late = performance.now() + timeoutMs;
    while (!condition()) {
      const leftMs = late - performance.now();
      if (leftMs <= 0) throw new Error(`no ${what}; got ${JSON.stringify([this.head, this.frames])}`);
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        this.#waiters.add(resolve);
        timer = setTimeout(resolve, Math.min(leftMs, 20));
      });
      clearTimeout(timer);
    }
  }

  async ended(timeoutMs?: number): Promise<number> {
    await this.until(() => this.hasEnded, 'end of the connection', timeoutMs);
    return this.closeCode;
  }

  destroy(): void {
    this.socket.destroy();
  }

  #take(bytes: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, bytes]);
    if (this.head === '') {
      const end = this.#bytes.indexOf('\r\n\r\n');
      if (end < 0) return;
      this.head = this.#bytes.subarray(0, end).toString();
      this.#bytes = this.#bytes.subarray(end + 4);
    }
    if (this.head.startsWith('HTTP/1.1 101')) this.#takeFrames();
    this.#changed();
  }

  #takeFrames(): void {
    for (;;) {
      const bytes = this.#bytes;
      if (bytes.length < 2) return;
      const short = (bytes[1] ?? 0) & 0x7f;
      const head = short < 126 ? 2 : short === 126 ? 4 : 10;
      if (bytes.length < head) return;
      const size =
        short < 126 ? short : short === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
      if (bytes.length < head + size) return;
      this.frames.push({ opcode: (bytes[0] ?? 0) & 15, payload: bytes.subarray(head, head + size) });
      this.#bytes = bytes.subarray(head + size);
    }
  }

  #changed(): void {
    for (const waiter of this.#waiters) waiter();
    this.#waiters.clear();
  }
}
