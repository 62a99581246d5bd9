import type { ByteSink } from './byte-sink.js';

/** Bytes that are looked through as one: a place within has 16 bits, and no copy reaches farther. */
const FRAGMENT = 1 << 16;
const SLOT_BITS = 12;
/** Least bytes of a copy, and most. */
const COPY_MIN = 4;
const COPY_MAX = 64;
/** Steps at which nothing was found before the next is longer by one: what cannot be packed is passed over fast. */
const SKIP_BITS = 4;

/** Where four bytes stood last, by a hash of them. */
const slots = new Uint16Array(1 << SLOT_BITS);

/**
 * Snappy's raw format: what stood before within 64 KiB is a reference to it. Greedy, after the format's description in
 * google/snappy. At worst a sixth larger than the input. Cost: some steps a byte, fewer where nothing repeats.
 */
export function putSnappy(sink: ByteSink, input: Uint8Array): void {
  sink.varint(input.byteLength);
  for (let from = 0; from < input.byteLength; from += FRAGMENT)
    putFragment(sink, input, from, Math.min(input.byteLength, from + FRAGMENT));
}

function putFragment(sink: ByteSink, input: Uint8Array, from: number, to: number): void {
  slots.fill(0);
  let literalFrom = from;
  let at = from + 1;
  let misses = 1 << SKIP_BITS;
  while (at + COPY_MIN <= to) {
    const word = wordAt(input, at);
    const slot = Math.imul(word, 0x1e35a7bd) >>> (32 - SLOT_BITS);
    const before = from + (slots[slot] as number);
    slots[slot] = at - from;
    if (before >= at || wordAt(input, before) !== word) {
      at += misses >> SKIP_BITS;
      misses += 1;
      continue;
    }
    let end = at + COPY_MIN;
    for (let like = before + COPY_MIN; end < to && input[end] === input[like]; like += 1) end += 1;
    putLiteral(sink, input, literalFrom, at);
    putCopies(sink, at - before, end - at);
    at = end;
    literalFrom = end;
    misses = 1 << SKIP_BITS;
  }
  putLiteral(sink, input, literalFrom, to);
}

function wordAt(input: Uint8Array, at: number): number {
  return (
    (input[at] as number) |
    ((input[at + 1] as number) << 8) |
    ((input[at + 2] as number) << 16) |
    ((input[at + 3] as number) << 24)
  );
}

function putLiteral(sink: ByteSink, input: Uint8Array, from: number, to: number): void {
  if (from === to) return;
  const last = to - from - 1;
  if (last < 60) sink.byte(last << 2);
  else if (last < 0x100) {
    sink.byte(60 << 2);
    sink.byte(last);
  } else {
    // A fragment has 64 KiB at most.
    sink.byte(61 << 2);
    sink.byte(last);
    sink.byte(last >> 8);
  }
  sink.bytes(input.subarray(from, to));
}

function putCopies(sink: ByteSink, offset: number, length: number): void {
  let left = length;
  while (left > 0) {
    // No copy of fewer than four is left over.
    const part = left <= COPY_MAX ? left : Math.min(COPY_MAX, left - COPY_MIN);
    sink.byte(((part - 1) << 2) | 2);
    sink.byte(offset);
    sink.byte(offset >> 8);
    left -= part;
  }
}
