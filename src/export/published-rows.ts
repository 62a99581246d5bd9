import type { Engine } from '../engine.js';
import { FrameReader } from '../wire/frame.js';
import { STATE } from '../wire/generated/constants.js';
import type { RowMaker } from './level-rows.js';
import { type Market, Markets } from './markets.js';

/** Makes rows of the frames that an engine publishes, from the time on at which they are wanted. */
export class PublishedRows {
  readonly #maker: RowMaker;
  readonly #engine: Engine;
  readonly #markets: Markets;
  readonly #streams: ReadonlySet<number>;
  readonly #frame = new FrameReader();
  #isOpen = false;
  #image = new Uint8Array(1 << 16);

  constructor(maker: RowMaker, engine: Engine, ids: readonly number[]) {
    this.#maker = maker;
    this.#engine = engine;
    this.#markets = new Markets(ids);
    this.#streams = new Set(maker.streams);
  }

  take(instrument: number, stream: number, bytes: Uint8Array): void {
    if (!this.#isOpen || !this.#streams.has(stream)) return;
    const market = this.#markets.get(instrument);
    if (market !== undefined) this.#read(market, bytes);
  }

  /** Rows begin: `ns` is the time within the recording, 0 = its beginning. What is known by then comes first. */
  begin(ns: bigint): void {
    this.#isOpen = true;
    const { imageOf, followsBook } = this.#maker;
    // Books begin with images of their own; other streams go on from where they stand.
    if (ns === 0n && followsBook) return;
    for (const [id, market] of this.#markets.all()) {
      const { state, reason } = this.#engine.book(id);
      Markets.takeWords(market, state, reason);
      if (followsBook && market.state !== STATE.synced) this.#maker.begin(market, ns);
      else if (imageOf !== undefined) this.#read(market, this.#imageOf(id, imageOf));
    }
  }

  #read(market: Market, bytes: Uint8Array): void {
    this.#frame.reset(bytes);
    while (this.#frame.next()) this.#maker.take(market, this.#frame);
  }

  /** The present of a stream; nothing where it has none. */
  #imageOf(id: number, stream: number): Uint8Array {
    let bytes = this.#engine.image(id, stream, this.#image);
    if (bytes < 0) {
      this.#image = new Uint8Array(-bytes);
      bytes = this.#engine.image(id, stream, this.#image);
    }
    return this.#image.subarray(0, Math.max(0, bytes));
  }
}
