// @ts-check
/** A connection that sends what it is told, right or wrong, and sees how it is answered. */
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';

export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9 };

/**
 * One WebSocket frame of a client, masked with zeros unless it is told otherwise.
 * @param {number} opcode
 * @param {string | Uint8Array} [payload]
 * @param {{ fin?: boolean, reserved?: number, isMasked?: boolean }} [options]
 */
export function frameOf(opcode, payload = '', { fin = true, reserved = 0, isMasked = true } = {}) {
  const body = Buffer.from(/** @type {string} */ (payload));
  const head = [(fin ? 0x80 : 0) | (reserved << 4) | opcode, isMasked ? 0x80 : 0];
  if (body.length < 126) head[1] = Number(head[1]) | body.length;
  else head.splice(1, 1, Number(head[1]) | 126, body.length >> 8, body.length & 0xff);
  return Buffer.concat([Buffer.from(head), Buffer.alloc(isMasked ? 4 : 0), body]);
}

/** A control message. @param {object} message */
export const textOf = (message) => frameOf(OPCODE.text, JSON.stringify(message));

/** A handshake; undefined leaves a header out. @param {Readonly<Record<string, string | undefined>>} [headers] */
export function handshakeOf(headers = {}) {
  const all = {
    Host: '127.0.0.1',
    Upgrade: 'websocket',
    Connection: 'Upgrade',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Protocol': 'depthwire.v1',
    ...headers,
  };
  const lines = Object.entries(all).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}: ${value}\r\n`],
  );
  return `GET /v1/feed HTTP/1.1\r\n${lines.join('')}\r\n`;
}

/** The header that shows a token. @param {string} token */
export const bearer = (token) => ({ Authorization: `Bearer ${token}` });

export class RawClient {
  /** Of the answer to the first request; 0 before it. */
  status = 0;
  /** Text messages of the server. @type {string[]} */
  texts = [];
  /** The code of the server's close frame; 1006 where none came. */
  closeCode = 1006;
  hasEnded = false;
  /** What is not read yet. @type {Buffer} */
  #bytes = Buffer.alloc(0);

  /** @param {number} port @param {string} [ca] the certificate to trust: TLS */
  constructor(port, ca) {
    const to = { port, host: '127.0.0.1' };
    this.socket = ca === undefined ? connect(to) : connectTls({ ...to, servername: 'localhost', ca });
    this.socket.setNoDelay();
    this.socket.on('data', (bytes) => this.#take(bytes));
    this.socket.on('error', () => {});
    /** When the connection has ended. @type {Promise<void>} */
    this.ended = new Promise((resolve) => {
      this.socket.on('close', () => {
        this.hasEnded = true;
        resolve();
      });
    });
    /** When there is an answer, or none will come. @type {Promise<void>} */
    this.answered = new Promise((resolve) => {
      this.#answered = resolve;
      void this.ended.then(resolve);
    });
  }

  /** @type {() => void} */
  #answered = () => {};

  /** How it stands: `waiting` for an answer, `cut` without one, the status of a refusal, `open`, or a close code. */
  get outcome() {
    if (this.status === 0) return this.hasEnded ? 'cut' : 'waiting';
    if (this.status !== 101) return String(this.status);
    return this.hasEnded || this.closeCode !== 1006 ? String(this.closeCode) : 'open';
  }

  /** @param {string | Uint8Array} bytes */
  send(bytes) {
    if (!this.hasEnded) this.socket.write(bytes);
  }

  /** @param {Buffer} bytes */
  #take(bytes) {
    this.#bytes = this.#bytes.length === 0 ? bytes : Buffer.concat([this.#bytes, bytes]);
    if (this.status === 0) {
      const end = this.#bytes.indexOf('\r\n\r\n');
      if (end < 0) return;
      this.status = Number(this.#bytes.subarray(9, 12).toString());
      this.#bytes = this.#bytes.subarray(end + 4);
      this.#answered();
    }
    if (this.status !== 101) return;
    for (;;) {
      const short = (this.#bytes[1] ?? 0) & 0x7f;
      const head = short < 126 ? 2 : short === 126 ? 4 : 10;
      if (this.#bytes.length < head) return;
      const size =
        short < 126
          ? short
          : short === 126
            ? this.#bytes.readUInt16BE(2)
            : Number(this.#bytes.readBigUInt64BE(2));
      if (this.#bytes.length < head + size) return;
      const [opcode, payload] = [Number(this.#bytes[0]) & 15, this.#bytes.subarray(head, head + size)];
      if (opcode === OPCODE.text) this.texts.push(payload.toString());
      if (opcode === OPCODE.close) this.closeCode = size < 2 ? 1005 : payload.readUInt16BE(0);
      this.#bytes = this.#bytes.subarray(head + size);
    }
  }
}
