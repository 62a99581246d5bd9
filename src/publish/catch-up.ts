import { type BringBy, type Brought, STREAM, type StreamPlace } from '../engine.js';
import { DepthwireError } from '../errors.js';
import { followsBook } from './channels.js';
import { type ServedEngine, type Standing, standingOf } from './feed-engine.js';
import type { Images } from './images.js';

/**
 * What brings a reader to the present. `nothing`: what it has holds, at its place. `image`: what it has is void; the image
 * follows, at once or as the next frame of the stream. The bytes are used again with the next call.
 */
export interface CatchUp {
  readonly by: Brought;
  readonly frames: Uint8Array | undefined;
  /** Where the stream stands, to which they bring the reader, and its book and instrument at that moment. */
  readonly standing: Standing;
  /** An image is still to come, by the stream itself. */
  readonly isImageless: boolean;
}

const SCRATCH_BYTES_MIN = 65_536;

/** Brings readers to the present of a stream: by what they missed, or by an image, which many may share. */
export class CatchUps {
  readonly #engine: ServedEngine;
  readonly #images: Images;
  readonly #bytesMax: number;
  #scratch = new Uint8Array(SCRATCH_BYTES_MIN);

  constructor(engine: ServedEngine, images: Images, bytesMax: number) {
    this.#engine = engine;
    this.#images = images;
    this.#bytesMax = bytesMax;
  }

  /** The image, if the stream has one that may be trusted; else the status, which says what to wait for. */
  image(instrument: number, stream: number): CatchUp {
    const book = this.#engine.book(instrument);
    const standing = standingOf(this.#engine, instrument, stream);
    const isTrusted = !followsBook(stream) || book.state === 'synced' || stream === STREAM.status;
    const image = isTrusted ? this.#images.get(instrument, stream, book) : undefined;
    if (image !== undefined) return { by: 'image', frames: image, standing, isImageless: false };
    const frames = followsBook(stream) ? this.#images.get(instrument, STREAM.status, book) : undefined;
    return { by: 'image', frames, standing, isImageless: true };
  }

  /** What brings a reader from a place to the present, as it wants to be brought. */
  from(instrument: number, stream: number, { epoch, seq }: StreamPlace, by: BringBy): CatchUp {
    if (this.#engine.place(instrument, stream).epoch !== epoch) return this.image(instrument, stream);
    let bytes = this.#engine.bring(instrument, stream, epoch, seq, by, this.#scratch);
    // An image is made once for all who need it.
    if (this.#engine.brought === 'image') return this.image(instrument, stream);
    if (bytes < 0) {
      if (-bytes > this.#bytesMax) return this.image(instrument, stream);
      this.#scratch = new Uint8Array(Math.min(this.#bytesMax, Math.ceil(-bytes * 1.25)));
      bytes = this.#engine.bring(instrument, stream, epoch, seq, by, this.#scratch);
    }
    const { brought } = this.#engine;
    if (bytes < 0) throw unexpected(brought, bytes);
    const frames = bytes > 0 ? this.#scratch.subarray(0, bytes) : undefined;
    return {
      by: brought,
      frames,
      standing: standingOf(this.#engine, instrument, stream),
      isImageless: false,
    };
  }
}

function unexpected(brought: string, bytes: number): DepthwireError {
  return new DepthwireError('feed.catch_up', {
    what: 'the engine does not say what brings a reader to the present',
    where: 'catch-up',
    expected: 'what fits into the bytes that it asked for',
    got: `${brought}, ${bytes} bytes`,
    fix: 'The addon and this package are of different builds: run npm run build.',
  });
}
