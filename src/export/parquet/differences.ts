import type { ByteSink } from './byte-sink.js';

/** Values of a block, which share the difference that theirs are counted from, and of a part, which share a width. */
const BLOCK = 128;
const PARTS = 4;
const PART = BLOCK / PARTS;

// Of the block that is written; of no use between two calls.
const lows = new Int32Array(BLOCK);
const highs = new Int32Array(BLOCK);
const packed = new Uint32Array(64);
const packedBytes = new Uint8Array(packed.buffer);

/**
 * Parquet's DELTA_BINARY_PACKED of 64-bit integers, given by their words, the low one first: each as its difference to the one
 * before, all numbers modulo 2^64, in blocks of which only what goes beyond the smallest difference is written, in as few bits as the
 * largest takes. Of one value at least. Cost: some twenty steps a value.
 */
export function putDifferences(sink: ByteSink, words: Int32Array, count: number): void {
  sink.varint(BLOCK);
  sink.varint(PARTS);
  sink.varint(count);
  sink.zigzag(words[0] as number, words[1] as number);
  for (let from = 1; from < count; from += BLOCK) putBlock(sink, words, from, Math.min(count - from, BLOCK));
}

function putBlock(sink: ByteSink, words: Int32Array, from: number, count: number): void {
  let leastLow = 0;
  let leastHigh = 0;
  let low = words[from * 2 - 2] as number;
  let high = words[from * 2 - 1] as number;
  for (let at = 0; at < count; at += 1) {
    const nextLow = words[(from + at) * 2] as number;
    const nextHigh = words[(from + at) * 2 + 1] as number;
    const differenceLow = (nextLow - low) | 0;
    const differenceHigh = (nextHigh - high - (nextLow >>> 0 < low >>> 0 ? 1 : 0)) | 0;
    lows[at] = differenceLow;
    highs[at] = differenceHigh;
    if (
      at === 0 ||
      differenceHigh < leastHigh ||
      (differenceHigh === leastHigh && differenceLow >>> 0 < leastLow >>> 0)
    ) {
      leastLow = differenceLow;
      leastHigh = differenceHigh;
    }
    low = nextLow;
    high = nextHigh;
  }
  sink.zigzag(leastLow, leastHigh);
  for (let at = 0; at < count; at += 1) {
    const differenceLow = lows[at] as number;
    lows[at] = differenceLow - leastLow;
    highs[at] = (highs[at] as number) - leastHigh - (differenceLow >>> 0 < leastLow >>> 0 ? 1 : 0);
  }
  // What lies behind the last value is filled up with nothing.
  lows.fill(0, count);
  highs.fill(0, count);
  const widthsAt = sink.length;
  sink.claim(PARTS).fill(0, widthsAt, widthsAt + PARTS);
  for (let part = 0; part * PART < count; part += 1) {
    const width = widthOfPart(part * PART);
    packPart(part * PART, width);
    sink.bytes(packedBytes.subarray(0, width * (PART / 8)));
    sink.claim(0)[widthsAt + part] = width;
  }
}

function widthOfPart(from: number): number {
  let low = 0;
  let high = 0;
  for (let at = from; at < from + PART; at += 1) {
    low |= lows[at] as number;
    high |= highs[at] as number;
  }
  return high === 0 ? 32 - Math.clz32(low) : 64 - Math.clz32(high);
}

/** Thirty-two values of `width` bits are as many words of thirty-two bits. */
function packPart(from: number, width: number): void {
  packed.fill(0, 0, width);
  for (let at = 0, bit = 0; at < PART; at += 1, bit += width) {
    packWord(lows[from + at] as number, bit, width);
    if (width > 32) packWord(highs[from + at] as number, bit + 32, width - 32);
  }
}

/** The word, of whose bits none stands above `width`, or above the word. */
function packWord(value: number, bit: number, width: number): void {
  const at = bit >>> 5;
  const shift = bit & 31;
  packed[at] = (packed[at] as number) | (value << shift);
  if (shift > 0 && shift + Math.min(width, 32) > 32) packed[at + 1] = value >>> (32 - shift);
}
