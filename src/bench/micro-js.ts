/** Operations of JavaScript: the way into the addon, and books beside a plain one. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Engine, openEngine } from '../engine.js';
import { DepthwireError } from '../errors.js';
import { FrameReader } from '../wire/frame.js';
import { LocalBook } from '../wire/local-book.js';
import { Stream } from '../wire/protocol.js';
import type { GroupReport, OperationReport } from './measure.js';
import { INSTRUMENT, snapshotText, updateText, VENUE } from './sim-book.js';

/** Frames of the engine go into a ring of so many bytes. */
const OUTPUT_BYTES = 4 << 20;
/** Things before those that count, in each operation. */
const WARM_THINGS = 20_000;
const IGNORED = Buffer.from('{"result":null,"id":1}');

interface Operation {
  readonly name: string;
  /** Gets ready for so many things; what it returns does them, is timed, and says what they came to. */
  ready(things: number): () => string;
  close?(): void;
}

interface Group {
  readonly name: string;
  readonly thing: string;
  /** Whether all come to the same. */
  readonly isSame: boolean;
  readonly operations: readonly Operation[];
}

/** Measures; see `crates/latency/src/micro.rs`, which does the same for what is no JavaScript. Throws `bench.answer`. */
export async function measureJs(
  plan: { readonly rounds: number; readonly things: number },
  signal?: AbortSignal,
): Promise<readonly GroupReport[]> {
  const reports: GroupReport[] = [];
  for (const make of [calls, books]) {
    if (signal?.aborted === true) break;
    const group = make();
    try {
      reports.push(await measure(group, plan, signal));
    } finally {
      for (const operation of group.operations) operation.close?.();
    }
  }
  return reports;
}

async function measure(
  { name, thing, isSame, operations }: Group,
  { rounds, things }: { readonly rounds: number; readonly things: number },
  signal: AbortSignal | undefined,
): Promise<GroupReport> {
  const found = operations.map(() => ({ ns: [] as number[], work: '' }));
  // What is compiled only after many calls would be timed twice over.
  const warm = Math.ceil(WARM_THINGS / things);
  for (let round = -warm; round < rounds && signal?.aborted !== true; round += 1) {
    await nextTurn();
    let expected: string | undefined;
    for (let turn = 0; turn < operations.length; turn += 1) {
      const at = (round + warm + turn) % operations.length;
      const [operation, kept] = [operations[at], found[at]];
      if (operation === undefined || kept === undefined) continue;
      const work = operation.ready(things);
      const began = process.hrtime.bigint();
      kept.work = work();
      const ns = Number(process.hrtime.bigint() - began);
      if (round >= 0) kept.ns.push(ns / things);
      expected ??= kept.work;
      if (isSame && kept.work !== expected) throw wrong(`${name}: ${operation.name}`, expected, kept.work);
    }
  }
  return {
    name,
    thing,
    operations: found.map(({ ns, work }, at): OperationReport => {
      return { name: operations[at]?.name ?? '', ns, work, instructions: null, allocations: null };
    }),
  };
}

function wrong(what: string, expected: string, got: string): DepthwireError {
  return new DepthwireError('bench.answer', {
    what: `${what} comes to another answer`,
    expected,
    got,
    fix: 'report it: one of both is wrong',
  });
}

function calls(): Group {
  const { engine, source } = open(() => {});
  // Functions that are chosen by a number are not inlined, so a call stays a call.
  const plain = [1, 2, 3, 4, 5, 6, 7, 8].map((step) => (sum: number) => sum + step);
  return {
    name: 'a call from JavaScript',
    thing: 'call',
    isSame: false,
    operations: [
      {
        name: 'a function of JavaScript',
        ready: (things) => () => {
          let sum = 0;
          for (let call = 0; call < things; call += 1) sum = plain[call & 7]?.(sum) ?? 0;
          return String(sum);
        },
      },
      {
        name: 'the engine, a tick',
        ready: (things) => () => {
          const before = engine.stats().frames;
          for (let call = 0; call < things; call += 1) engine.tick();
          return `${engine.stats().frames - before} frames`;
        },
      },
      {
        name: 'the engine, a message that says nothing',
        ready: (things) => () => {
          const before = engine.stats().ignored;
          for (let call = 0; call < things; call += 1) engine.ingest(source, IGNORED);
          return `${engine.stats().ignored - before} ignored`;
        },
        close: () => engine.close(),
      },
    ],
  };
}

function books(): Group {
  return {
    name: 'a text message that changes four levels, from JavaScript',
    thing: 'message',
    isSame: true,
    operations: [mapBook(), engineBook(), clientBook()],
  };
}

/** What most programs do: JSON, a map, and the prices in order. */
function mapBook(): Operation {
  const bids = new Map<number, number>();
  const asks = new Map<number, number>();
  const bidPrices: number[] = [];
  const askPrices: number[] = [];
  const apply = (
    side: Map<number, number>,
    prices: number[],
    levels: readonly (readonly [string, string])[],
  ): void => {
    for (const [priceText, qtyText] of levels) {
      const [price, qty] = [Number(priceText), Number(qtyText)];
      if (qty === 0) {
        if (side.delete(price)) prices.splice(placeOf(prices, price), 1);
      } else {
        if (!side.has(price)) prices.splice(placeOf(prices, price), 0, price);
        side.set(price, qty);
      }
    }
  };
  const snapshot = JSON.parse(snapshotText());
  apply(bids, bidPrices, snapshot.bids);
  apply(asks, askPrices, snapshot.asks);
  let next = FIRST;
  return {
    name: 'JSON.parse, a Map and sorted prices',
    ready(things) {
      const messages = messagesFrom(next, things);
      next += things;
      return () => {
        for (const message of messages) {
          const { b, a } = JSON.parse(message.toString()).data;
          apply(bids, bidPrices, b);
          apply(asks, askPrices, a);
        }
        const [bid = 0, ask = 0] = [bidPrices.at(-1), askPrices[0]];
        const top = (price: number, side: ReadonlyMap<number, number>): Top => ({
          price,
          qty: side.get(price) ?? 0,
        });
        return topText({ price: 0, qty: 0 }, top(bid, bids), top(ask, asks));
      };
    },
  };
}

/** The place of a number in ascending ones, or where it belongs. */
function placeOf(sorted: readonly number[], number: number): number {
  let [from, to] = [0, sorted.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((sorted[middle] ?? 0) < number) from = middle + 1;
    else to = middle;
  }
  return from;
}

function engineBook(): Operation {
  let frames = 0;
  const { engine, source, id } = open(() => {
    frames += 1;
  });
  const exponents = exponentsOf(engine, id);
  let next = FIRST;
  return {
    name: 'the engine, its feed frame taken',
    ready(things) {
      const messages = messagesFrom(next, things);
      next += things;
      return () => {
        const before = frames;
        for (const message of messages) engine.ingest(source, message);
        if (frames - before < things) return `${frames - before} frames`;
        const { bids, asks } = engine.depth(id, 1);
        return topText(exponents, bids[0], asks[0]);
      };
    },
    close: () => engine.close(),
  };
}

/** A reader of the feed; its frames are made before, outside the time. */
function clientBook(): Operation {
  let kept: Uint8Array[] = [];
  const { engine, source, id } = open((frame) => kept.push(frame.slice()));
  const exponents = exponentsOf(engine, id);
  const [reader, book] = [new FrameReader(), new LocalBook()];
  const apply = (frames: readonly Uint8Array[]): void => {
    for (const frame of frames) {
      reader.reset(frame);
      while (reader.next()) book.apply(reader);
    }
  };
  apply(kept);
  let next = FIRST;
  return {
    name: 'the client, that frame applied',
    ready(things) {
      kept = [];
      for (const message of messagesFrom(next, things)) engine.ingest(source, message);
      next += things;
      return () => {
        apply(kept);
        return topText(exponents, book.bestBid, book.bestAsk);
      };
    },
    close: () => engine.close(),
  };
}

/** Messages before those that are measured: the first makes an engine ask for the book. */
const FIRST = 1;

/** An engine whose book is synced, and who takes the frames of its stream. */
function open(onFrame: (frame: Uint8Array) => void): {
  readonly engine: Engine;
  readonly source: number;
  readonly id: number;
} {
  let asked: number | undefined;
  const engine = openEngine(
    { startId: 1, silenceMs: 0, replay: false, outputBytes: OUTPUT_BYTES },
    {
      onFrame(_, stream, frame) {
        if (stream === Stream.book) onFrame(frame);
      },
      onAsk({ ticket }) {
        asked = ticket;
      },
      onSay() {},
      onFault(error) {
        throw error;
      },
    },
  );
  const id = engine.addInstrument(INSTRUMENT);
  const source = engine.openSource(VENUE, [id]);
  for (const message of messagesFrom(0, FIRST)) engine.ingest(source, message);
  // An engine is not called while it tells what it wants.
  if (asked !== undefined) engine.ingestSnapshot(id, asked, Buffer.from(snapshotText()));
  return { engine, source, id };
}

function messagesFrom(from: number, count: number): readonly Buffer[] {
  return Array.from({ length: count }, (_, at) => Buffer.from(updateText(from + at)));
}

/** Of a value: mantissa times ten to these. */
interface Exponents {
  readonly price: number;
  readonly qty: number;
}

function exponentsOf(engine: Engine, id: number): Exponents {
  const { priceExponent, qtyExponent } = engine.instrument(id);
  return { price: priceExponent, qty: qtyExponent };
}

interface Top {
  readonly price: number;
  readonly qty: number;
}

/** The best levels as decimals, which all books that are compared can say. */
function topText({ price, qty }: Exponents, ...tops: readonly (Top | undefined)[]): string {
  const text = (top: Top | undefined): string =>
    top === undefined
      ? 'none'
      : `${(top.price * 10 ** price).toFixed(8)} × ${(top.qty * 10 ** qty).toFixed(8)}`;
  return tops.map(text).join(', ');
}
