import { describe, expect, it } from 'vitest';
import { unzstd } from '../src/ingest/unzstd.js';
import { zstdOf } from './support/itch-bytes.js';

/** What comes out, put together; each chunk is copied before the next is asked for. */
async function undone(packed: Uint8Array, chunkBytes: number): Promise<Buffer> {
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < packed.byteLength; at += chunkBytes) yield packed.subarray(at, at + chunkBytes);
  }
  const parts: Buffer[] = [];
  for await (const chunk of unzstd('a file', chunks())) parts.push(Buffer.from(chunk));
  return Buffer.concat(parts);
}

function numbered(bytes: number): Buffer {
  return Buffer.from(Uint32Array.from({ length: Math.ceil(bytes / 4) }, (_, at) => at).buffer).subarray(
    0,
    bytes,
  );
}

describe('zstd files', () => {
  // The output is handed out by the megabyte, so that what is left of a block stays inside the decoder.
  it.each([
    [[1 << 20]],
    [[100, 1 << 20]],
    [[100, (1 << 20) - 100]],
    [[3, 2 << 20]],
    [[(1 << 20) + 1, 70_000, 1]],
  ])('are whole, whatever the lengths of their frames: %j', async (lengths) => {
    const frames = lengths.map(numbered);
    for (const chunkBytes of [1 << 18, 65_539, 1 << 24]) {
      const got = await undone(Buffer.concat(frames.map(zstdOf)), chunkBytes);
      expect(got.equals(Buffer.concat(frames))).toBe(true);
    }
  });

  it.each([1, 3, 70_000])('that lack their last %i bytes are cut off', async (bytes) => {
    const packed = zstdOf(numbered(200_000));
    const cut = undone(packed.subarray(0, packed.byteLength - bytes), 1 << 18);
    await expect(cut).rejects.toMatchObject({ code: 'recording.truncated' });
  });
});
