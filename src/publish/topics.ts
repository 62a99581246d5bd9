/** What a topic needs of a client's connection. */
export interface Receiver {
  /** Copied before the call returns. */
  sendFrames(frames: Uint8Array): void;
  subscribe(name: string): void;
  unsubscribe(name: string): void;
}

/** A client's place in a topic. */
export interface Member {
  readonly topic: Topic;
  readonly receiver: Receiver;
  readonly shard: Shard;
  /** Index in `topic.members`. */
  at: number;
}

/** A part of a topic's members, which the transport serves at one go. */
export interface Shard {
  /** As the transport knows it. */
  readonly name: string;
  members: number;
}

/** Members of a shard before another one is opened, and the most shards of a topic. */
const SHARD_MEMBERS = 32;
const SHARDS_MAX = 16;

/** What is published for one stream of one instrument, and who takes it. */
export class Topic {
  readonly instrument: number;
  readonly stream: number;
  readonly members: Member[] = [];
  readonly shards: Shard[] = [];
  /** Frames that wait for the end of the turn: the first and the last of their chain in `Batches`; -1 = none. */
  firstFrame = -1;
  lastFrame = -1;
  /** Who is served first. Moves on with each message, so that no client is always last. */
  turn = 0;

  constructor(instrument: number, stream: number) {
    this.instrument = instrument;
    this.stream = stream;
  }

  add(receiver: Receiver): Member {
    const shard = this.#roomiest();
    shard.members += 1;
    const member = { topic: this, receiver, shard, at: this.members.length };
    this.members.push(member);
    receiver.subscribe(shard.name);
    return member;
  }

  remove(member: Member): void {
    const { receiver, shard } = member;
    receiver.unsubscribe(shard.name);
    shard.members -= 1;
    const last = this.members.pop();
    if (last === undefined || last === member) return;
    this.members[member.at] = last;
    last.at = member.at;
  }

  #roomiest(): Shard {
    let roomiest = this.shards[0];
    for (const shard of this.shards)
      if (roomiest === undefined || shard.members < roomiest.members) roomiest = shard;
    const isFull = roomiest === undefined || roomiest.members >= SHARD_MEMBERS;
    if (roomiest !== undefined && !(isFull && this.shards.length < SHARDS_MAX)) return roomiest;
    const opened = { name: `${this.instrument}/${this.stream}/${this.shards.length}`, members: 0 };
    this.shards.push(opened);
    return opened;
  }
}

/** The topics that have members. Bounded by the subscriptions of all clients. */
export class Topics {
  /** By the instrument's number as a signed word, which a map finds without a number on the heap. */
  readonly #streams = new Map<number, Map<number, Topic>>();

  /** The topic of a stream, if anybody takes it. */
  find(instrument: number, stream: number): Topic | undefined {
    return this.#streams.get(instrument | 0)?.get(stream);
  }

  join(instrument: number, stream: number, receiver: Receiver): Member {
    let streams = this.#streams.get(instrument | 0);
    if (streams === undefined) {
      streams = new Map();
      this.#streams.set(instrument | 0, streams);
    }
    let topic = streams.get(stream);
    if (topic === undefined) {
      topic = new Topic(instrument, stream);
      streams.set(stream, topic);
    }
    return topic.add(receiver);
  }

  /** Forgets a topic that nobody takes any more. */
  leave(member: Member): void {
    const { topic } = member;
    topic.remove(member);
    if (topic.members.length > 0) return;
    const streams = this.#streams.get(topic.instrument | 0);
    streams?.delete(topic.stream);
    if (streams?.size === 0) this.#streams.delete(topic.instrument | 0);
  }
}
