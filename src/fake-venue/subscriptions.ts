import type { SocketFacts, StreamFacts } from '../ingest/venues/facts.js';
import { type Match, Pattern, type Said } from './pattern.js';

/** One argument of a message that subscribes or unsubscribes. */
export interface Asked {
  readonly stream: StreamFacts;
  /** What the argument says, and what the message says once. */
  readonly said: Said;
}

/** What a message asks for. */
export interface Reading {
  readonly verb: 'subscribe' | 'unsubscribe';
  readonly asked: readonly Asked[];
  /** Arguments that no stream has. */
  readonly others: readonly unknown[];
}

interface Reader {
  readonly verb: Reading['verb'];
  readonly stream: StreamFacts;
  readonly pattern: Pattern;
}

/** Reads what clients ask of an address, by the templates of its facts. */
export class SubscriptionReader {
  readonly #readers: readonly Reader[];

  constructor(socket: SocketFacts) {
    this.#readers = socket.streams.flatMap((stream) =>
      stream.args.flatMap((arg) => [
        { verb: 'subscribe' as const, stream, pattern: new Pattern(stream.subscribe, arg) },
        ...(stream.unsubscribe === null
          ? []
          : [{ verb: 'unsubscribe' as const, stream, pattern: new Pattern(stream.unsubscribe, arg) }]),
      ]),
    );
  }

  /** Undefined: the message is of another kind. */
  read(message: unknown): Reading | undefined {
    const matches: { readonly reader: Reader; readonly match: Match }[] = [];
    for (const reader of this.#readers) {
      const match = reader.pattern.match(message);
      if (match !== undefined) matches.push({ reader, match });
    }
    const [first] = matches;
    if (first === undefined) return undefined;
    const of = matches.filter(({ reader }) => reader.verb === first.reader.verb);
    return {
      verb: first.reader.verb,
      asked: of.flatMap(({ reader: { stream }, match: { common, items } }) =>
        items.map((item) => ({ stream, said: { ...common, ...item } })),
      ),
      others: first.match.others.filter((other) => of.every(({ match }) => match.others.includes(other))),
    };
  }
}
