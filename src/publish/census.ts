/** Which limit there is no room under, and how many clients it counts. */
export interface Full {
  readonly of: 'clients' | 'subject';
  readonly open: number;
}

/** The clients of one gateway, counted together with those of all others. */
export interface Census {
  /**
   * Keeps a place for a client that comes in this turn, or says what is full. A place that nobody entered is free again
   * with the next call. `subjectMax`: clients that its subject may have, `Infinity` = any number.
   */
  reserve(subject: string, subjectMax: number): Full | undefined;
  /** Whom the place was kept for is here. */
  enter(): void;
  leave(subject: string): void;
}

/** The clients of all gateways, in all and by subject: of one that ends all go at once. */
export class Clients {
  readonly #max: number;
  readonly #subjects = new Map<string, number>();
  #open = 0;

  constructor(max: number) {
    this.#max = max;
  }

  get open(): number {
    return this.#open;
  }

  /** Counts for a gateway from now on. */
  join(): GatewayCensus {
    return new GatewayCensus(this);
  }

  /** What is full for one more client. */
  full(subject: string, subjectMax: number): Full | undefined {
    if (this.#open >= this.#max) return { of: 'clients', open: this.#open };
    const open = this.#subjects.get(subject) ?? 0;
    return open >= subjectMax ? { of: 'subject', open } : undefined;
  }

  add(subject: string, clients: number): void {
    this.#open += clients;
    const open = (this.#subjects.get(subject) ?? 0) + clients;
    if (open > 0) this.#subjects.set(subject, open);
    else this.#subjects.delete(subject);
  }
}

export class GatewayCensus implements Census {
  readonly #clients: Clients;
  readonly #subjects = new Map<string, number>();
  #reserved: string | undefined;

  constructor(clients: Clients) {
    this.#clients = clients;
  }

  reserve(subject: string, subjectMax: number): Full | undefined {
    this.#release();
    const full = this.#clients.full(subject, subjectMax);
    if (full !== undefined) return full;
    this.#clients.add(subject, 1);
    this.#reserved = subject;
    return undefined;
  }

  enter(): void {
    const subject = this.#reserved;
    if (subject === undefined) return;
    this.#reserved = undefined;
    this.#subjects.set(subject, (this.#subjects.get(subject) ?? 0) + 1);
  }

  leave(subject: string): void {
    const open = this.#subjects.get(subject) ?? 0;
    if (open === 0) return;
    if (open > 1) this.#subjects.set(subject, open - 1);
    else this.#subjects.delete(subject);
    this.#clients.add(subject, -1);
  }

  /** The gateway has ended, and its clients with it. */
  end(): void {
    this.#release();
    for (const [subject, open] of this.#subjects) this.#clients.add(subject, -open);
    this.#subjects.clear();
  }

  #release(): void {
    if (this.#reserved !== undefined) this.#clients.add(this.#reserved, -1);
    this.#reserved = undefined;
  }
}
