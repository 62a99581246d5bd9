import type { Socket } from 'node:net';
import type { FaultPlan } from './fault.js';
import { LOGIN_FAULTS } from './fault.js';
import { type Medium, Outlet } from './outlet.js';

/** What a connection tells: messages that are numbered from 1. */
export interface SoupSession {
  /** Its name, 10 bytes. */
  readonly session: string;
  /** Number of the message that comes next. */
  readonly next: number;
  /** Whether a client may begin with that number. */
  has(number: number): boolean;
  message(number: number): Buffer | undefined;
}

/** Either side gives the other up after so long, and says that it lives after so long of its own silence. */
const PEER_LOST_MS = 15_000;
const HEARTBEAT_MS = 1000;

const LOGIN_BYTES = 49;
const LOGIN_REQUEST = 'L';
const LOGOUT = 'O';
const PACKETS_PER_STEP_MAX = 10_000;

/** A client of SoupBinTCP 3.00: it logs in with the number of the message that it wants first, and hears all from there on. */
export class SoupLine {
  readonly #wire: Socket;
  readonly #session: SoupSession;
  readonly #faults: FaultPlan;
  readonly #outlet: Outlet;
  #unread = Buffer.alloc(0);
  /** The message that is told next; undefined before the login. */
  #next: number | undefined;
  #saidMs = performance.now();
  #heardMs = performance.now();

  constructor(wire: Socket, session: SoupSession, faults: FaultPlan) {
    this.#wire = wire;
    this.#session = session;
    this.#faults = faults;
    const onFarewell = (): undefined => this.end();
    this.#outlet = new Outlet(soupMedium(wire), faults, { onFarewell });
    wire.setNoDelay(true);
    wire.on('error', () => {});
    wire.on('data', (chunk: Buffer) => this.#heard(chunk));
  }

  /** Tells what is due. */
  goOn(): void {
    const nowMs = performance.now();
    if (nowMs - this.#heardMs > PEER_LOST_MS) this.#wire.destroy();
    if (this.#next === undefined) return;
    for (let packets = 0; packets < PACKETS_PER_STEP_MAX; packets++) {
      const message = this.#session.message(this.#next);
      if (message === undefined) break;
      this.#next += 1;
      this.#saidMs = nowMs;
      this.#outlet.say(message, 'orders');
    }
    if (nowMs - this.#saidMs < HEARTBEAT_MS || this.#outlet.isSilent) return;
    this.#saidMs = nowMs;
    this.#wire.write(packet('H', ''));
  }

  /** The session is over. */
  end(): undefined {
    this.#next = undefined;
    this.#wire.end(packet('Z', ''), () => this.#wire.destroy());
  }

  #heard(chunk: Buffer): void {
    this.#heardMs = performance.now();
    this.#unread = Buffer.concat([this.#unread, chunk]);
    while (this.#unread.length >= 2) {
      const end = 2 + this.#unread.readUInt16BE(0);
      if (end > LOGIN_BYTES) {
        this.#wire.destroy();
        return;
      }
      if (this.#unread.length < end) return;
      this.#take(this.#unread.subarray(2, end));
      this.#unread = this.#unread.subarray(end);
    }
  }

  #take(block: Buffer): void {
    const type = String.fromCharCode(block[0] ?? 0);
    if (type === LOGOUT) this.#wire.end();
    else if (type === LOGIN_REQUEST && block.length === LOGIN_BYTES - 2)
      this.#login(block.toString('latin1', 1));
  }

  /** User, password, session and number, each padded with spaces. */
  #login(request: string): void {
    const session = request.slice(16, 26).trim();
    const wanted = Number(request.slice(26).trim());
    if (this.#faults.next(LOGIN_FAULTS) !== undefined) {
      this.#wire.end(packet('J', 'A'));
      return;
    }
    const first = wanted === 0 ? this.#session.next : wanted;
    const isHere = session === '' || session === this.#session.session.trim();
    if (!isHere || !this.#session.has(first)) {
      this.#wire.end(packet('J', 'S'));
      return;
    }
    this.#next = first;
    this.#wire.write(packet('A', this.#session.session.padEnd(10) + String(first).padStart(20)));
  }
}

function packet(type: string, payload: string): Buffer {
  const head = Buffer.from([0, 1 + payload.length]);
  return Buffer.concat([head, Buffer.from(type + payload, 'latin1')]);
}

/** Messages as sequenced packets. */
function soupMedium(wire: Socket): Medium {
  const framed = (message: Buffer): Buffer => {
    const head = Buffer.alloc(3);
    head.writeUInt16BE(message.length + 1);
    head.write('S', 2, 'latin1');
    return Buffer.concat([head, message]);
  };
  return {
    send: (message) => void wire.write(framed(message)),
    framed,
    write: (bytes) => void wire.write(bytes),
    unsent: () => wire.writableLength,
    cut: () => {
      wire.end();
      wire.destroySoon();
    },
    refuse: () => void wire.destroy(),
  };
}
