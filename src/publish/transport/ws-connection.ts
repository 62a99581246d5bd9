import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { type CloseCause, type Connection, END_BYTES_MAX, type Session } from '../transport.js';

/** The topics of a server, each with the connections that take it. */
export type Subscribers = Map<string, Set<WsConnection>>;

/** One client's socket over `ws`. Tells its session of the end in the turn in which it is decided. */
export class WsConnection implements Connection {
  readonly address: string;
  session: Session | undefined;
  /** When the client was last heard, on the scale of `performance.now()`, or last took something that waited for it. */
  heardMs: number;
  readonly #socket: WebSocket;
  /** What the WebSocket goes over. */
  readonly #tcp: Duplex;
  readonly #subscribers: Subscribers;
  readonly #onGone: (connection: WsConnection) => void;
  readonly #backpressureBytesMax: number;
  readonly #topics = new Set<string>();
  #isClosed = false;
  #waitingBefore = 0;

  constructor(
    socket: WebSocket,
    tcp: Duplex,
    address: string,
    subscribers: Subscribers,
    backpressureBytesMax: number,
    onGone: (connection: WsConnection) => void,
  ) {
    this.#socket = socket;
    this.#tcp = tcp;
    this.address = address;
    this.#subscribers = subscribers;
    this.#backpressureBytesMax = backpressureBytesMax;
    this.#onGone = onGone;
    this.heardMs = performance.now();
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  sendText(text: string): void {
    if (this.#hasRoom()) this.#socket.send(text, TEXT);
  }

  sendFrames(frames: Uint8Array): void {
    if (this.#hasRoom()) this.#socket.send(Buffer.from(frames), BINARY);
  }

  /** Bytes that nobody changes any more, so that all subscribers of a topic can share them. */
  sendShared(frames: Buffer): void {
    if (this.#hasRoom()) this.#socket.send(frames, BINARY);
  }

  /** Asks the client for a sign of life. */
  ping(): void {
    if (this.#hasRoom()) this.#socket.ping();
  }

  subscribe(topic: string): void {
    if (this.#isClosed) return;
    this.#topics.add(topic);
    const subscribers = this.#subscribers.get(topic);
    if (subscribers === undefined) this.#subscribers.set(topic, new Set([this]));
    else subscribers.add(this);
  }

  unsubscribe(topic: string): void {
    if (!this.#topics.delete(topic)) return;
    const subscribers = this.#subscribers.get(topic);
    subscribers?.delete(this);
    if (subscribers?.size === 0) this.#subscribers.delete(topic);
  }

  bufferedBytes(): number {
    return this.#isClosed ? 0 : this.#socket.bufferedAmount;
  }

  /** Counts a client that takes what waits for it as one that is heard. */
  noteProgress(nowMs: number): void {
    const waiting = this.bufferedBytes();
    if (waiting < this.#waitingBefore) this.heardMs = nowMs;
    this.#waitingBefore = waiting;
  }

  end(code: number, cause: CloseCause, reason: string): void {
    if (this.#isClosed) return;
    if (this.bufferedBytes() > END_BYTES_MAX) {
      this.cut(cause);
      return;
    }
    this.#socket.close(code, reason);
    // The end of the stream follows the close frame at once, so that nobody has to be waited for.
    this.#tcp.end();
    this.closed(code, cause);
  }

  cut(cause: CloseCause): void {
    if (this.#isClosed) return;
    this.#socket.terminate();
    this.closed(1006, cause);
  }

  /** Takes note of the end, once. */
  closed(code: number, cause: CloseCause): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const topic of [...this.#topics]) this.unsubscribe(topic);
    this.#onGone(this);
    this.session?.onClose(code, cause);
  }

  /** A message that is left out would be a hole in a delta feed, so a client without room is cut instead. */
  #hasRoom(): boolean {
    if (this.#isClosed) return false;
    if (this.#socket.bufferedAmount <= this.#backpressureBytesMax) return true;
    this.cut('transport_backpressure');
    return false;
  }
}

const TEXT = { binary: false, compress: false } as const;
const BINARY = { binary: true, compress: false } as const;

const TOO_BIG: ReadonlySet<string> = new Set([
  'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH',
  'WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH',
]);

/** Why a connection ends by an error of `ws`. */
export function causeOf(error: Error): CloseCause {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (TOO_BIG.has(code)) return 'transport_too_big';
  return code.startsWith('WS_ERR_') ? 'protocol' : 'lost';
}
