// @ts-check
/**
 * What the TypeScript client costs a level: frames of 2, 8 and 32 levels applied to a book, against the same changes as JSON put into
 * a map; the same with a check of the whole book after each 1,000 changes; the frame reader alone; and reading 20 levels of both
 * sides. All end with the same book. A client that leaves more than
 * 16 bytes a frame on the heap is an error.
 *
 * The changes are those of a recording's book stream, or of the simulated venue, in their order, cut anew into frames.
 */
import * as flatbuffers from 'flatbuffers';
import { openEngine } from '../dist/index.js';
import { Check, Frame, Header, Level } from '../dist/wire/generated/depthwire/feed.js';
import { decimalText, FrameReader, Kind, LocalBook, Stream } from '../dist/wire/index.js';
import { depthFrames, WORKLOADS } from './depth-frames.mjs';
import { measure, program, skipped } from './measure.mjs';

const BENCH = 'client';
const SIZES = [2, 8, 32];
const CHANGES = 60_000;
const CHANGES_TINY = 1_000;
/** Changes between two checks: a server sends one a second, in which a busy stream has so many. */
const CHECK_EVERY = 1_000;
const READS = 2_000;
const DEPTH = 20;
const HEAP_BYTES_MAX = 16;
/** The first stream of a process needs more than twenty of them until its code is compiled for good. */
const HEAP_STEPS = 300;

/** @typedef {{ isAsk: boolean, price: number, qty: number }} Change */

/**
 * The image that a book begins with, and the changes that follow it.
 * @param {import('./depth-frames.mjs').Frames} frames
 * @param {number} count
 */
function changesOf({ about, lead, timed }, count) {
  /** @type {Uint8Array[]} */
  const image = [];
  /** @type {Change[]} */
  const changes = [];
  const reader = new FrameReader();
  const engine = openEngine(
    { startId: 1, replay: true, silenceMs: 0, outputBytes: 8 << 20 },
    {
      onFrame(_id, stream, frame) {
        if (stream !== Stream.book) return;
        reader.reset(frame);
        while (reader.next()) {
          if (reader.kind === Kind.image && changes.length === 0) {
            if (reader.chunkIndex === 0) image.length = 0;
            image.push(frame.slice());
          } else if (reader.kind === Kind.delta) {
            for (let at = 0; at < reader.bidCount; at += 1)
              changes.push({ isAsk: false, price: reader.bidPrice(at), qty: reader.bidQty(at) });
            for (let at = 0; at < reader.askCount; at += 1)
              changes.push({ isAsk: true, price: reader.askPrice(at), qty: reader.askQty(at) });
          }
        }
      },
      onAsk() {},
      onSay() {},
      onFault(error) {
        throw error;
      },
    },
  );
  const id = engine.addInstrument(`${about.venue}:${about.symbol}`);
  const source = engine.openSource(about.venue, [id]);
  for (const frame of [...lead, ...timed]) {
    if (changes.length >= count) break;
    engine.ingest(source, frame);
  }
  engine.close();
  return { image, changes: changes.slice(0, count) };
}

/**
 * The changes as feed frames of so many levels, which lie in one buffer.
 * @param {readonly Change[]} changes
 * @param {number} levels
 * @param {bigint} epoch
 * @param {number} first sequence of the image
 */
function feedFrames(changes, levels, epoch, first) {
  /** @type {Uint8Array[]} */
  const frames = [];
  const builder = new flatbuffers.Builder(1024);
  for (let at = 0; at + levels <= changes.length; at += levels) {
    const part = changes.slice(at, at + levels);
    builder.clear();
    const vector = (/** @type {boolean} */ isAsk) => {
      const side = part.filter((change) => change.isAsk === isAsk);
      if (isAsk) Frame.startAsksVector(builder, side.length);
      else Frame.startBidsVector(builder, side.length);
      for (const { price, qty } of side.reverse()) Level.createLevel(builder, BigInt(price), BigInt(qty));
      return builder.endVector();
    };
    const [bids, asks] = [vector(false), vector(true)];
    const seq = BigInt(first + frames.length);
    Frame.startFrame(builder);
    Frame.addHeader(
      builder,
      Header.createHeader(builder, epoch, seq + 1n, seq, 1n, 0n, 0n, 0n, 1, Kind.delta, Stream.book, 0),
    );
    Frame.addBids(builder, bids);
    Frame.addAsks(builder, asks);
    Frame.finishSizePrefixedFrameBuffer(builder, Frame.endFrame(builder));
    const bytes = builder.asUint8Array();
    const whole = new Uint8Array(Math.ceil(bytes.length / 8) * 8);
    whole.set(bytes);
    new DataView(whole.buffer).setUint32(0, whole.length - 4, true);
    frames.push(whole);
  }
  const all = new Uint8Array(frames.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  return frames.map((frame) => {
    all.set(frame, at);
    at += frame.length;
    return all.subarray(at - frame.length, at);
  });
}

/**
 * The same with checks between them, of what the book holds then.
 * @param {readonly Uint8Array[]} image
 * @param {readonly Uint8Array[]} frames
 * @param {number} levels of a frame
 */
function withChecks(image, frames, levels) {
  const book = bookOf(image);
  const reader = new FrameReader();
  const builder = new flatbuffers.Builder(256);
  /** @type {Uint8Array[]} */
  const all = [];
  let changes = 0;
  for (const frame of frames) {
    all.push(frame);
    applyAll(book, reader, [frame]);
    changes += levels;
    if (changes < CHECK_EVERY) continue;
    changes = 0;
    const { topCrc, allCrc, bidCount, askCount } = book.check();
    const seq = BigInt(book.seq);
    builder.clear();
    Frame.startFrame(builder);
    Frame.addHeader(
      builder,
      Header.createHeader(builder, book.epoch, seq, seq, 1n, 0n, 0n, 0n, 1, Kind.check, Stream.book, 0),
    );
    Frame.addCheck(builder, Check.createCheck(builder, topCrc, allCrc, bidCount, askCount));
    Frame.finishSizePrefixedFrameBuffer(builder, Frame.endFrame(builder));
    all.push(builder.asUint8Array().slice());
  }
  return all;
}

/**
 * The same as JSON, as venues write it: decimals in texts.
 * @param {readonly Change[]} changes
 * @param {number} levels
 * @param {LocalBook} book
 */
function jsonFrames(changes, levels, book) {
  const text = ({ price, qty }) => [
    decimalText(price, book.priceExponent),
    decimalText(qty, book.qtyExponent),
  ];
  const frames = [];
  for (let at = 0; at + levels <= changes.length; at += levels) {
    const part = changes.slice(at, at + levels);
    const side = (/** @type {boolean} */ isAsk) => part.filter((change) => change.isAsk === isAsk).map(text);
    frames.push(
      JSON.stringify({
        e: 'depthUpdate',
        E: 1732900000000 + at,
        U: at,
        u: at + 1,
        b: side(false),
        a: side(true),
      }),
    );
  }
  return frames;
}

/** A book that holds an image. @param {readonly Uint8Array[]} image */
function bookOf(image) {
  const book = new LocalBook();
  const reader = new FrameReader();
  for (const bytes of image) {
    reader.reset(bytes);
    while (reader.next()) book.apply(reader);
  }
  return book;
}

/** @param {LocalBook} book @param {FrameReader} reader @param {readonly Uint8Array[]} frames */
function applyAll(book, reader, frames) {
  for (const frame of frames) {
    reader.reset(frame);
    while (reader.next()) book.apply(reader);
  }
}

/** The sum of all levels of frames. @param {FrameReader} reader @param {readonly Uint8Array[]} frames */
function readAll(reader, frames) {
  let sum = 0;
  for (const frame of frames) {
    reader.reset(frame);
    while (reader.next()) {
      for (let at = 0; at < reader.bidCount; at += 1) sum += reader.bidPrice(at) + reader.bidQty(at);
      for (let at = 0; at < reader.askCount; at += 1) sum += reader.askPrice(at) + reader.askQty(at);
    }
  }
  return sum;
}

/** The sum of the best levels of both sides. @param {LocalBook} book */
function readTop(book) {
  let sum = 0;
  for (let at = 0; at < DEPTH; at += 1) {
    sum += book.priceAt('bid', at) + book.qtyAtIndex('bid', at);
    sum += book.priceAt('ask', at) + book.qtyAtIndex('ask', at);
  }
  return sum;
}

/** @param {readonly Map<string, string>[]} sides @param {readonly string[]} frames */
function applyJson([bids, asks], frames) {
  for (const text of frames) {
    const { b, a } = JSON.parse(text);
    for (const [price, qty] of b) qty === '0' ? bids?.delete(price) : bids?.set(price, qty);
    for (const [price, qty] of a) qty === '0' ? asks?.delete(price) : asks?.set(price, qty);
  }
}

/** A book's levels as texts. @param {LocalBook} book @param {'bid' | 'ask'} side */
const pairs = (book, side) =>
  Array.from(book.levels(side), (level) => [book.priceText(level), book.qtyText(level)]);
/** @param {Iterable<readonly string[]>} levels */
const sorted = (levels) =>
  Array.from(levels, (level) => level.join(' '))
    .sort()
    .join();
/** @param {Iterable<readonly string[]>} bids @param {Iterable<readonly string[]>} asks */
const answerOf = (bids, asks) => {
  let hash = 0;
  for (const char of `${sorted(bids)}|${sorted(asks)}`) hash = (Math.imul(hash, 31) + char.charCodeAt(0)) | 0;
  return (hash >>> 0).toString(16);
};

/**
 * Bytes a frame by which the heap grows while frames are applied, once warm: the least of several times, for the compiler's own
 * work is part of the others.
 * @param {readonly Uint8Array[]} image
 * @param {FrameReader} reader
 * @param {readonly Uint8Array[]} frames
 */
function heapBytes(image, reader, frames) {
  let least = Number.POSITIVE_INFINITY;
  for (let step = 0; step < HEAP_STEPS; step += 1) {
    const book = bookOf(image);
    const before = process.memoryUsage().heapUsed;
    applyAll(book, reader, frames);
    const grown = process.memoryUsage().heapUsed - before;
    // Less than nothing: it was emptied meanwhile.
    if (grown >= 0) least = Math.min(least, grown);
  }
  return least / frames.length;
}

await program(BENCH, WORKLOADS, async (workload, { rounds, tiny }) => {
  const { half, frames, reason } = await depthFrames(workload);
  if (frames === undefined) return skipped(BENCH, workload, reason);
  half.end();
  const { image, changes } = changesOf(frames, tiny ? CHANGES_TINY : CHANGES);
  const start = bookOf(image);
  const rows = [];
  for (const levels of SIZES) {
    const feed = feedFrames(changes, levels, start.epoch, start.seq);
    const checked = withChecks(image, feed, levels);
    const json = jsonFrames(changes, levels, start);
    const first = { bids: pairs(start, 'bid'), asks: pairs(start, 'ask') };
    const reader = new FrameReader();
    const end = bookOf(image);
    applyAll(end, reader, feed);
    const expected = answerOf(pairs(end, 'bid'), pairs(end, 'ask'));
    const [sum, top] = [readAll(reader, feed), readTop(end)];
    const heap = tiny ? 0 : heapBytes(image, reader, feed);
    if (heap > HEAP_BYTES_MAX) {
      process.exitCode = 1;
      process.stderr.write(
        `${BENCH} ${workload}: ${heap.toFixed(1)} bytes of heap a frame of ${levels} levels\n`,
      );
    }
    const count = feed.length * levels;
    /** @param {() => void} work @param {() => string} answer */
    const timed = (work, answer) => {
      const from = process.hrtime.bigint();
      work();
      return { ns: Number(process.hrtime.bigint() - from), answer: answer() };
    };
    const name = `${workload}, ${levels} a frame`;
    rows.push(
      ...(await measure(BENCH, name, 'level', rounds, [
        {
          name: 'client',
          count,
          expected,
          note: `${heap.toFixed(1)} bytes of heap a frame`,
          run: () => {
            const book = bookOf(image);
            return timed(
              () => applyAll(book, reader, feed),
              () => answerOf(pairs(book, 'bid'), pairs(book, 'ask')),
            );
          },
        },
        {
          name: 'client, checked',
          count,
          expected,
          run: () => {
            const book = bookOf(image);
            return timed(
              () => applyAll(book, reader, checked),
              () =>
                `${answerOf(pairs(book, 'bid'), pairs(book, 'ask'))}${book.state === 'synced' ? '' : ' stale'}`,
            );
          },
        },
        {
          name: 'frame reader',
          count,
          expected: String(sum),
          run: () => {
            let got = 0;
            return timed(
              () => {
                got = readAll(reader, feed);
              },
              () => String(got),
            );
          },
        },
        {
          name: 'JSON and a map',
          count,
          expected,
          run: () => {
            const sides = [new Map(first.bids), new Map(first.asks)];
            return timed(
              () => applyJson(sides, json),
              () => answerOf(sides[0] ?? [], sides[1] ?? []),
            );
          },
        },
        {
          name: `reading ${DEPTH} levels a side`,
          count: READS * DEPTH * 2,
          expected: String(top * READS),
          run: () => {
            let got = 0;
            return timed(
              () => {
                for (let read = 0; read < READS; read += 1) got += readTop(end);
              },
              () => String(got),
            );
          },
        },
      ])),
    );
  }
  return rows;
});
