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

/** Takes one message of so many bytes for all members of a topic. They are used again after the call. */
export type Send = (topic: Topic, message: Uint8Array, bytes: number, isOnlyTopic: boolean) => void;

/**
 * The frames of one turn by topic, so that each topic's go out back to back in one message. Frames are copied in as they
 * come and chained by topic; `flush` gathers each chain into one buffer, or sends those of an only topic from where they
 * stand. Holds two buffers for good and, once warm, allocates nothing a frame and nothing a message, up to `BATCH_BYTES_MAX`.
 */
export class Batches {
  readonly #send: Send;
  readonly #arena = new Uint8Array(ARENA_BYTES);
  readonly #arenaWords = new BigInt64Array(this.#arena.buffer);
  #arenaBytes = 0;
  /** Where each frame of the turn stands, how long it is, and which one follows it in its topic. */
  readonly #offsets = new Int32Array(FRAMES_MAX);
  readonly #sizes = new Int32Array(FRAMES_MAX);
  readonly #next = new Int32Array(FRAMES_MAX);
  #frames = 0;
  /** Topics with frames, in the order of their first ones. Never shortened: an array that is loses its memory. */
  readonly #topics: (Topic | undefined)[] = [];
  #topicCount = 0;
  /** Whether all frames of the turn are multiples of 8 bytes, so that they stand back to back in the arena. */
  #isGapless = true;
  readonly #message = new Uint8Array(BATCH_BYTES_MAX);
  readonly #messageWords = new BigInt64Array(this.#message.buffer);
  readonly #messageHeads = new Heads(this.#message);
  readonly #arenaHeads = new Heads(this.#arena);
  /** The memory that frames lie in, and its words: as a rule always the same. */
  #source: Uint8Array = new Uint8Array(0);
  #sourceWords: BigInt64Array = new BigInt64Array(0);
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
      this.#send(topic, source.subarray(offset, offset + size), size, true);
      return;
    }
    if (this.#arenaBytes + size > ARENA_BYTES || this.#frames === FRAMES_MAX) this.flush();
    const at = this.#arenaBytes;
    this.#copyIn(source, offset, size, at);
    this.#arenaBytes = (at + size + 7) & ~7;
    if ((size & 7) !== 0) this.#isGapless = false;
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
        if (topic === undefined) continue;
        const bytes = this.#arenaBytes;
        if (isOnlyTopic && this.#isGapless && bytes <= BATCH_BYTES_MAX)
          this.#send(topic, this.#arenaHeads.of(bytes), bytes, true);
        else this.#sendChain(topic, isOnlyTopic);
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
      this.#isGapless = true;
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
        this.#send(topic, this.#messageHeads.of(gathered), gathered, isOnlyTopic);
        gathered = 0;
      }
      if (isAlone) {
        this.#send(topic, this.#arena.subarray(offset, offset + size), size, isOnlyTopic);
      } else {
        copyWords(this.#arenaWords, offset, this.#messageWords, gathered, size);
        gathered += size;
      }
    }
    if (gathered > 0) this.#send(topic, this.#messageHeads.of(gathered), gathered, isOnlyTopic);
  }

  #copyIn(source: Uint8Array, offset: number, size: number, at: number): void {
    if (size > LOOP_BYTES_MAX || ((source.byteOffset + offset) & 7) !== 0 || (size & 7) !== 0) {
      this.#arena.set(source.subarray(offset, offset + size), at);
      return;
    }
    if (source !== this.#source) {
      const start = source.byteOffset & ~7;
      const words = (source.byteOffset - start + source.byteLength) >> 3;
      this.#source = source;
      this.#sourceWords = new BigInt64Array(source.buffer, start, words);
    }
    copyWords(this.#sourceWords, offset + (source.byteOffset & 7), this.#arenaWords, at, size);
  }
}

/** Views of the first bytes of a buffer by their words of 8: made once each. */
class Heads {
  readonly #buffer: Uint8Array;
  readonly #byWords: (Uint8Array | undefined)[] = new Array<undefined>((BATCH_BYTES_MAX >> 3) + 1).fill(
    undefined,
  );

  constructor(buffer: Uint8Array) {
    this.#buffer = buffer;
  }

  /** The first `bytes`, a multiple of 8 up to `BATCH_BYTES_MAX`. */
  of(bytes: number): Uint8Array {
    let view = this.#byWords[bytes >> 3];
    if (view === undefined) {
      view = this.#buffer.subarray(0, bytes);
      this.#byWords[bytes >> 3] = view;
    }
    return view;
  }
}

/**
 * Copies `size` bytes, a multiple of 8 between multiples of 8. Compiled, no BigInt comes to be: what is read is written as it
 * is, at 42 ns for 200 bytes where words of 4 take 71, and a view with `set` 57 and its garbage.
 */
function copyWords(
  from: BigInt64Array,
  fromByte: number,
  to: BigInt64Array,
  toByte: number,
  size: number,
): void {
  const read = fromByte >> 3;
  const write = toByte >> 3;
  const words = size >> 3;
  for (let word = 0; word < words; word++) to[write + word] = from[read + word] ?? 0n;
}
