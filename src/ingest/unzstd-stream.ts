import { Unzstd } from '#native';
import { typed } from '../engine/guarded.js';
import { DepthwireError } from '../errors.js';

const OUTPUT_BYTES = 1 << 20;

/**
 * Undoes zstd of bytes that come in pieces, as of a file's or an answer's stream: Node 20 cannot. Yields at most 1 MiB each
 * time, valid until the next is asked for. Throws `addon.zstd` for damaged bytes, after all that stands in front of them, and
 * `zstd.truncated` where a frame lacks its end. Recordings on disk are better read by `RecordingReader`, which finds the rest
 * of a damaged file, too.
 */
export async function* unzstd(
  packed: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const decoder = new Unzstd();
  const output = new Uint8Array(OUTPUT_BYTES);
  let isWhole = true;
  try {
    for await (const piece of packed) {
      let used = 0;
      let produced: number;
      // What a full output leaves in the decoder comes with the next round.
      do {
        const step = run(decoder, piece.subarray(used), output);
        used += step.consumed;
        ({ produced, isWhole } = step);
        if (produced > 0) yield output.subarray(0, produced);
      } while (used < piece.byteLength || produced === OUTPUT_BYTES);
    }
  } finally {
    decoder.close();
  }
  if (!isWhole) throw truncated();
}

function run(decoder: Unzstd, packed: Uint8Array, output: Uint8Array): ReturnType<Unzstd['run']> {
  try {
    return decoder.run(packed, output);
  } catch (error) {
    throw typed(error);
  }
}

function truncated(): DepthwireError {
  return new DepthwireError('zstd.truncated', {
    what: 'zstd data ends too early',
    where: 'unzstd',
    expected: 'frames that are whole',
    got: 'a frame without its end',
    fix: 'What came out is right as far as it goes. Copy the file again; zstd -t FILE tells whether it is whole.',
  });
}
