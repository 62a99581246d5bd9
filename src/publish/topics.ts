/** What is published for one stream of one instrument. */
export interface Topic {
  readonly instrument: number;
  readonly stream: number;
  /** As the transport knows it. */
  readonly name: string;
  /** Clients that take it; a topic without any costs a frame one look-up. */
  subscribers: number;
}

/** The topics that have subscribers. Bounded by the subscriptions of all clients. */
export class Topics {
  readonly #streams = new Map<number, Map<number, Topic>>();

  /** The topic of a stream, if anybody takes it. */
  find(instrument: number, stream: number): Topic | undefined {
    return this.#streams.get(instrument)?.get(stream);
  }

  /** Counts one more subscriber. */
  join(instrument: number, stream: number): Topic {
    let streams = this.#streams.get(instrument);
    if (streams === undefined) {
      streams = new Map();
      this.#streams.set(instrument, streams);
    }
    let topic = streams.get(stream);
    if (topic === undefined) {
      topic = { instrument, stream, name: `${instrument}/${stream}`, subscribers: 0 };
      streams.set(stream, topic);
    }
    topic.subscribers += 1;
    return topic;
  }

  /** Counts one less, and forgets a topic that nobody takes any more. */
  leave(topic: Topic): void {
    topic.subscribers -= 1;
    if (topic.subscribers > 0) return;
    const streams = this.#streams.get(topic.instrument);
    streams?.delete(topic.stream);
    if (streams?.size === 0) this.#streams.delete(topic.instrument);
  }
}
