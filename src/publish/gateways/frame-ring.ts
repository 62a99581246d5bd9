/**
 * Frames in memory that processes share: one writer, any number of readers, each of which reads all of them.
 *
 * ```text
 * control: words of 32 bits: HEAD, RESERVED, BEAT; from 64 bytes on a line of 64 bytes a reader: `Line`
 * ring: records of 16 bytes and a frame, 8-aligned, none wraps; a pad record fills the end
 * ```
 * Positions count words of 8 bytes, wrap at 2^32, and are taken modulo the ring's size, a power of two. The writer waits for
 * nobody that stands still: it says in RESERVED how far it may have written before it does, so a reader knows that what it has
 * read was whole as long as that is not more than a ring ahead of it.
 */

/** Bytes before the ring. */
export const CONTROL_BYTES = 4096;
const RECORD_BYTES = 16;
/** Size of a record that fills the end of the ring. */
const PAD = -1;
/** The writer says so many bytes ahead how far it may write, so that few frames pay for it. */
const RESERVE_BYTES = 65_536;
/** A reader that is a ring behind is waited for as long as it reads something in this time. */
const STANDING_MS_MAX = 250;
/** A reader says where it is after so many records, so that the writer does not take it for one that stands still. */
const TOLD_RECORDS = 256;
/** A longer frame is copied out of the ring before it is handed on: whoever takes it may not copy it at once. */
const HANDED_BYTES_MAX = 65_536;

const HEAD = 0;
const RESERVED = 1;
/** Grows as long as the writer's loop turns. */
const BEAT = 2;
const FIRST_LINE = 16;
const LINE_WORDS = 16;

/** What a reader says of itself, and a wish of the writer: words of its line. */
const Line = {
  /** Where it is. */
  cursor: 0,
  /** 1 = it reads; what a reader that does not misses is nobody's. */
  isReading: 1,
  /** 1 = it waits to be woken. */
  isAsleep: 2,
  /** 1 = a client of it is worth waiting for. */
  isPressed: 3,
  /** Grows as long as its loop turns. */
  beat: 4,
  /** Written before the writer is asked how far it is: see `isWhole`. */
  fence: 5,
} as const;

type Word = keyof typeof Line;

/** Memory for a ring of so many bytes, a power of two. */
export function ringMemoryBytes(ringBytes: number): number {
  return CONTROL_BYTES + ringBytes;
}

/** The memory as both ends see it. */
class Shared {
  readonly bytes: Uint8Array;
  readonly words: Int32Array;
  /** Words of 8 bytes in the ring. */
  readonly capacity: number;

  constructor(memory: Uint8Array) {
    this.bytes = memory;
    this.words = new Int32Array(memory.buffer, memory.byteOffset, memory.byteLength >> 2);
    this.capacity = (memory.byteLength - CONTROL_BYTES) >> 3;
  }

  load(word: number): number {
    return Atomics.load(this.words, word);
  }

  store(word: number, value: number): void {
    Atomics.store(this.words, word, value);
  }

  /** Byte at which a position stands. */
  at(position: number): number {
    return CONTROL_BYTES + (position & (this.capacity - 1)) * 8;
  }
}

function wordOf(reader: number, word: Word): number {
  return FIRST_LINE + reader * LINE_WORDS + Line[word];
}

/** What the writer tells of its readers. */
export interface RingWatcher {
  /** The ring is full in the middle of a turn: readers are to be shown what is in it. */
  onFull(): void;
  /** A reader is a whole ring behind and stands still: it has lost frames, and must not go on. */
  onOverrun(reader: number): void;
}

/** Never woken: waiting for it is sleeping. */
const NEVER = new Int32Array(new SharedArrayBuffer(4));

/** The end that writes. */
export class RingWriter {
  readonly #shared: Shared;
  readonly #readers: number;
  readonly #watcher: RingWatcher;
  #position: number;
  #reserved: number;

  /** Goes on where the memory says; all of it zero is the beginning. */
  constructor(memory: Uint8Array, readers: number, watcher: RingWatcher) {
    this.#shared = new Shared(memory);
    this.#readers = readers;
    this.#watcher = watcher;
    this.#position = this.#shared.load(HEAD);
    this.#reserved = this.#position;
  }

  /** Where the next frame goes. */
  get position(): number {
    return this.#position;
  }

  /** Adds a frame, a multiple of 8 bytes and less than half the ring. Readers see it after `publish`. */
  write(instrument: number, stream: number, source: Uint8Array, offset: number, size: number): void {
    const shared = this.#shared;
    const { words, capacity, bytes } = shared;
    const length = (RECORD_BYTES + size) >> 3;
    const left = capacity - (this.#position & (capacity - 1));
    if (length > left) {
      this.#reserve(left + length);
      words[shared.at(this.#position) >> 2] = PAD;
      this.#position = (this.#position + left) | 0;
    } else {
      this.#reserve(length);
    }
    const at = shared.at(this.#position);
    words[at >> 2] = size;
    words[(at >> 2) + 1] = instrument;
    words[(at >> 2) + 2] = stream;
    bytes.set(source.subarray(offset, offset + size), at + RECORD_BYTES);
    this.#position = (this.#position + length) | 0;
  }

  /** Shows what was written to readers. Returns those that are to be woken, as bits by number. */
  publish(): number {
    const shared = this.#shared;
    if (shared.load(HEAD) === this.#position) return 0;
    shared.store(HEAD, this.#position);
    let sleepers = 0;
    for (let reader = 0; reader < this.#readers; reader++)
      if (Atomics.exchange(shared.words, wordOf(reader, 'isAsleep'), 0) === 1) sleepers |= 1 << reader;
    return sleepers;
  }

  /** Bytes that a reader has not read; 0 for one that does not read. */
  lagBytes(reader: number): number {
    const shared = this.#shared;
    if (shared.load(wordOf(reader, 'isReading')) === 0) return 0;
    return ((this.#position - shared.load(wordOf(reader, 'cursor'))) >>> 0) * 8;
  }

  isPressed(reader: number): boolean {
    return this.#shared.load(wordOf(reader, 'isPressed')) === 1;
  }

  /** Says that the writer's loop turns. */
  tick(): void {
    Atomics.add(this.#shared.words, BEAT, 1);
  }

  beat(reader: number): number {
    return this.#shared.load(wordOf(reader, 'beat'));
  }

  /** A reader is gone: its line is as before it came. */
  forget(reader: number): void {
    for (const word of Object.keys(Line) as Word[]) this.#shared.store(wordOf(reader, word), 0);
  }

  /** Says that so many words of 8 bytes are about to be written, and looks who has not read what stood there. */
  #reserve(length: number): void {
    const end = (this.#position + length) | 0;
    if (((this.#reserved - end) | 0) >= 0) return;
    this.#reserved = (end + (RESERVE_BYTES >> 3)) | 0;
    this.#shared.store(RESERVED, this.#reserved);
    for (let reader = 0; reader < this.#readers; reader++) {
      const shared = this.#shared;
      if (shared.load(wordOf(reader, 'isReading')) === 0) continue;
      if (!this.#isOver(reader) || this.#waitsFor(reader)) continue;
      shared.store(wordOf(reader, 'isReading'), 0);
      this.#watcher.onOverrun(reader);
    }
  }

  /** Whether what is about to be written overwrites what a reader has not read. */
  #isOver(reader: number): boolean {
    const shared = this.#shared;
    return (this.#reserved - shared.load(wordOf(reader, 'cursor'))) >>> 0 > shared.capacity;
  }

  /** Waits for a reader to make room, in the middle of a turn; false where it stands still. */
  #waitsFor(reader: number): boolean {
    const word = wordOf(reader, 'cursor');
    let cursor = this.#shared.load(word);
    let stoodMs = 0;
    while (this.#isOver(reader)) {
      this.#watcher.onFull();
      Atomics.wait(NEVER, 0, 0, 1);
      const now = this.#shared.load(word);
      stoodMs = now === cursor ? stoodMs + 1 : 0;
      cursor = now;
      if (stoodMs > STANDING_MS_MAX) return false;
    }
    return true;
  }
}

/** Takes one frame, as `Distribution.onFrameBytes`. */
export type TakeFrame = (
  instrument: number,
  stream: number,
  source: Uint8Array,
  offset: number,
  size: number,
) => void;

/** An end that reads. */
export class RingReader {
  readonly #shared: Shared;
  readonly #number: number;
  readonly #take: TakeFrame;
  #scratch = new Uint8Array(0);
  #cursor: number;

  /** Begins with what is published from now on. */
  constructor(memory: Uint8Array, number: number, take: TakeFrame) {
    this.#shared = new Shared(memory);
    this.#number = number;
    this.#take = take;
    this.#cursor = this.#shared.load(HEAD);
    this.#tell('cursor', this.#cursor);
    this.#tell('isReading', 1);
  }

  /** What grows as long as the writer's loop turns. */
  get writerBeat(): number {
    return this.#shared.load(BEAT);
  }

  /** How far there is something to read. */
  get head(): number {
    return this.#shared.load(HEAD);
  }

  /** Hands on every frame before a position. False where frames were lost, after which it must not go on. */
  readTo(position: number): boolean {
    const shared = this.#shared;
    const { words, bytes, capacity } = shared;
    let told = 0;
    while (((position - this.#cursor) | 0) > 0) {
      const at = shared.at(this.#cursor);
      const size = words[at >> 2] ?? 0;
      const instrument = (words[(at >> 2) + 1] ?? 0) >>> 0;
      const stream = words[(at >> 2) + 2] ?? 0;
      if (!this.#isWhole()) return false;
      if (size === PAD) {
        this.#cursor = (this.#cursor + capacity - (this.#cursor & (capacity - 1))) | 0;
        continue;
      }
      if (size > HANDED_BYTES_MAX) {
        const frame = this.#copied(at + RECORD_BYTES, size);
        if (!this.#isWhole()) return false;
        this.#take(instrument, stream, frame, 0, size);
      } else {
        this.#take(instrument, stream, bytes, at + RECORD_BYTES, size);
        // What was copied is sent in a later step, which is not reached where it may be torn.
        if (!this.#isWhole()) return false;
      }
      this.#cursor = (this.#cursor + ((RECORD_BYTES + size) >> 3)) | 0;
      if (++told % TOLD_RECORDS === 0) this.#tell('cursor', this.#cursor);
    }
    this.#tell('cursor', this.#cursor);
    return true;
  }

  /** Asks to be woken. False where there is something to read already. */
  sleep(): boolean {
    this.#tell('isAsleep', 1);
    if (this.head === this.#cursor) return true;
    this.#tell('isAsleep', 0);
    return false;
  }

  /** Says that it works. */
  beat(): void {
    Atomics.add(this.#shared.words, wordOf(this.#number, 'beat'), 1);
  }

  /** Says whether a client of it is worth waiting for. */
  press(isPressed: boolean): void {
    this.#tell('isPressed', isPressed ? 1 : 0);
  }

  /** Whether the writer has not come round to the cursor. */
  #isWhole(): boolean {
    // On machines that reorder loads, what was read before stays before the load by this store alone.
    this.#tell('fence', 0);
    return (this.#shared.load(RESERVED) - this.#cursor) >>> 0 <= this.#shared.capacity;
  }

  #copied(at: number, size: number): Uint8Array {
    if (this.#scratch.byteLength < size) this.#scratch = new Uint8Array(size);
    this.#scratch.set(this.#shared.bytes.subarray(at, at + size));
    return this.#scratch;
  }

  #tell(word: Word, value: number): void {
    this.#shared.store(wordOf(this.#number, word), value);
  }
}
