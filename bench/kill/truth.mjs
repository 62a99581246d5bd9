// @ts-check
/** What every stream of a recorded market is at each place, by an engine that nobody kills. */
import { openEngine } from '../../dist/engine.js';
import { EVERYTHING_NS } from '../../dist/ingest/source.js';
import { FrameReader, Kind, LocalBook, LocalOrders, Stream, TradeRows } from '../../dist/wire/index.js';
import { digestOf, textOf } from './digests.mjs';

/** @typedef {import('./judge.mjs').TradeFrame} TradeFrame */

/** Depths of the views whose truth is kept. */
const DEPTHS = [5, 20];

/** Every stream of a market at each of its places. */
export class Truth {
  /** Epochs of each instrument, as they came: what there is of trades before the first book has one of its own. @type {Map<string, bigint[]>} */
  #epochs = new Map();
  /** @type {Map<string, number>} checksums by `instrument/epoch/stream/seq` */
  #crcs = new Map();
  /** @type {Map<string, string>} the best levels by `instrument/epoch/depth/venue's sequence` */
  #tops = new Map();
  /** @type {Map<string, number>} checksums of all orders by `instrument/epoch/venue's sequence` */
  #orders = new Map();
  /** @type {Map<string, TradeFrame>} by `instrument/epoch/seq` */
  #trades = new Map();
  /** What is kept of each stream. @type {Map<string, LocalBook | LocalOrders>} */
  #kept = new Map();

  /**
   * @param {string} venue
   * @param {readonly string[]} instruments
   * @param {Uint8Array} recording
   * @param {boolean} hasOrders it tells of orders
   */
  constructor(venue, instruments, recording, hasOrders) {
    const reader = new FrameReader();
    /** @type {Map<number, string>} */
    const names = new Map();
    const engine = openEngine(
      { startId: 1, silenceMs: 0, replay: true, outputBytes: 4 << 20 },
      {
        onFrame: (id, _stream, bytes) => {
          const frame = reader.reset(bytes);
          while (frame.next()) this.#take(names.get(id) ?? '', frame);
        },
        onAsk() {},
        onSay() {},
        onFault(error) {
          throw error;
        },
      },
    );
    const ids = instruments.map((name) => {
      // What the server does: the scale of one that it knows by itself is not made anew.
      const known = engine.instruments().find((instrument) => instrument.name === name);
      const id = known?.id ?? engine.addInstrument(name);
      names.set(id, name);
      return id;
    });
    const source = engine.openSource(venue, ids);
    if (hasOrders) for (const id of ids) engine.openOrders(id);
    engine.ingestRecording(source, recording, EVERYTHING_NS, true);
    for (const id of ids)
      if (engine.book(id).state !== 'synced')
        throw new Error(`${names.get(id)}: the recording gives no book`);
    engine.close();
    this.#kept.clear();
  }

  /** How many epochs an instrument has. @param {string} instrument */
  epochs(instrument) {
    return this.#epochs.get(instrument)?.length ?? 0;
  }

  /**
   * The checksum of all levels; undefined where the stream is at no such place.
   * @param {string} instrument
   * @param {number} epoch the first one of the instrument is 0
   * @param {number} stream
   * @param {number} seq
   */
  crcAt(instrument, epoch, stream, seq) {
    return this.#crcs.get(`${instrument}/${epoch}/${stream}/${seq}`);
  }

  /**
   * The best levels at the venue's own sequence: when a stream of a view began is chance.
   * @param {string} instrument
   * @param {number} epoch
   * @param {number} depth
   * @param {bigint} venueSeq
   */
  topAt(instrument, epoch, depth, venueSeq) {
    return this.#tops.get(`${instrument}/${epoch}/${depth}/${venueSeq}`);
  }

  /** The checksum of all orders likewise. @param {string} instrument @param {number} epoch @param {bigint} venueSeq */
  ordersAt(instrument, epoch, venueSeq) {
    return this.#orders.get(`${instrument}/${epoch}/${venueSeq}`);
  }

  /** @param {string} instrument @param {number} epoch @param {number} seq */
  tradesAt(instrument, epoch, seq) {
    return this.#trades.get(`${instrument}/${epoch}/${seq}`);
  }

  /** @param {string} instrument @param {FrameReader} frame */
  #take(instrument, frame) {
    const { kind, stream, seq } = frame;
    if (kind === Kind.status) return;
    const epochs = this.#epochs.get(instrument) ?? [];
    this.#epochs.set(instrument, epochs);
    if (!epochs.includes(frame.epoch)) epochs.push(frame.epoch);
    const epoch = epochs.indexOf(frame.epoch);
    if (stream === Stream.trades) {
      if (kind !== Kind.trade) return;
      const rows = new TradeRows(frame);
      const trades = Array.from({ length: rows.count }, (_, at) =>
        textOf({
          id: rows.id(at),
          price: Number(rows.price(at)),
          qty: Number(rows.qty(at)),
          tsEvent: rows.tsEvent(at),
        }),
      );
      // One without trades says that nobody tells them for now: a reader sees what is before it followed by what is behind it.
      const before = this.#trades.get(`${instrument}/${epoch}/${frame.prevSeq}`);
      const prevSeq = before?.trades.length === 0 ? before.prevSeq : frame.prevSeq;
      this.#trades.set(`${instrument}/${epoch}/${seq}`, { prevSeq, trades });
      return;
    }
    const name = `${instrument}/${stream}`;
    const kept = this.#kept.get(name) ?? (stream === Stream.orders ? new LocalOrders() : new LocalBook());
    this.#kept.set(name, kept);
    const { tag } = kept.apply(frame);
    if (tag !== 'image' && tag !== 'applied') return;
    const at = `${instrument}/${epoch}`;
    if (kept instanceof LocalOrders) {
      this.#orders.set(`${at}/${kept.venueSeq}`, kept.check().allCrc);
      return;
    }
    this.#crcs.set(`${at}/${stream}/${kept.seq}`, kept.check().allCrc);
    if (stream !== Stream.book) return;
    for (const depth of DEPTHS) this.#tops.set(`${at}/${depth}/${kept.venueSeq}`, digestOf(kept, depth));
  }
}
