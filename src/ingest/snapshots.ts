import type { Ask } from '../engine.js';
import { DepthwireError } from '../errors.js';
import type { LiveSink } from './live-sink.js';
import { addressOf, type Parts } from './template.js';
import type { VenueNet } from './venue-net.js';
import type { SnapshotFacts } from './venues/facts.js';

export interface SnapshotOptions {
  readonly facts: SnapshotFacts;
  /** Levels a side that are wanted. */
  readonly depth: number;
  readonly net: VenueNet;
  readonly sink: LiveSink;
  /** Whether the updates of a book come in, so that a snapshot can be joined to them. */
  readonly isHeard: (instrument: number) => boolean;
  readonly warn: (fault: DepthwireError) => void;
}

/** What is known of one book's wish. */
interface Wish {
  readonly parts: Parts;
  /** Of the last ask; an answer to an earlier one is void. */
  ticket: number;
  reason: number;
  state: 'idle' | 'wanted' | 'queued' | 'asked';
}

/** What costs the least for at least so many levels, or as many as there are. */
export function levelsFor({ weights }: SnapshotFacts, depth: number): { levelsMax: number; weight: number } {
  const found = weights.find(({ levelsMax }) => levelsMax >= depth) ?? weights.at(-1);
  return found ?? { levelsMax: depth, weight: 1 };
}

/**
 * Fetches snapshots of books: one at a time of each, in the order of asking, within the venue's budget. A book whose
 * updates do not come in waits until they do, for its snapshot could not be joined to them.
 */
export class Snapshots {
  readonly #options: SnapshotOptions;
  readonly #levels: { readonly levelsMax: number; readonly weight: number };
  readonly #wishes = new Map<number, Wish>();

  constructor(options: SnapshotOptions) {
    this.#options = options;
    this.#levels = levelsFor(options.facts, options.depth);
  }

  add(instrument: number, parts: Parts): void {
    this.#wishes.set(instrument, { parts, ticket: 0, reason: 0, state: 'idle' });
  }

  remove(instrument: number): void {
    this.#wishes.delete(instrument);
  }

  /** Asks for nothing more, and takes no answer. */
  stop(): void {
    this.#wishes.clear();
  }

  ask({ instrument, ticket, reason }: Ask): void {
    const wish = this.#wishes.get(instrument);
    if (wish === undefined) return;
    wish.ticket = ticket;
    wish.reason = reason;
    if (wish.state === 'idle') wish.state = 'wanted';
    this.heard(instrument);
  }

  /** Whether a book waits for its snapshot. */
  isAwaited(instrument: number): boolean {
    return (this.#wishes.get(instrument)?.state ?? 'idle') !== 'idle';
  }

  /** A book's updates may come in by now. */
  heard(instrument: number): void {
    const wish = this.#wishes.get(instrument);
    if (wish?.state !== 'wanted' || !this.#options.isHeard(instrument)) return;
    wish.state = 'queued';
    this.#fetch(instrument, wish).catch((error: unknown) => {
      if (this.#wishes.get(instrument) !== wish) return;
      wish.state = 'idle';
      this.#failed(instrument, error instanceof Error ? error.message : String(error));
    });
  }

  async #fetch(instrument: number, wish: Wish): Promise<void> {
    const { facts, net, sink } = this.#options;
    const { levelsMax, weight } = this.#levels;
    const url = addressOf(facts.url, { ...wish.parts, levels: String(levelsMax) });
    let ticket = wish.ticket;
    const answer = await net.budget(facts.budget).ask(weight, () => {
      if (this.#wishes.get(instrument) !== wish || !this.#isNeeded(instrument, wish)) return undefined;
      wish.state = 'asked';
      ticket = wish.ticket;
      return net.send({ method: 'GET', url });
    });
    if (this.#wishes.get(instrument) !== wish) return;
    if (answer === undefined || (answer.status === 200 && ticket !== wish.ticket)) {
      // It was mended otherwise, its updates ceased, or the venue began anew while the answer was on its way.
      const isMended = answer === undefined && this.#isMended(instrument, wish);
      wish.state = isMended ? 'idle' : 'wanted';
      this.heard(instrument);
      return;
    }
    wish.state = 'idle';
    if (answer.status === 200) sink.ingestSnapshot(instrument, ticket, answer.body);
    else this.#failed(instrument, `HTTP status ${answer.status}`);
  }

  #isNeeded(instrument: number, wish: Wish): boolean {
    return this.#options.isHeard(instrument) && !this.#isMended(instrument, wish);
  }

  /** A book that was not synced when it was asked for, and is. One that is synced and asked for wants to know more levels. */
  #isMended(instrument: number, { reason }: Wish): boolean {
    return reason !== 0 && this.#options.sink.book(instrument).state === 'synced';
  }

  #failed(instrument: number, got: string): void {
    const { sink, facts, warn } = this.#options;
    sink.snapshotFailed(instrument);
    warn(
      new DepthwireError('live.snapshot', {
        what: 'a snapshot could not be had',
        where: facts.url,
        expected: 'HTTP status 200',
        got,
        fix: 'It is asked for again, ever more rarely; see whether the venue works and knows the instrument.',
      }),
    );
  }
}
