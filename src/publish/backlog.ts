import type { Limits } from '../config.js';

/** A client, as far as what waits for it goes. */
export interface Waiter {
  /** Bytes that waited for it at the last look. */
  readonly waitingBytes: number;
  readonly isBehind: boolean;
  /** Whether it has something waiting, or to do, that each look may bring forward. */
  readonly isBusy: boolean;
  /** When time alone makes it due: for a heartbeat, or a token that ends. */
  readonly nextLookMs: number;
  /** Whether it has to be looked at: it is busy, its time has come, or `sentBytes` has grown by `lookBytes` since. */
  isDue(nowMs: number, sentBytes: number, lookBytes: number): boolean;
  poll(nowMs: number): void;
  /** Streams that may be thinned leave it. */
  yieldStreams(nowMs: number): void;
  /** Cuts it, so that its memory is free at once. */
  cutForMemory(): void;
}

const LOOK_BYTES_MIN = 1024;
/** Clients that are due by time alone wait for so long at most, so that a sweep has many of them. */
const TIMED_LOOK_MS = 250;

/**
 * What waits for all clients, and how often each is looked at: no client can have more waiting than was sent to anybody
 * since its last look, so one for which nothing waits is looked at again when that could matter.
 *
 * Of the budget of the process (`limits.waitingBytesMax`) images and what brings readers back use a quarter at most. From
 * half of it on those with most waiting lose the streams that may be thinned, largest first, and above it those with most
 * waiting are cut.
 */
export class Backlog {
  /** Bytes that waited for all of them at their last looks. */
  totalBytes = 0;
  readonly #clients: ReadonlySet<Waiter>;
  readonly #limits: Limits;
  readonly #sentBytes: () => number;
  readonly #hurry: () => void;
  readonly #busy = new Set<Waiter>();
  #sweptBytes = 0;
  /** None is due by time alone before. */
  #nextTimedLookMs = 0;

  /** `sentBytes`: bytes sent to anybody, once each however many took them. `hurry`: asks for the next sweep to come soon. */
  constructor(clients: ReadonlySet<Waiter>, limits: Limits, sentBytes: () => number, hurry: () => void) {
    this.#clients = clients;
    this.#limits = limits;
    this.#sentBytes = sentBytes;
    this.#hurry = hurry;
  }

  /** Whether there is room for more than what is live. */
  get hasRoom(): boolean {
    return this.totalBytes <= this.#limits.waitingBytesMax / 4;
  }

  /** Whether the next sweep has a client to look at for what it has waiting, or to do. */
  get isBusy(): boolean {
    return this.#busy.size > 0;
  }

  /** A turn has sent something: looks at the clients as soon as it could matter, not only when time has passed. */
  sent(): void {
    if (this.#sentBytes() - this.#sweptBytes >= this.#lookBytes()) this.sweep(performance.now());
  }

  /** A client has become busy: the next sweep looks at it. */
  attend(client: Waiter): void {
    this.#busy.add(client);
    this.#hurry();
  }

  /** A client is busy no more, or gone. */
  forget(client: Waiter): void {
    this.#busy.delete(client);
  }

  /** Looks at all clients that are due: where nothing was sent since, at those that are busy or whose time has come. */
  sweep(nowMs: number): void {
    const sentBytes = this.#sentBytes();
    if (sentBytes === this.#sweptBytes) {
      for (const client of this.#busy) this.#look(client, nowMs);
      if (nowMs >= this.#nextTimedLookMs) this.#lookByTime(nowMs);
    } else {
      const lookBytes = this.#lookBytes();
      this.#sweptBytes = sentBytes;
      this.#nextTimedLookMs = nowMs + TIMED_LOOK_MS;
      for (const client of this.#clients)
        if (client.isDue(nowMs, sentBytes, lookBytes)) this.#look(client, nowMs);
    }
    if (this.totalBytes > this.#limits.waitingBytesMax / 2) this.#relieve(nowMs);
  }

  #lookByTime(nowMs: number): void {
    let nextMs = Number.POSITIVE_INFINITY;
    for (const client of this.#clients) {
      if (nowMs >= client.nextLookMs) this.#look(client, nowMs);
      nextMs = Math.min(nextMs, client.nextLookMs);
    }
    this.#nextTimedLookMs = Math.max(nextMs, nowMs + TIMED_LOOK_MS);
  }

  #look(client: Waiter, nowMs: number): void {
    client.poll(nowMs);
    this.#nextTimedLookMs = Math.min(this.#nextTimedLookMs, client.nextLookMs);
    if (client.isBusy) this.attend(client);
    else this.forget(client);
  }

  /** Half the budget may come to wait unseen for all together, and a quarter of its soft limit for one. */
  #lookBytes(): number {
    const { backpressureSoftBytes, waitingBytesMax } = this.#limits;
    const share = waitingBytesMax / 2 / Math.max(1, this.#clients.size);
    return Math.max(LOOK_BYTES_MIN, Math.min(backpressureSoftBytes / 4, share));
  }

  #relieve(nowMs: number): void {
    const { waitingBytesMax } = this.#limits;
    const byWaiting = [...this.#clients].sort((one, other) => other.waitingBytes - one.waitingBytes);
    let growing = 0;
    for (const { isBehind, waitingBytes } of byWaiting) if (!isBehind) growing += waitingBytes;
    for (const client of byWaiting) {
      if (this.totalBytes > waitingBytesMax) {
        if (!client.isBehind) growing -= client.waitingBytes;
        client.cutForMemory();
      } else if (growing <= waitingBytesMax / 4) {
        return;
      } else if (!client.isBehind) {
        growing -= client.waitingBytes;
        client.yieldStreams(nowMs);
      }
    }
  }
}
