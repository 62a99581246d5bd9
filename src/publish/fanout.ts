import { Batches } from './batches.js';
import { type Member, type Receiver, type Topic, Topics } from './topics.js';

/**
 * Up to so many members each is sent a turn's only message at once: a call a member costs less than a publication, and the
 * bytes leave before the turn ends. With more, or with several topics, the transport's own batches cost less.
 */
const DIRECT_MEMBERS_MAX = 4;

/** What fan-out needs of the transport. */
export interface Publisher {
  /** One message to all that have subscribed to a name. Copied before the call returns. */
  publish(name: string, message: Uint8Array): void;
}

/**
 * Frames in, one message a topic and turn out. A frame is copied once into the turn's memory and once into the message of
 * its topic, whoever takes it.
 *
 * Members come and go between messages only: `join` and `leave` first send what waits, so a stream stands for its members
 * where the engine says that it stands.
 */
export class Fanout {
  readonly #topics = new Topics();
  readonly #batches: Batches;
  readonly #publisher: Publisher;
  /** Messages and bytes handed to the transport, once a topic however many take them. */
  messages = 0;
  bytes = 0;

  constructor(publisher: Publisher) {
    this.#publisher = publisher;
    this.#batches = new Batches((topic, message, bytes, isOnlyTopic) =>
      this.#send(topic, message, bytes, isOnlyTopic),
    );
  }

  /** Takes one frame of the engine; false where nobody takes its stream. The bytes may be reused after the call. */
  add(instrument: number, stream: number, source: Uint8Array, offset: number, size: number): boolean {
    const topic = this.#topics.find(instrument, stream);
    if (topic === undefined) return false;
    this.#batches.add(topic, source, offset, size);
    return true;
  }

  /** Whether frames wait for `flush`. */
  get isWaiting(): boolean {
    return !this.#batches.isEmpty;
  }

  /** Sends what waits. */
  flush(): void {
    this.#batches.flush();
  }

  join(instrument: number, stream: number, receiver: Receiver): Member {
    this.#batches.flush();
    return this.#topics.join(instrument, stream, receiver);
  }

  leave(member: Member): void {
    this.#batches.flush();
    this.#topics.leave(member);
  }

  #send(topic: Topic, message: Uint8Array, bytes: number, isOnlyTopic: boolean): void {
    this.messages += 1;
    this.bytes += bytes;
    const { members, shards } = topic;
    const first = topic.turn++;
    if (isOnlyTopic && members.length <= DIRECT_MEMBERS_MAX) {
      for (let at = 0; at < members.length; at++)
        members[(first + at) % members.length]?.receiver.sendFrames(message);
      return;
    }
    for (let at = 0; at < shards.length; at++) {
      const shard = shards[(first + at) % shards.length];
      if (shard !== undefined && shard.members > 0) this.#publisher.publish(shard.name, message);
    }
  }
}
