import { Unzstd } from '#native';
import { DepthwireError } from '../errors.js';

const OUTPUT_BYTES = 1 << 20;

/**
 * Undoes zstd, chunk by chunk: Node 20 has no decoder of its own. Each chunk is valid until the next is asked for. Throws
 * `recording.truncated` when the data ends within a frame, `addon.zstd` when it is damaged.
 */
export async function* unzstd(
  path: string,
  packed: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const decoder = new Unzstd();
  const output = new Uint8Array(OUTPUT_BYTES);
  let whole = true;
  try {
    for await (const chunk of packed) {
      let used = 0;
      let produced: number;
      // Each round uses packed bytes up or fills the output; what a full output leaves in the decoder comes with the next.
      do {
        const step = decoder.run(chunk.subarray(used), output);
        used += step.consumed;
        produced = step.produced;
        whole = step.isWhole;
        if (produced > 0) yield output.subarray(0, produced);
      } while (used < chunk.byteLength || produced === OUTPUT_BYTES);
    }
  } finally {
    decoder.close();
  }
  if (!whole) {
    throw new DepthwireError('recording.truncated', {
      what: 'a zstd file ends too early',
      where: path,
      expected: 'a whole zstd file',
      got: 'a file that is cut off',
      fix: 'Copy the file again; zstd -t FILE tells whether it is whole.',
    });
  }
}
