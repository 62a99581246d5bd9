import type { ByteSink } from './byte-sink.js';

/** Values that are packed together. */
const GROUP = 8;

/** Bits that numbers from 0 to `most` take. */
export function widthOf(most: number): number {
  return 32 - Math.clz32(most);
}

/**
 * Parquet's hybrid of runs and packed bits: eight or more equal values are one and their count, others stand in groups of eight, `width`
 * bits each (0 to 24), the last of them filled up. Cost: a comparison a value, and some steps for those that are packed.
 */
export function putRuns(
  sink: ByteSink,
  values: Uint8Array | Uint16Array | Int32Array,
  count: number,
  width: number,
): void {
  let packedFrom = 0;
  for (let at = 0; at < count; ) {
    const value = values[at] as number;
    let end = at + 1;
    while (end < count && values[end] === value) end += 1;
    // Whole groups are packed: the run first fills up the one that is begun.
    const fill = (GROUP - ((at - packedFrom) % GROUP)) % GROUP;
    if (end - at - fill >= GROUP) {
      pack(sink, values, packedFrom, at + fill, width);
      sink.varint((end - at - fill) * 2);
      for (let bits = 0; bits < width; bits += 8) sink.byte(value >> bits);
      packedFrom = end;
    }
    at = end;
  }
  pack(sink, values, packedFrom, count, width);
}

function pack(
  sink: ByteSink,
  values: Uint8Array | Uint16Array | Int32Array,
  from: number,
  to: number,
  width: number,
): void {
  if (from === to) return;
  const groups = Math.ceil((to - from) / GROUP);
  sink.varint(groups * 2 + 1);
  let out = sink.length;
  const bytes = sink.claim(groups * width);
  let bits = 0;
  let held = 0;
  for (let at = from; at < from + groups * GROUP; at += 1) {
    if (at < to) bits |= (values[at] as number) << held;
    for (held += width; held >= 8; held -= 8) {
      bytes[out] = bits;
      out += 1;
      bits >>>= 8;
    }
  }
}
