import { DepthwireError } from '../errors.js';

/** Writes the current image of a stream: see `Engine.image`. */
export interface ImageSource {
  image(instrument: number, stream: number, out: Uint8Array): number;
}

const SCRATCH_BYTES_MIN = 65_536;
/** Instruments whose images are kept at once; a further one empties the cache. */
const CACHED_INSTRUMENTS_MAX = 1024;

/**
 * Images by instrument and stream, each encoded once however many clients join at that moment. An image is kept until
 * anything is published for its instrument, and no longer than until the next `clear`.
 */
export class Images {
  readonly #source: ImageSource;
  readonly #bytesMax: number;
  readonly #cache = new Map<number, Map<number, Uint8Array>>();
  #scratch = new Uint8Array(SCRATCH_BYTES_MIN);
  /** Images that were encoded rather than found in the cache. */
  encoded = 0;

  constructor(source: ImageSource, bytesMax: number) {
    this.#source = source;
    this.#bytesMax = bytesMax;
  }

  /** The frames of the image, or undefined when there is none yet. Throws `feed.image_too_big`. */
  get(instrument: number, stream: number): Uint8Array | undefined {
    const cached = this.#cache.get(instrument)?.get(stream);
    if (cached !== undefined) return cached;
    let bytes = this.#source.image(instrument, stream, this.#scratch);
    if (bytes < 0) {
      this.#grow(-bytes);
      bytes = this.#source.image(instrument, stream, this.#scratch);
    }
    if (bytes <= 0) return undefined;
    this.encoded += 1;
    const image = this.#scratch.slice(0, bytes);
    let streams = this.#cache.get(instrument);
    if (streams === undefined) {
      if (this.#cache.size === CACHED_INSTRUMENTS_MAX) this.#cache.clear();
      streams = new Map();
      this.#cache.set(instrument, streams);
    }
    streams.set(stream, image);
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
        where: 'limits.imageBytesMax',
        expected: `at most ${this.#bytesMax} bytes`,
        got: `${bytes} bytes`,
        fix: 'Subscribe to depth instead of book, or raise limits.imageBytesMax.',
      });
    }
    // A quarter more than asked, so that a book that grows slowly does not ask each time.
    this.#scratch = new Uint8Array(Math.min(this.#bytesMax, Math.ceil(bytes * 1.25)));
  }
}
