import { expect, it } from 'vitest';
import { Engine as NativeEngine, Replica, ReplicaThread, Simulator } from '#native';
import { framesOf } from '../src/engine/ring.js';
import { Engine, type EngineListener, MORE, OUTPUT, RING } from '../src/engine.js';
import { simulatedRecording } from './support/recording.js';

const RING_BYTES = 4 << 20;
const NAMES = ['sim:BTCUSDT', 'sim:ETHUSDT'];
const EVERYTHING_NS = 2n ** 63n - 1n;

/** An engine of the addon over the smallest ring that it takes, whose books are those of `NAMES`. */
function nativeEngine() {
  const output = new SharedArrayBuffer(RING.controlBytes + RING_BYTES);
  const native = new NativeEngine({ startId: 3, silenceMs: 0, replay: true }, new Uint8Array(output));
  const ids = NAMES.map((name) => native.instruments().find((listed) => listed.name === name)?.id ?? 0);
  const sources = ids.map((id) => native.openSource('sim', Uint32Array.of(id)));
  // Many views, so that each update puts out many frames.
  for (const id of ids) for (let depth = 1; depth <= 30; depth += 1) native.openDepth(id, depth * 3, 0);
  return { output, native, ids, sources };
}

/** Takes frames and holds them to the order and the completeness of their streams. */
class Ledger implements EngineListener {
  readonly replica = new Replica();
  readonly faults: string[] = [];
  frames = 0;
  bytes = 0;
  requests = 0;
  readonly #seqs = new Map<string, { epoch: bigint; seq: bigint }>();

  onFrame(instrument: number, stream: number, frame: Uint8Array): void {
    // A copy: the replica reads plain memory, and the ring is reused.
    const bytes = frame.slice();
    this.frames += 1;
    this.bytes += bytes.byteLength;
    const header = headerOf(bytes);
    if (header.instrument !== instrument || header.stream !== stream) this.faults.push('misrouted');
    const key = `${instrument}/${stream}`;
    const before = this.#seqs.get(key);
    // Deltas, tops of book and trades follow the one before; images, checks and status say where they stand.
    const follows = header.kind === 2 || header.kind === 4 || header.kind === 5;
    if (follows && before?.epoch === header.epoch && header.prevSeq !== before.seq) {
      this.faults.push(`${key}: ${header.prevSeq} after ${before.seq}`);
    }
    this.#seqs.set(key, header);
    this.replica.apply(bytes);
  }

  onAsk(): void {
    this.requests += 1;
  }

  onSay(): void {
    this.faults.push('nothing is to be said');
  }

  onFault(error: Error): void {
    this.faults.push(error.message);
  }
}

/** The fixed header of a frame, found through its table as FlatBuffers lay it out. */
function headerOf(frame: Uint8Array) {
  const view = new DataView(frame.buffer, frame.byteOffset);
  const table = 4 + view.getUint32(4, true);
  const at = table + view.getUint16(table - view.getInt32(table, true) + 4, true);
  return {
    epoch: view.getBigUint64(at, true),
    seq: view.getBigUint64(at + 8, true),
    prevSeq: view.getBigUint64(at + 16, true),
    instrument: view.getUint32(at + 56, true),
    kind: view.getUint8(at + 60),
    stream: view.getUint8(at + 61),
  };
}

it('a ring of 4 MiB that runs full again and again loses nothing, in one call for a whole recording', () => {
  const recordings = [simulatedRecording('BTCUSDT', 60_000), simulatedRecording('ETHUSDT', 60_000)];
  const { output, native, ids, sources } = nativeEngine();
  const ledger = new Ledger();
  const engine = new Engine(native, output, ledger);
  for (const [index, recording] of recordings.entries()) {
    const bytes = Buffer.from(recording);
    expect(engine.ingestRecording(sources[index] ?? 0, bytes, EVERYTHING_NS)).toBe(bytes.byteLength);
  }
  const { feedFrames, feedBytes, decodeErrors } = engine.stats();
  expect(feedBytes).toBeGreaterThan(3 * RING_BYTES);
  expect(decodeErrors).toBe(0);
  expect(ledger.faults).toEqual([]);
  expect([ledger.frames, ledger.bytes]).toEqual([feedFrames, feedBytes]);
  const books = ledger.replica.books();
  for (const id of ids) {
    expect(books.find(({ instrument }) => instrument === id)).toMatchObject({
      digest: engine.digest(id),
      gaps: 0,
      checkFailures: 0,
    });
  }
});

it('a listener that takes whole records gets them all, and so does a replica on a thread of its own', () => {
  const { output, native, ids, sources } = nativeEngine();
  const replica = new ReplicaThread();
  let [frames, bytes] = [0, 0];
  const none = () => expect.fail('only records are handed over');
  const engine = new Engine(native, output, {
    onFrame: none,
    onAsk: none,
    onSay: none,
    onFault: none,
    onRecords(ring, from, to) {
      replica.take(ring.subarray(from, to));
      for (const frame of framesOf(ring, from, to)) {
        frames += 1;
        bytes += frame.byteLength;
      }
    },
  });
  engine.ingestRecording(sources[0] ?? 0, Buffer.from(simulatedRecording('BTCUSDT', 60_000)), EVERYTHING_NS);
  const { feedFrames, feedBytes } = engine.stats();
  expect(feedBytes).toBeGreaterThan(2 * RING_BYTES);
  expect([frames, bytes]).toEqual([feedFrames, feedBytes]);
  replica.settle();
  expect(replica.books().find(({ instrument }) => instrument === ids[0])).toMatchObject({
    digest: engine.digest(ids[0] ?? 0),
    gaps: 0,
    checkFailures: 0,
  });
  // What is no frame is told by the next call, and the ring's reader is not held up by it.
  const wrong = new Uint8Array(32);
  wrong.set([16, 0, 0, 0, RING.type.frame]);
  replica.take(wrong);
  const code = { code: expect.stringMatching(/^replica\./) };
  expect(() => replica.settle()).toThrow(expect.objectContaining(code));
  expect(() => replica.take(wrong)).toThrow(expect.objectContaining(code));
});

it('a reader that takes a record at a time, and only once the ring is full, gets all of them in order', () => {
  const lines = simulatedRecording('BTCUSDT', 60_000).trim().split('\n');
  const { output, native, ids, sources } = nativeEngine();
  const words = new Uint32Array(output);
  const ledger = new Ledger();
  let read = 0;
  let wraps = 0;
  let moreSeen = 0;

  /** Takes at most so many records. */
  const take = (records: number): void => {
    const view = new DataView(output);
    for (let taken = 0; taken < records && read !== Atomics.load(words, RING.control.write); ) {
      const offset = read % RING_BYTES;
      const at = RING.controlBytes + offset;
      expect(at % 8).toBe(0);
      if (view.getUint16(at + 4, true) === RING.type.pad) {
        read = (read + RING_BYTES - offset) >>> 0;
        wraps += 1;
      } else {
        const size = view.getUint32(at, true);
        const end = offset + RING.headerBytes + size;
        expect(end).toBeLessThanOrEqual(RING_BYTES);
        if (view.getUint16(at + 4, true) === RING.type.frame) {
          const frame = new Uint8Array(output, at + RING.headerBytes, size);
          ledger.onFrame(view.getUint32(at + 8, true), view.getUint16(at + 6, true), frame);
        } else ledger.onAsk();
        read = (read + RING.headerBytes + ((size + 7) & ~7)) >>> 0;
        taken += 1;
      }
      Atomics.store(words, RING.control.read, read);
    }
  };

  const ingest = native.ingester();
  let flags = 0;
  for (const line of lines) {
    flags = ingest(sources[0] ?? 0, Buffer.from(line.slice(line.indexOf(' ') + 1)));
    if ((flags & MORE) === 0) continue;
    // Nothing was read since the ring was full last: what waits outside it goes in one by one, behind what is there.
    moreSeen += 1;
    for (let round = 0; (flags & MORE) !== 0; round += 1) {
      take(1 + (round % 7));
      flags = native.pump();
    }
  }
  expect(flags & OUTPUT).toBe(OUTPUT);
  take(Number.POSITIVE_INFINITY);
  expect(native.pump()).toBe(0);

  const { feedFrames, feedBytes } = native.stats();
  expect(moreSeen).toBeGreaterThan(10);
  expect(wraps).toBeGreaterThan(1);
  expect(ledger.faults).toEqual([]);
  expect([ledger.frames, ledger.bytes]).toEqual([feedFrames, feedBytes]);
  expect(ledger.requests).toBe(native.stats().snapshotRequests);
  const [book] = ledger.replica.books();
  expect(book).toMatchObject({ digest: native.digest(ids[0] ?? 0), gaps: 0, checkFailures: 0 });
});

it('an image that does not fit says how much it needs, and writes nothing of it beyond the memory given', () => {
  const { native, ids, sources } = nativeEngine();
  const id = ids[0] ?? 0;
  const simulator = new Simulator(4, 0);
  const out = new Uint8Array(1 << 20);
  const snapshot = out.slice(0, simulator.snapshot('BTCUSDT', 1000, out));
  native.ingester()(sources[0] ?? 0, snapshot);
  const needed = native.image(id, 1, out);
  expect(needed).toBeGreaterThan(10_000);
  for (const size of [0, 1, needed - 1]) {
    const memory = new Uint8Array(size + 64).fill(0xaa);
    expect(native.image(id, 1, memory.subarray(0, size))).toBe(-needed);
    expect(memory.subarray(size)).toEqual(new Uint8Array(64).fill(0xaa));
  }
  expect(native.image(id, 1, new Uint8Array(needed))).toBe(needed);
});
