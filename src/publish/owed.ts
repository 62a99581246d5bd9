/** Least time between two of the things below for one stream and client. */
export const PAUSE_MS = 100;

/**
 * What a client is owed: an image, or what brings it back. Asking twice for what waits is asking once, so that a client
 * cannot make the server send more than it takes: holds one entry per subscription, and one time per stream for `PAUSE_MS`.
 */
export class Owed<
  Subscription extends { readonly stream: number; readonly instrument: { readonly id: number } },
> {
  readonly #due = new Set<Subscription>();
  /** When something was sent for each stream last. Outlives the subscription, which may come again at once. */
  readonly #sentMs = new Map<string, number>();

  get isEmpty(): boolean {
    return this.#due.size === 0;
  }

  has(subscription: Subscription): boolean {
    return this.#due.has(subscription);
  }

  add(subscription: Subscription): void {
    this.#due.add(subscription);
  }

  delete(subscription: Subscription): void {
    this.#due.delete(subscription);
  }

  clear(): void {
    this.#due.clear();
  }

  /** Hands out what is due while `mayTake` says that the client has room, in the order it was asked for. */
  flush(nowMs: number, mayTake: () => boolean, send: (subscription: Subscription) => void): void {
    for (const [name, sentMs] of this.#sentMs) if (nowMs - sentMs >= PAUSE_MS) this.#sentMs.delete(name);
    for (const subscription of this.#due) {
      if (!mayTake()) return;
      const name = `${subscription.instrument.id}/${subscription.stream}`;
      if (this.#sentMs.has(name)) continue;
      this.#sentMs.set(name, nowMs);
      this.#due.delete(subscription);
      send(subscription);
    }
  }
}
