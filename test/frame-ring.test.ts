import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RingReader, RingWriter, ringMemoryBytes } from '../src/publish/gateways/frame-ring.js';

const RING_BYTES = 1 << 18;
/** Word of the position up to which readers may read. */
const HEAD = 0;

function memoryAt(position: number): Uint8Array {
  const memory = new Uint8Array(new SharedArrayBuffer(ringMemoryBytes(RING_BYTES)));
  new Int32Array(memory.buffer)[HEAD] = position;
  // The words that say how far the writer may have written are its own affair; one write sets them.
  return memory;
}

function frameOf(size: number, mark: number): Uint8Array {
  return new Uint8Array(size).fill(mark);
}

const NOBODY = {
  onFull: () => {},
  onOverrun: (reader: number) => {
    throw new Error(`reader ${reader} is over`);
  },
};

describe('the ring of frames', () => {
  it('hands every frame to every reader, whatever their sizes, where positions wrap, too', () => {
    const step = fc.record({
      size: fc.integer({ min: 1, max: 2000 }).map((words) => words * 8),
      reads: fc.constantFrom(0, 1, 2, 3),
    });
    const begin = fc.constantFrom(0, -4, -5000, 0x7fff_f000, (1 << 31) - 1);
    fc.assert(
      fc.property(begin, fc.array(step, { minLength: 1, maxLength: 300 }), (position, steps) => {
        const memory = memoryAt(position);
        const got: string[][] = [[], []];
        const writer = new RingWriter(memory, 2, NOBODY);
        const readers = got.map(
          (list, number) =>
            new RingReader(memory, number, (instrument, stream, source, offset, size) => {
              const bytes = source.subarray(offset, offset + size);
              expect(bytes.every((byte) => byte === (instrument & 255))).toBe(true);
              list.push(`${instrument}/${stream}/${size}`);
            }),
        );
        const want: string[] = [];
        const waiting = [0, 0];
        for (const [at, { size, reads }] of steps.entries()) {
          writer.write(at, at & 15, frameOf(size, at & 255), 0, size);
          writer.publish();
          want.push(`${at}/${at & 15}/${size}`);
          for (const [number, reader] of readers.entries()) {
            waiting[number] = (waiting[number] ?? 0) + size;
            // Nobody is let come near a ring behind: that is another test.
            if ((reads & (1 << number)) === 0 && (waiting[number] ?? 0) < RING_BYTES / 4) continue;
            expect(reader.readTo(reader.head)).toBe(true);
            waiting[number] = 0;
          }
        }
        for (const reader of readers) expect(reader.readTo(reader.head)).toBe(true);
        expect(got).toEqual([want, want]);
      }),
      { numRuns: 60 },
    );
  });

  it('hands a reader what was written before an answer, and no more', () => {
    const memory = memoryAt(0);
    const got: number[] = [];
    const writer = new RingWriter(memory, 1, NOBODY);
    const reader = new RingReader(memory, 0, (instrument) => got.push(instrument));
    writer.write(1, 1, frameOf(64, 1), 0, 64);
    writer.publish();
    const { position } = writer;
    writer.write(2, 1, frameOf(64, 2), 0, 64);
    writer.publish();
    expect(reader.readTo(position)).toBe(true);
    expect(got).toEqual([1]);
    // A place that it is beyond is no reason to read anything again.
    expect(reader.readTo(reader.head)).toBe(true);
    expect(reader.readTo(position)).toBe(true);
    expect(got).toEqual([1, 2]);
  });

  it('tells of a reader that stands still a ring behind, which itself finds that it has lost frames', () => {
    const memory = memoryAt(0);
    const over: number[] = [];
    let shown = 0;
    const writer = new RingWriter(memory, 2, {
      onFull: () => {
        shown += 1;
        writer.publish();
      },
      onOverrun: (reader) => over.push(reader),
    });
    let moving: RingReader | undefined;
    const stuck = new RingReader(memory, 0, () => {});
    moving = new RingReader(memory, 1, () => {});
    for (let at = 0; at < 400; at++) {
      writer.write(at, 1, frameOf(1000, 1), 0, 1000);
      writer.publish();
      expect(moving.readTo(moving.head)).toBe(true);
    }
    expect(over).toEqual([0]);
    expect(shown).toBeGreaterThan(0);
    expect(stuck.readTo(stuck.head)).toBe(false);
    // It is said once, and what it does not read counts for nobody.
    expect(writer.lagBytes(0)).toBe(0);
  });

  it('copies long frames out of itself before it hands them on', () => {
    const memory = memoryAt(0);
    const writer = new RingWriter(memory, 1, NOBODY);
    let source: Uint8Array | undefined;
    const reader = new RingReader(memory, 0, (_, __, bytes) => {
      source = bytes;
    });
    const size = 100_000;
    writer.write(1, 1, frameOf(size, 7), 0, size);
    writer.publish();
    expect(reader.readTo(reader.head)).toBe(true);
    expect(source?.buffer).not.toBe(memory.buffer);
    expect(source?.subarray(0, size).every((byte) => byte === 7)).toBe(true);
  });

  it('wakes a reader that sleeps, once, and none that has something to read', () => {
    const memory = memoryAt(0);
    const writer = new RingWriter(memory, 2, NOBODY);
    const readers = [0, 1].map((number) => new RingReader(memory, number, () => {}));
    expect(readers.map((reader) => reader.sleep())).toEqual([true, true]);
    expect(writer.publish()).toBe(0);
    writer.write(1, 1, frameOf(8, 1), 0, 8);
    expect(writer.publish()).toBe(0b11);
    writer.write(1, 1, frameOf(8, 1), 0, 8);
    expect(writer.publish()).toBe(0);
    expect(readers[0]?.sleep()).toBe(false);
    expect(readers[0]?.readTo(readers[0].head)).toBe(true);
    expect(readers[0]?.sleep()).toBe(true);
  });
});
