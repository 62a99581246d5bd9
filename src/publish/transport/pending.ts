/** A connection that is no WebSocket and has no answer under way: silent, in the middle of a request, or between two. */
export interface Pending {
  /** Who it is counted for, as `addressKey` has it. */
  readonly address: string;
  /** Since when it is pending, on the scale of `performance.now()`. */
  sinceMs: number;
  /** Cuts it. Called once, after it has left the list. */
  close(): void;
}

export interface PendingLimits {
  /** In all, and of one address: at either limit the oldest of them makes room. */
  readonly pendingMax: number;
  readonly pendingPerAddressMax: number;
  /** How long one may stay pending, whatever it sends meanwhile. */
  readonly pendingMs: number;
}

/**
 * The pending connections, oldest first. A newcomer is never turned away for them: it takes the place of the oldest, of its
 * own address where that is at its limit. So whoever opens connections and says nothing ends his own, and one that asks
 * within its round trip gets through as long as no more than a limit's worth of others come in that time.
 */
export class PendingConnections {
  readonly #limits: PendingLimits;
  /** What a set keeps in order is the order of arrival. */
  readonly #all = new Set<Pending>();
  readonly #byAddress = new Map<string, Set<Pending>>();

  constructor(limits: PendingLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#all.size;
  }

  /** Adds one, and cuts the oldest where that is one too many. Returns how many were cut: 0 or 1. */
  add(newcomer: Pending): number {
    const { pendingMax, pendingPerAddressMax } = this.#limits;
    const own = this.#byAddress.get(newcomer.address);
    let cut = 0;
    if (own !== undefined && own.size >= pendingPerAddressMax) cut = this.#cutFirst(own);
    else if (this.#all.size >= pendingMax) cut = this.#cutFirst(this.#all);
    this.#all.add(newcomer);
    const group = this.#byAddress.get(newcomer.address);
    if (group === undefined) this.#byAddress.set(newcomer.address, new Set([newcomer]));
    else group.add(newcomer);
    return cut;
  }

  /** Takes one out, if it is there. */
  remove(pending: Pending): void {
    if (!this.#all.delete(pending)) return;
    const group = this.#byAddress.get(pending.address);
    group?.delete(pending);
    if (group?.size === 0) this.#byAddress.delete(pending.address);
  }

  /** Cuts the oldest of all. Returns whether there was one. */
  cutOldest(): boolean {
    return this.#cutFirst(this.#all) > 0;
  }

  /** Cuts those that have been pending for too long; returns how many. */
  cutOverdue(nowMs: number): number {
    let cut = 0;
    for (const pending of this.#all) {
      if (nowMs - pending.sinceMs < this.#limits.pendingMs) break;
      this.remove(pending);
      pending.close();
      cut += 1;
    }
    return cut;
  }

  countOf(address: string): number {
    return this.#byAddress.get(address)?.size ?? 0;
  }

  /** Any of them. */
  any(): Pending | undefined {
    return first(this.#all);
  }

  /** Takes all of an address out without cutting them. */
  forget(address: string): void {
    for (const pending of this.#byAddress.get(address) ?? []) this.#all.delete(pending);
    this.#byAddress.delete(address);
  }

  #cutFirst(group: ReadonlySet<Pending>): number {
    const oldest = first(group);
    if (oldest === undefined) return 0;
    this.remove(oldest);
    oldest.close();
    return 1;
  }
}

function first(group: ReadonlySet<Pending>): Pending | undefined {
  for (const pending of group) return pending;
  return undefined;
}
