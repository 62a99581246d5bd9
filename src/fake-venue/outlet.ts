import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import { type Fault, type FaultPlan, FRAME_FAULTS } from './fault.js';
import { HTML_PAGE } from './manners.js';

/** What carries frames. */
export interface Medium {
  /** Sends one frame. */
  send(frame: Buffer): void;
  /** A frame as the bytes of a stream; null where frames are datagrams or packed, and have no segments of their own. */
  framed(frame: Buffer): Buffer | null;
  /** Sends bytes of a stream. */
  write(bytes: Buffer): void;
  /** Bytes that it was given and that have not left this process. */
  unsent(): number;
  /** Ends without a word. */
  cut(): void;
  /** Ends with the venue's word for why, soon even where its client does not read it. */
  refuse(reason: string): void;
}

/** Bytes that may wait for a client that reads too slowly. */
export const UNSENT_BYTES_MAX = 64 << 20;
/** Until a client that was told why its connection ends is cut off. */
const FAREWELL_MS = 1000;

/** How a connection ends. */
export interface Endings {
  readonly unsentBytesMax?: number;
  /** The client reads too slowly. Told once, with the reason that the client is told. */
  readonly onSlow?: (reason: string) => void;
  /** The venue is going to end the connection, after this time or its own; returns what is said of it. */
  readonly onFarewell?: (afterMs: number | undefined) => string | undefined;
}

const LATE_MS = 1000;
/** Between the pieces of a frame that is split, so that each is a segment of its own. */
const PIECE_MS = 1;
const PIECES = 7;
/** Frames that wait behind one that is late; the connection breaks beyond them, as a venue's does. */
const WAITING_MAX = 100_000;

/** Where a connection's frames go out: whole and in order, but for the faults that are planned. */
export class Outlet {
  readonly #medium: Medium;
  readonly #faults: FaultPlan;
  readonly #endings: Endings;
  #waitingBytes = 0;
  /** Sent behind the next one. */
  #swapped: Buffer | undefined;
  /** Sent in one segment with the next one. */
  #merged: Buffer | undefined;
  #waiting: Buffer[] = [];
  #isWaiting = false;
  /** Nothing goes out, and pings are not answered. */
  isSilent = false;

  constructor(medium: Medium, faults: FaultPlan, endings: Endings = {}) {
    this.#medium = medium;
    this.#faults = faults;
    this.#endings = endings;
  }

  /** Sends a frame; its memory may be used again after the call. */
  say(text: Uint8Array | string, channel: string): void {
    if (this.isSilent) return;
    const frame = Buffer.from(text as Uint8Array);
    const fault = this.#faults.next(FRAME_FAULTS, channel);
    if (fault === undefined) this.#send(frame);
    else this.#spoil(frame, fault);
    const { unsentBytesMax = UNSENT_BYTES_MAX } = this.#endings;
    if (this.#medium.unsent() + this.#waitingBytes > unsentBytesMax) this.#giveUp(unsentBytesMax);
  }

  /** Ends the connection of a client that does not read. */
  #giveUp(unsentBytesMax: number): void {
    if (this.isSilent) return;
    this.isSilent = true;
    this.#waiting = [];
    this.#waitingBytes = 0;
    const reason = `more than ${unsentBytesMax} bytes unsent: read faster`;
    this.#medium.refuse(reason);
    this.#endings.onSlow?.(reason);
  }

  #spoil(frame: Buffer, { kind, ms }: Fault): void {
    switch (kind) {
      case 'drop':
        break;
      case 'duplicate':
        this.#send(frame);
        this.#send(frame);
        break;
      case 'reorder':
        this.#swapped = frame;
        break;
      case 'truncate':
        this.#send(frame.subarray(0, frame.length >> 1));
        break;
      case 'corrupt':
        this.#send(withOtherDigit(frame));
        break;
      case 'garble':
        frame[frame.length >> 1] = 0xff;
        this.#send(frame);
        break;
      case 'html':
        this.#send(Buffer.from(HTML_PAGE));
        break;
      case 'cut': {
        const bytes = this.#medium.framed(frame);
        if (bytes !== null) this.#medium.write(bytes.subarray(0, 1 + (frame.length >> 1)));
        this.cut();
        break;
      }
      case 'stall':
        this.isSilent = true;
        if (ms !== undefined) setTimeout(() => this.#speak(), ms).unref();
        break;
      case 'split':
        this.#sendInPieces(frame);
        break;
      case 'merge': {
        const bytes = this.#medium.framed(frame);
        if (bytes === null) this.#send(frame);
        else this.#merged = Buffer.concat([this.#merged ?? Buffer.alloc(0), bytes]);
        break;
      }
      case 'late':
        this.#wait(ms ?? LATE_MS);
        this.#send(frame);
        break;
      case 'farewell': {
        this.#send(frame);
        const said = this.#endings.onFarewell?.(ms);
        if (said !== undefined) this.#send(Buffer.from(said));
        break;
      }
      default:
        this.#send(frame);
    }
  }

  #speak(): void {
    this.isSilent = false;
  }

  /** Breaks the connection without a word. */
  cut(): void {
    this.isSilent = true;
    this.#medium.cut();
  }

  #send(frame: Buffer): void {
    if (this.#isWaiting) {
      this.#waitingBytes += frame.byteLength;
      if (this.#waiting.push(frame) > WAITING_MAX) this.cut();
      return;
    }
    const merged = this.#merged;
    this.#merged = undefined;
    if (merged === undefined) this.#medium.send(frame);
    else this.#medium.write(Buffer.concat([merged, this.#medium.framed(frame) ?? Buffer.alloc(0)]));
    const swapped = this.#swapped;
    this.#swapped = undefined;
    if (swapped !== undefined) this.#send(swapped);
  }

  #sendInPieces(frame: Buffer): void {
    const bytes = this.#medium.framed(frame);
    if (bytes === null) {
      this.#send(frame);
      return;
    }
    const size = Math.max(1, Math.ceil(bytes.length / PIECES));
    let at = 0;
    const next = (): void => {
      this.#medium.write(bytes.subarray(at, at + size));
      at += size;
      if (at < bytes.length) setTimeout(next, PIECE_MS);
      else this.#goOn();
    };
    this.#isWaiting = true;
    next();
  }

  #wait(ms: number): void {
    this.#isWaiting = true;
    setTimeout(() => this.#goOn(), ms);
  }

  #goOn(): void {
    this.#isWaiting = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    for (const frame of waiting) this.#send(frame);
  }
}

/** Status of a close by the venue: RFC 6455, section 7.4.1. */
const POLICY = 1008;

/** The texts of a WebSocket. */
export function webSocketMedium(socket: WebSocket, wire: Socket): Medium {
  wire.setNoDelay(true);
  const isPacked = socket.extensions !== '';
  return {
    send: (frame) => socket.send(frame, { binary: false }),
    framed: (frame) => (isPacked ? null : framed(frame)),
    write: (bytes) => void wire.write(bytes),
    unsent: () => socket.bufferedAmount,
    cut: () => {
      wire.end();
      wire.destroySoon();
    },
    refuse: (reason) => {
      socket.close(POLICY, reason);
      setTimeout(() => socket.terminate(), FAREWELL_MS).unref();
    },
  };
}

/** An unmasked text frame as it stands on the wire: RFC 6455, section 5.2. */
function framed(payload: Buffer): Buffer {
  const { length } = payload;
  if (length < 126) return Buffer.concat([Buffer.of(0x81, length), payload]);
  if (length < 65_536) return Buffer.concat([Buffer.of(0x81, 126, length >> 8, length & 0xff), payload]);
  const head = Buffer.alloc(10);
  head[0] = 0x81;
  head[1] = 127;
  head.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([head, payload]);
}

/** Another digit in place of the last one in the first two thirds: one of a price or quantity, in frames that have any. */
function withOtherDigit(frame: Buffer): Buffer {
  for (let at = Math.floor((frame.length * 2) / 3); at > 0; at--) {
    const byte = frame[at] ?? 0;
    if (byte < 0x30 || byte > 0x39) continue;
    frame[at] = byte === 0x39 ? 0x38 : byte + 1;
    return frame;
  }
  return frame;
}
