import { DepthwireError } from '../../errors.js';
import type { Answer, ConnectionLimits, RefusalCause } from '../transport.js';
import { type Account, Addresses } from './addresses.js';
import { Descriptors } from './descriptors.js';
import { refusal } from './handshake.js';
import { type Pending, PendingConnections } from './pending.js';

/** Answers under way at a time: each holds its bytes until its reader has taken them; the oldest makes room. */
const ANSWERS_MAX = 64;
/** How long a reader may take for one answer. */
const ANSWER_MS = 30_000;
/** Places that WebSockets leave to connections that are none yet, as far as there are so many. */
const NEWCOMERS_ROOM = 64;
/** The part of all places that connections of one address may take which nobody can cut any more. */
const LOOSE_SHARE = 1 / 8;

/** Who may connect: limits on what is no WebSocket yet, on handshakes, and on what one address has. */
export class Admission {
  /** Connections without an answer under way. */
  readonly pending: PendingConnections;
  /** Connections with one. */
  readonly answers = new PendingConnections({
    pendingMax: ANSWERS_MAX,
    pendingPerAddressMax: ANSWERS_MAX,
    pendingMs: ANSWER_MS,
  });
  readonly #addresses: Addresses;
  readonly #descriptors = new Descriptors();
  readonly #limits: ConnectionLimits;
  readonly #onRefused: (cause: RefusalCause) => void;
  #open = 0;
  #webSockets = 0;

  constructor(limits: ConnectionLimits, onRefused: (cause: RefusalCause) => void) {
    this.#limits = limits;
    this.#onRefused = onRefused;
    this.pending = new PendingConnections(limits);
    this.#addresses = new Addresses(limits);
  }

  /** Takes a new connection, at the cost of the oldest that is no WebSocket yet. Returns false where it must be cut. */
  accept(newcomer: Pending): boolean {
    this.#open += 1;
    if (this.#open > this.#limits.connectionsMax || this.#descriptors.isFull) {
      this.#onRefused('descriptors');
      if (!this.pending.cutOldest()) return false;
    }
    if (this.pending.add(newcomer) > 0) this.#onRefused('pending');
    return true;
  }

  /** A connection has ended, whatever it was. */
  ended(): void {
    this.#open -= 1;
  }

  /** Takes one handshake from the account of an address; false: it has none left, and nothing costly may be done for it. */
  takeHandshake(address: string): boolean {
    if (this.#limits.isExempt(address) || this.#addresses.takeHandshake(address, performance.now()))
      return true;
    this.#onRefused('rate');
    return false;
  }

  /**
   * Lets go of all pending connections of an address, one of which becomes a WebSocket where it is not known which. Returns
   * false where an address would have too many that nobody can cut any more.
   */
  letGo(address: string): boolean {
    const others = this.pending.countOf(address) - 1;
    // With no pending one the one that asks has been let go of before: many that come together are loose for a moment only.
    if (others < 0) this.#addresses.giveLoose(address);
    const max = Math.ceil(this.#limits.connectionsMax * LOOSE_SHARE);
    if (others > 0 && !this.#addresses.takeLoose(address, others, max, performance.now())) return false;
    this.pending.forget(address);
    return true;
  }

  /** An answer that refuses one more WebSocket of an address, where one of these limits says so. */
  refusalOf(address: string): Answer | undefined {
    const { connectionsMax, clientsPerAddressMax } = this.#limits;
    const room = connectionsMax - Math.min(NEWCOMERS_ROOM, Math.ceil(connectionsMax / 4));
    if (this.#webSockets >= room) {
      this.#onRefused('descriptors');
      return refusal('503 Service Unavailable', descriptorsFull(room));
    }
    if (this.#limits.isExempt(address) || this.#addresses.hasRoom(address)) return undefined;
    this.#onRefused('address');
    return refusal('429 Too Many Requests', addressFull(clientsPerAddressMax));
  }

  /** The answer to a handshake for which `takeHandshake` has said no. */
  rateRefusal(): Answer {
    return refusal('429 Too Many Requests', tooOften(this.#limits.handshakesPerSecond), {
      'Retry-After': '10',
    });
  }

  opened(address: string): Account {
    this.#webSockets += 1;
    return this.#addresses.opened(address, performance.now());
  }

  closed(account: Account): void {
    this.#webSockets -= 1;
    this.#addresses.closed(account);
  }

  /** Cuts what has been silent for too long, and readers that take too long. Once a second or so. */
  sweep(nowMs: number): void {
    this.pending.cutOverdue(nowMs);
    this.answers.cutOverdue(nowMs);
    this.#addresses.sweep(nowMs);
    this.#descriptors.look();
  }

  /** The listener is gone for good. */
  close(): void {
    this.#descriptors.close();
  }
}

function descriptorsFull(room: number): DepthwireError {
  return new DepthwireError('feed.descriptors_full', {
    what: 'the server has as many connections as its file descriptors allow',
    where: 'connections',
    expected: `at most ${room} clients`,
    got: 'one more',
    fix: 'Try again later; on the server, raise the limit (ulimit -n, LimitNOFILE) or lower limits.clients_max.',
  });
}

function addressFull(clientsPerAddressMax: number): DepthwireError {
  return new DepthwireError('feed.address_full', {
    what: 'this address holds as many connections as one may',
    where: 'connections of this address',
    expected: `at most ${clientsPerAddressMax}`,
    got: `${clientsPerAddressMax + 1}`,
    fix: 'Close another connection, or subscribe to several instruments on one.',
  });
}

function tooOften(handshakesPerSecond: number): DepthwireError {
  return new DepthwireError('feed.handshake_rate', {
    what: 'this address connects too often',
    where: 'handshakes of this address',
    expected: `at most ${handshakesPerSecond} a second`,
    got: 'more',
    fix: 'Wait ten seconds, and from then on longer after each failure.',
  });
}
