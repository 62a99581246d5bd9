import { createSocket } from 'node:dgram';
import type { Socket } from 'node:net';
import { Dialect } from '#native';
import { DepthwireError, shown } from '../errors.js';
import type { FaultPlan } from './fault.js';
import { type Medium, Outlet } from './outlet.js';
import { SimulatedHearing } from './simulated-market.js';
import { SoupLine, type SoupSession } from './soup-line.js';

/** The product whose frames are MoldUDP64 packets. */
const PRODUCT = 'nasdaq';

/** A packet's header: session, sequence number of its first message, and how many messages it has (MoldUDP64 1.00). */
const HEADER_BYTES = 20;
const SESSION_BYTES = 10;
/** Of messages that are kept for those who ask for earlier ones. */
const KEPT_BYTES_MAX = 64 << 20;

/**
 * A day of orders as packets: told to whoever listens at the other end of a datagram's way, and, message by message, to those
 * who log in over TCP. All hear the same, from the first message on.
 */
export class PacketFeed implements SoupSession {
  readonly #hearing: SimulatedHearing;
  readonly #faults: FaultPlan;
  readonly #outlets: Outlet[] = [];
  readonly #lines = new Set<SoupLine>();
  readonly #messages: Buffer[] = [];
  /** Number of the first message that is kept. */
  #firstKept = 1;
  #keptBytes = 0;
  #isOpen = false;
  session = '';

  constructor(seed: number, faults: FaultPlan) {
    this.#hearing = new SimulatedHearing(new Dialect(PRODUCT, true, 0, seed, ''), () => {});
    this.#faults = faults;
  }

  /** Number of the message that comes next. */
  get next(): number {
    return this.#firstKept + this.#messages.length;
  }

  /** Sends datagrams there from now on; returns what ends it. */
  sendTo(host: string, port: number): () => void {
    const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
    socket.on('error', () => {});
    const medium: Medium = {
      send: (frame) => socket.send(frame, port, host),
      framed: () => null,
      write: () => {},
      unsent: () => 0,
      cut: () => {},
      refuse: () => {},
    };
    this.#outlets.push(new Outlet(medium, this.#faults));
    return () => socket.close();
  }

  /** Takes a TCP connection of one who is to log in. */
  accept(wire: Socket): void {
    const line = new SoupLine(wire, this, this.#faults);
    this.#lines.add(line);
    wire.on('close', () => this.#lines.delete(line));
  }

  message(number: number): Buffer | undefined {
    return number < this.#firstKept ? undefined : this.#messages[number - this.#firstKept];
  }

  has(number: number): boolean {
    return number >= this.#firstKept && number <= this.next;
  }

  step(nowMs: number): void {
    const take = (channel: string, packet: Uint8Array): void => this.#told(channel, Buffer.from(packet));
    if (this.#isOpen) this.#hearing.step(nowMs, take);
    else this.#hearing.open(nowMs, take);
    this.#isOpen = true;
    for (const line of this.#lines) line.goOn();
  }

  close(): void {
    for (const line of this.#lines) line.end();
    this.#hearing.close();
  }

  #told(channel: string, packet: Buffer): void {
    this.session ||= packet.toString('latin1', 0, SESSION_BYTES);
    for (const outlet of this.#outlets) outlet.say(packet, channel);
    const count = packet.readUInt16BE(SESSION_BYTES + 8);
    let at = HEADER_BYTES;
    for (let message = 0; message < count; message++) {
      const end = at + 2 + packet.readUInt16BE(at);
      this.#messages.push(packet.subarray(at + 2, end));
      this.#keptBytes += end - at;
      at = end;
    }
    if (this.#keptBytes > KEPT_BYTES_MAX) {
      this.#firstKept += this.#messages.length;
      this.#messages.length = 0;
      this.#keptBytes = 0;
    }
  }
}

/** Reads `HOST:PORT`. Throws `fake.address`. */
export function parseHostAndPort(text: string): { readonly host: string; readonly port: number } {
  const [, bare, bracketed, port] = /^(?:([^:[\]]+)|\[([^\]]+)\]):(\d{1,5})$/.exec(text) ?? [];
  const host = bare ?? bracketed;
  if (host !== undefined && Number(port) > 0 && Number(port) < 65_536) return { host, port: Number(port) };
  throw new DepthwireError('fake.address', {
    what: 'an address cannot be understood',
    where: '--udp',
    expected: 'HOST:PORT, as 127.0.0.1:26400 or a multicast group',
    got: shown(text),
    fix: 'Write for example --udp 127.0.0.1:26400.',
  });
}
