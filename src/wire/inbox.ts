/** What a full inbox does: hold only the newest item, or drop new ones and say how many by an item of its own. */
export type InboxPolicy<Item> =
  | { readonly tag: 'latest' }
  | { readonly tag: 'queue'; readonly itemsMax: number; readonly overflow: (lost: number) => Item };

/** Taken items that still stand before the head; then they are cut off. */
const TAKEN_MAX = 1024;

/**
 * What waits for one `for await` loop. Bounded: `latest` holds one item, which newer ones replace; `queue` holds
 * `itemsMax`, drops what comes while it is full, and, once emptied, yields one overflow item with the number lost.
 */
export class Inbox<Item> implements AsyncIterableIterator<Item> {
  private readonly policy: InboxPolicy<Item>;
  private readonly onReturn: (inbox: Inbox<Item>) => void;
  private items: Item[] = [];
  private head = 0;
  private lost = 0;
  private ended = false;
  private error: unknown;
  private readonly waiting: {
    readonly resolve: (result: IteratorResult<Item, undefined>) => void;
    readonly reject: (error: unknown) => void;
  }[] = [];

  constructor(policy: InboxPolicy<Item>, onReturn: (inbox: Inbox<Item>) => void) {
    this.policy = policy;
    this.onReturn = onReturn;
  }

  push(item: Item): void {
    if (this.ended) return;
    const waiter = this.waiting.shift();
    if (waiter) {
      waiter.resolve({ done: false, value: item });
    } else if (this.policy.tag === 'latest') {
      this.items[0] = item;
    } else if (this.lost > 0 || this.items.length - this.head >= this.policy.itemsMax) {
      this.lost += 1;
    } else {
      this.items.push(item);
    }
  }

  /** No more items: the loop ends at once, or, with an error, throws it after what is queued. */
  end(error?: unknown): void {
    if (this.ended) return;
    this.ended = true;
    this.error = error;
    if (error === undefined) this.drop();
    for (const waiter of this.waiting.splice(0)) {
      if (this.error === undefined) waiter.resolve({ done: true, value: undefined });
      else waiter.reject(this.takeError());
    }
  }

  next(): Promise<IteratorResult<Item, undefined>> {
    if (this.head < this.items.length) {
      const value = this.items[this.head] as Item;
      this.head += 1;
      if (this.head === this.items.length) {
        this.items = [];
        this.head = 0;
      } else if (this.head >= TAKEN_MAX) {
        this.items = this.items.slice(this.head);
        this.head = 0;
      }
      return Promise.resolve({ done: false, value });
    }
    if (this.lost > 0 && this.policy.tag === 'queue') {
      const value = this.policy.overflow(this.lost);
      this.lost = 0;
      return Promise.resolve({ done: false, value });
    }
    if (this.error !== undefined) return Promise.reject(this.takeError());
    if (this.ended) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve, reject) => this.waiting.push({ resolve, reject }));
  }

  return(): Promise<IteratorResult<Item, undefined>> {
    this.end();
    this.drop();
    this.onReturn(this);
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** An error is thrown once; after it the loop is over. */
  private takeError(): unknown {
    const error = this.error;
    this.error = undefined;
    return error;
  }

  private drop(): void {
    this.items = [];
    this.head = 0;
    this.lost = 0;
  }
}
