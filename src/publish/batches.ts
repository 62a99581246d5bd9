import type { Topic } from './topics.js';

/** Bytes of the frames of one turn before they are sent in its middle. */
const ARENA_BYTES = 1 << 20;
const FRAMES_MAX = 8192;
/**
 * Longest message of several frames: with its header it fits into the 16 KiB that uWebSockets writes at one go. A longer
 * frame is a message of its own.
 */
export const BATCH_BYTES_MAX = 16_000;
/** Up to so many bytes a loop over words costs less than a view and a copy. */
const LOOP_BYTES_MAX = 512;

/** Takes one message for all members of a topic. Its bytes are used again after the call. */
export type Send = (topic: Topic, message: Uint8Array, isOnlyTopic: boolean) => void;

/**
 * The frames of one turn by topic, so that each topic's go out back to back in one message. Frames are copied in as they
 * come and chained by topic; `flush` gathers each chain into one buffer. Holds two buffers for good and, once warm,
 * allocates nothing a frame and nothing a message, up to `BATCH_BYTES_MAX`.
 */
export class Batches {
  readonly #send: Send;
  readonly #arena = new Uint8Array(ARENA_BYTES);
  readonly #arenaWords = new Int32Array(this.#arena.buffer);
  #arenaBytes = 0;
  /** Where each frame of the turn stands, how long it is, and which one follows it in its topic. */
  readonly #offsets = new Int32Array(FRAMES_MAX);
  readonly #sizes = new Int32Array(FRAMES_MAX);
  readonly #next = new Int32Array(FRAMES_MAX);
  #frames = 0;
  /** Topics with frames, in the order of their first ones. Never shortened: an array that is loses its memory. */
  readonly #topics: (Topic | undefined)[] = [];
  #topicCount = 0;
  readonly #message = new Uint8Array(BATCH_BYTES_MAX);
  readonly #messageWords = new Int32Array(this.#message.buffer);
  /** Views of the message by their words of 8 bytes: made once each. */
  readonly #views: (Uint8Array | undefined)[] = new Array<undefined>((BATCH_BYTES_MAX >> 3) + 1).fill(
    undefined,
  );
  /** The memory that frames lie in, and its words: as a rule always the same. */
  #source: Uint8Array = new Uint8Array(0);
  #sourceWords: Int32Array = new Int32Array(0);
  #isFlushing = false;

  constructor(send: Send) {
    this.#send = send;
  }

  get isEmpty(): boolean {
    return this.#topicCount === 0;
  }

  /** Adds a frame, a multiple of 8 bytes. What waits is sent first where it leaves no room. */
  add(topic: Topic, source: Uint8Array, offset: number, size: number): void {
    if (size > ARENA_BYTES) {
      this.flush();
      this.#send(topic, source.subarray(offset, offset + size), true);
      return;
    }
    if (this.#arenaBytes + size > ARENA_BYTES || this.#frames === FRAMES_MAX) this.flush();
    const at = this.#arenaBytes;
    this.#copyIn(source, offset, size, at);
    this.#arenaBytes = (at + size + 7) & ~7;
    const frame = this.#frames++;
    this.#offsets[frame] = at;
    this.#sizes[frame] = size;
    this.#next[frame] = -1;
    if (topic.firstFrame === -1) {
      topic.firstFrame = frame;
      this.#topics[this.#topicCount++] = topic;
    } else {
      this.#next[topic.lastFrame] = frame;
    }
    topic.lastFrame = frame;
  }

  /** Sends everything, topic by topic in the order of their first frames. */
  flush(): void {
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    try {
      const isOnlyTopic = this.#topicCount === 1;
      for (let at = 0; at < this.#topicCount; at++) {
        const topic = this.#topics[at];
        if (topic !== undefined) this.#sendChain(topic, isOnlyTopic);
      }
    } finally {
      for (let at = 0; at < this.#topicCount; at++) {
        const topic = this.#topics[at];
        if (topic !== undefined) topic.firstFrame = -1;
        this.#topics[at] = undefined;
      }
      this.#topicCount = 0;
      this.#frames = 0;
      this.#arenaBytes = 0;
      this.#isFlushing = false;
    }
  }

  #sendChain(topic: Topic, isOnlyTopic: boolean): void {
    let gathered = 0;
    for (let frame = topic.firstFrame; frame !== -1; frame = this.#next[frame] ?? -1) {
      const offset = this.#offsets[frame] ?? 0;
      const size = this.#sizes[frame] ?? 0;
      // Frames of the engine are multiples of 8; any other could not stand before another one.
      const isAlone = size > BATCH_BYTES_MAX || (size & 7) !== 0;
      if (gathered > 0 && (isAlone || gathered + size > BATCH_BYTES_MAX)) {
        this.#send(topic, this.#view(gathered), isOnlyTopic);
        gathered = 0;
      }
      if (isAlone) {
        this.#send(topic, this.#arena.subarray(offset, offset + size), isOnlyTopic);
      } else {
        copyWords(this.#arenaWords, offset, this.#messageWords, gathered, size);
        gathered += size;
      }
    }
    if (gathered > 0) this.#send(topic, this.#view(gathered), isOnlyTopic);
  }

  #copyIn(source: Uint8Array, offset: number, size: number, at: number): void {
    if (size > LOOP_BYTES_MAX || ((source.byteOffset + offset) & 3) !== 0 || (size & 3) !== 0) {
      this.#arena.set(source.subarray(offset, offset + size), at);
      return;
    }
    if (source !== this.#source) {
      const start = source.byteOffset & ~3;
      const words = (source.byteOffset - start + source.byteLength) >> 2;
      this.#source = source;
      this.#sourceWords = new Int32Array(source.buffer, start, words);
    }
    copyWords(this.#sourceWords, offset + (source.byteOffset & 3), this.#arenaWords, at, size);
  }

  #view(bytes: number): Uint8Array {
    const words = bytes >> 3;
    let view = this.#views[words];
    if (view === undefined) {
      view = this.#message.subarray(0, bytes);
      this.#views[words] = view;
    }
    return view;
  }
}

/** Copies `size` bytes, a multiple of 4 between multiples of 4. */
function copyWords(from: Int32Array, fromByte: number, to: Int32Array, toByte: number, size: number): void {
  const read = fromByte >> 2;
  const write = toByte >> 2;
  const words = size >> 2;
  for (let word = 0; word < words; word++) to[write + word] = from[read + word] ?? 0;
}
