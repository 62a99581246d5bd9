import type { WebSocket } from 'uWebSockets.js';
import { type CloseCause, type Connection, END_BYTES_MAX, type Session } from '../transport.js';
import type { Account } from './addresses.js';

/** What uWebSockets keeps with each socket. */
export interface SocketData {
  connection: SocketConnection;
  session: Session;
  account: Account;
}

/** What uWebSockets says of the ends that it decides on itself. */
const OWN_CAUSES: readonly (readonly [text: string, cause: CloseCause])[] = [
  ['too big', 'transport_too_big'],
  ['inactivity', 'idle'],
  ['TCP FIN', 'lost'],
  ['invalid', 'protocol'],
];

/** One client's socket over uWebSockets. */
export class SocketConnection implements Connection {
  readonly address: string;
  /** Set by who ends the connection first. */
  cause: CloseCause | undefined;
  #socket: WebSocket<SocketData> | undefined;

  constructor(address: string) {
    this.address = address;
  }

  attach(socket: WebSocket<SocketData>): void {
    this.#socket = socket;
  }

  detach(): void {
    this.#socket = undefined;
  }

  sendText(text: string): void {
    this.#socket?.send(text, false, false);
  }

  sendFrames(frames: Uint8Array): void {
    this.#socket?.send(frames, true, false);
  }

  subscribe(topic: string): void {
    this.#socket?.subscribe(topic);
  }

  unsubscribe(topic: string): void {
    this.#socket?.unsubscribe(topic);
  }

  bufferedBytes(): number {
    return this.#socket?.getBufferedAmount() ?? 0;
  }

  end(code: number, cause: CloseCause, reason: string): void {
    this.cause ??= cause;
    if (this.bufferedBytes() > END_BYTES_MAX) this.#socket?.close();
    else this.#socket?.end(code, reason);
  }

  cut(cause: CloseCause): void {
    this.cause ??= cause;
    this.#socket?.close();
  }
}

/** Stands in between upgrade and open, which follow one another in the same turn. */
export const NO_SESSION: Session = { onText() {}, onBinary() {}, onOversize() {}, onPing() {}, onClose() {} };

/** Why uWebSockets says that a connection ended, where we did not end it. */
export function ownCause(code: number, message: string): CloseCause {
  if (code !== 1006) return 'client';
  return OWN_CAUSES.find(([text]) => message.includes(text))?.[1] ?? 'lost';
}
