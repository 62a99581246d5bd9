import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { RecordingDamage } from '../src/ingest/damage.js';
import { readRecording, surveyRecording } from '../src/ingest/recording.js';
import { ZSTD_BLOCK_BYTES, zstdOf } from './support/itch-bytes.js';

const folder = mkdtempSync(join(tmpdir(), 'depthwire-zstd-'));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
function file(...parts: readonly Uint8Array[]): string {
  files += 1;
  const path = join(folder, `packed-${files}`);
  writeFileSync(path, Buffer.concat(parts));
  return path;
}

/** What comes out, as bytes put together and kinds of damage between them. */
async function undone(path: string): Promise<readonly (Buffer | string)[]> {
  const out: (Buffer | string)[] = [Buffer.alloc(0)];
  for await (const part of readRecording(path, () => {}, await surveyRecording(path))) {
    const last = out.at(-1);
    if (part instanceof RecordingDamage) out.push(part.kind);
    else if (last instanceof Buffer) out[out.length - 1] = Buffer.concat([last, part]);
    else out.push(Buffer.from(part));
  }
  return out;
}

/** Whether the same stands in both, told without printing megabytes. */
function same(got: readonly (Buffer | string)[], expected: readonly (Buffer | string)[]): boolean {
  return (
    got.length === expected.length &&
    got.every((part, at) => {
      const other = expected[at];
      return typeof part === 'string' || typeof other === 'string' || other === undefined
        ? part === other
        : part.equals(other);
    })
  );
}

function numbered(bytes: number): Buffer {
  return Buffer.from(Uint32Array.from({ length: Math.ceil(bytes / 4) }, (_, at) => at).buffer).subarray(
    0,
    bytes,
  );
}

/** A frame that readers pass over: pzstd writes one with the length of the frame behind it. */
function skippable(bytes: number, kind = 0): Buffer {
  const frame = Buffer.alloc(8 + bytes, 0x28);
  frame.writeUInt32LE(0x184d2a50 + kind, 0);
  frame.writeUInt32LE(bytes, 4);
  return frame;
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
    const path = file(...frames.map(zstdOf));
    expect(same(await undone(path), [Buffer.concat(frames)])).toBe(true);
    expect((await surveyRecording(path))?.damages).toEqual([]);
  });

  it.each([1, 3, 70_000])('that lack their last %i bytes are cut off', async (bytes) => {
    const packed = zstdOf(numbered(200_000));
    const path = file(packed.subarray(0, packed.byteLength - bytes));
    const [content, ...damages] = await undone(path);
    expect(damages).toEqual(['truncated']);
    expect(same([numbered(200_000).subarray(0, content?.length)], [content ?? ''])).toBe(true);
  });

  const a = numbered(100_000);
  const b = numbered(300_000);

  it.each<[string, readonly Uint8Array[]]>([
    ['at the beginning, as of pzstd', [skippable(4), zstdOf(a), skippable(4), zstdOf(b)]],
    [
      'in the middle and at the end',
      [zstdOf(a), skippable(1000, 15), skippable(0), zstdOf(b), skippable(300_000)],
    ],
    ['in a row at the beginning', [skippable(0), skippable(5, 7), zstdOf(a), zstdOf(b)]],
  ])('may hold frames to be skipped %s', async (_where, parts) => {
    expect(same(await undone(file(...parts)), [Buffer.concat([a, b])])).toBe(true);
  });

  it('that end within a frame to be skipped are cut off', async () => {
    const parts = await undone(file(zstdOf(a), skippable(100).subarray(0, 50)));
    expect(same(parts, [a, 'truncated'])).toBe(true);
  });

  it('whose frame has no end are read on from the next one', async () => {
    const cut = zstdOf(b).subarray(0, -70_000);
    const path = file(zstdOf(a), cut, zstdOf(a), skippable(3), zstdOf(b));
    const [before, damage, behind, ...more] = await undone(path);
    expect([damage, more]).toEqual(['truncated', []]);
    expect(same([behind ?? ''], [Buffer.concat([a, b])])).toBe(true);
    if (!(before instanceof Buffer)) throw new Error('nothing was read');
    const begun = before.subarray(a.length);
    expect(begun.length).toBeGreaterThan(100_000);
    expect(b.subarray(0, begun.length).equals(begun)).toBe(true);
  });

  it('that are damaged say so, and what stands behind is read', async () => {
    const damaged = zstdOf(b);
    // The header of the second block then names a kind of block that does not exist.
    damaged.fill(0xff, 9 + 3 + ZSTD_BLOCK_BYTES, 9 + 3 + ZSTD_BLOCK_BYTES + 3);
    const [, damage, behind] = await undone(file(damaged, zstdOf(a)));
    expect([damage, same([behind ?? ''], [a])]).toEqual(['corrupt', true]);
  });
});
