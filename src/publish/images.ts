import type { BookInfo } from '../engine.js';
import { DepthwireError } from '../errors.js';

/** Writes the current image of a stream: see `Engine.image`. */
export interface ImageSource {
  image(instrument: number, stream: number, out: Uint8Array): number;
}

/** What an image is of: an image of another version is never served. */
export type BookVersion = Pick<BookInfo, 'epoch' | 'seq' | 'state'>;

interface Cached extends BookVersion {
  readonly streams: Map<number, Uint8Array>;
}

const SCRATCH_BYTES_MIN = 65_536;
/** Instruments whose images are kept at once; a further one empties the cache. */
const CACHED_INSTRUMENTS_MAX = 1024;

/**
 * Images by instrument and stream, each encoded once however many clients join at that moment. An image is kept until
 * anything is published for its instrument, its book is at another version, or a depth view of it is closed; and no
 * longer than until the next `clear`.
 */
export class Images {
  readonly #source: ImageSource;
  readonly #bytesMax: number;
  readonly #cache = new Map<number, Cached>();
  #scratch = new Uint8Array(SCRATCH_BYTES_MIN);
  /** Images that were encoded rather than found in the cache. */
  encoded = 0;

  constructor(source: ImageSource, bytesMax: number) {
    this.#source = source;
    this.#bytesMax = bytesMax;
  }

  /** The frames of the image, or undefined when there is none yet. Throws `feed.image_too_big`. */
  get(instrument: number, stream: number, book: BookVersion): Uint8Array | undefined {
    let cached = this.#cache.get(instrument);
    if (cached?.epoch !== book.epoch || cached.seq !== book.seq || cached.state !== book.state)
      cached = undefined;
    const found = cached?.streams.get(stream);
    if (found !== undefined) return found;
    let bytes = this.#source.image(instrument, stream, this.#scratch);
    if (bytes < 0) {
      this.#grow(-bytes);
      bytes = this.#source.image(instrument, stream, this.#scratch);
    }
    if (bytes <= 0) return undefined;
    this.encoded += 1;
    const image = this.#scratch.slice(0, bytes);
    if (cached === undefined) {
      if (this.#cache.size >= CACHED_INSTRUMENTS_MAX) this.#cache.clear();
      const { epoch, seq, state } = book;
      cached = { epoch, seq, state, streams: new Map() };
      this.#cache.set(instrument, cached);
    }
    cached.streams.set(stream, image);
    return image;
  }

  /** Something was published for the instrument: what is kept of it is no longer current. */
  forget(instrument: number): void {
    if (this.#cache.size !== 0) this.#cache.delete(instrument);
  }

  clear(): void {
    this.#cache.clear();
  }

  #grow(bytes: number): void {
    if (bytes > this.#bytesMax) {
      throw new DepthwireError('feed.image_too_big', {
        what: 'the image of a stream is larger than the server may hold',
        where: 'image',
        expected: `at most ${this.#bytesMax} bytes`,
        got: `${bytes} bytes`,
        fix: 'Subscribe to depth instead of book.',
      });
    }
    // A quarter more than asked, so that a book that grows slowly does not ask each time.
    this.#scratch = new Uint8Array(Math.min(this.#bytesMax, Math.ceil(bytes * 1.25)));
  }
}
