// @ts-check
/** Markets as recordings, and what every stream of theirs is at each place, by an engine that nobody kills. */
import { writeFileSync } from 'node:fs';
import { openEngine } from '../../dist/engine.js';
import { EVERYTHING_NS } from '../../dist/ingest/source.js';
import { FrameReader, Kind, LocalBook, Stream } from '../../dist/wire/index.js';
import { Simulator } from '../../src/native/binding.js';
import { digestOf, textOf } from './digests.mjs';

const START_MS = 1_700_000_000_000;
const SNAPSHOT_LEVELS = 1000;

/** @typedef {import('./judge.mjs').TradeFrame} TradeFrame */

/** The symbols that are traded, as instruments. @returns {string[]} */
export function instrumentNames() {
  const simulator = new Simulator(1, START_MS);
  const names = simulator.symbols().map((symbol) => `sim:${symbol}`);
  simulator.close();
  return names;
}

/**
 * Writes a recording of all symbols, with a snapshot of each behind its first update.
 * @param {string} file
 * @param {number} seed
 * @param {number} durationMs
 */
export function recordMarket(file, seed, durationMs) {
  const simulator = new Simulator(seed, START_MS);
  const out = new Uint8Array(1 << 20);
  const withoutSnapshot = new Set(simulator.symbols());
  const lines = [`wss://sim/ws <-> ${secondsOf(START_MS)}\n`];
  for (let ms = START_MS; ms < START_MS + durationMs; ms += 10) {
    for (let bytes = simulator.next(ms, out); bytes > 0; bytes = simulator.next(ms, out)) {
      const text = Buffer.from(out.subarray(0, bytes)).toString();
      lines.push(`${secondsOf(ms)}: ${text}\n`);
      const symbol = /"depthUpdate".*?"s":"(\w+)"/.exec(text)?.[1] ?? '';
      if (!withoutSnapshot.delete(symbol)) continue;
      const snapshot = out.subarray(0, simulator.snapshot(symbol, SNAPSHOT_LEVELS, out));
      const url = `https://sim/api/v3/depth?symbol=${symbol}&limit=${SNAPSHOT_LEVELS}`;
      lines.push(`${url} -> ${secondsOf(ms)}: ${Buffer.from(snapshot)}\n`);
    }
  }
  simulator.close();
  writeFileSync(file, lines.join(''));
  return { file, truth: new Truth(lines) };
}

/** @param {number} ms */
function secondsOf(ms) {
  return (ms / 1000).toFixed(3);
}

/** Every stream of a market at each of its places. */
export class Truth {
  /** Epochs of each instrument, as they came: what there is of trades before the first book has one of its own. @type {Map<string, bigint[]>} */
  #epochs = new Map();
  /** @type {Map<string, number>} checksums by `instrument/epoch/stream/seq` */
  #crcs = new Map();
  /** @type {Map<string, string>} the best levels by `instrument/epoch/depth/venue's sequence` */
  #tops = new Map();
  /** @type {Map<string, TradeFrame>} by `instrument/epoch/seq` */
  #trades = new Map();

  /** @param {readonly string[]} lines of the recording @param {readonly number[]} depths of views */
  constructor(lines, depths = DEPTHS) {
    /** @type {Map<string, LocalBook>} */
    const books = new Map();
    const reader = new FrameReader();
    /** @type {Map<number, string>} */
    const names = new Map();
    const engine = openEngine(
      { startId: 1, silenceMs: 0, replay: true, outputBytes: 4 << 20 },
      {
        onFrame: (id, _stream, bytes) => {
          const frame = reader.reset(bytes);
          while (frame.next()) this.#take(names.get(id) ?? '', frame, books, depths);
        },
        onAsk() {},
        onSay() {},
        onFault(error) {
          throw error;
        },
      },
    );
    const ids = instrumentNames().map((name) => {
      const id = engine.addInstrument(name);
      names.set(id, name);
      return id;
    });
    const source = engine.openSource('sim', ids);
    engine.ingestRecording(source, Buffer.from(lines.join('')), EVERYTHING_NS, true);
    for (const id of ids)
      if (engine.book(id).state !== 'synced')
        throw new Error(`${names.get(id)}: the recording gives no book`);
    engine.close();
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

  /** The digest of the best levels at the venue's own sequence. @param {string} instrument @param {number} epoch @param {number} depth @param {bigint} venueSeq */
  topAt(instrument, epoch, depth, venueSeq) {
    return this.#tops.get(`${instrument}/${epoch}/${depth}/${venueSeq}`);
  }

  /** @param {string} instrument @param {number} epoch @param {number} seq */
  tradesAt(instrument, epoch, seq) {
    return this.#trades.get(`${instrument}/${epoch}/${seq}`);
  }

  /** @param {string} instrument @param {FrameReader} frame @param {Map<string, LocalBook>} books @param {readonly number[]} depths */
  #take(instrument, frame, books, depths) {
    const { kind, stream, seq } = frame;
    if (kind === Kind.status) return;
    const epochs = this.#epochs.get(instrument) ?? [];
    this.#epochs.set(instrument, epochs);
    if (!epochs.includes(frame.epoch)) epochs.push(frame.epoch);
    const epoch = epochs.indexOf(frame.epoch);
    if (stream === Stream.trades) {
      if (kind !== Kind.trade) return;
      const trades = Array.from({ length: frame.tradeCount }, (_, at) =>
        textOf({
          id: frame.tradeId(at),
          price: frame.tradePriceNearest(at),
          qty: frame.tradeQtyNearest(at),
          tsEvent: frame.tradeTsEvent(at),
        }),
      );
      this.#trades.set(`${instrument}/${epoch}/${seq}`, { prevSeq: frame.prevSeq, trades });
      return;
    }
    const stand = `${instrument}/${stream}`;
    const book = books.get(stand) ?? new LocalBook();
    books.set(stand, book);
    const { tag } = book.apply(frame);
    if (tag !== 'image' && tag !== 'applied') return;
    this.#crcs.set(`${instrument}/${epoch}/${stream}/${book.seq}`, book.check().allCrc);
    if (stream !== Stream.book) return;
    for (const depth of depths)
      this.#tops.set(`${instrument}/${epoch}/${depth}/${book.venueSeq}`, digestOf(book, depth));
  }
}

/** Depths of the views whose truth is kept. */
export const DEPTHS = [5, 20];
