import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { constants, createDeflateRaw, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { RecordingDamage } from '../src/ingest/damage.js';
import { readHead, readRecording, surveyRecording } from '../src/ingest/recording.js';

const folder = mkdtempSync(join(tmpdir(), 'depthwire-gzip-'));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
function file(...parts: readonly Uint8Array[]): string {
  files += 1;
  const path = join(folder, `packed-${files}`);
  writeFileSync(path, Buffer.concat(parts));
  return path;
}

/** Texts, with the kinds of damage between them. */
async function read(path: string, isSurveyed: boolean): Promise<readonly string[]> {
  const out: string[] = [];
  let text: Buffer[] = [];
  const survey = isSurveyed ? await surveyRecording(path) : undefined;
  for await (const part of readRecording(path, () => {}, survey)) {
    if (part instanceof RecordingDamage) {
      out.push(Buffer.concat(text).toString(), part.kind);
      text = [];
    } else {
      text.push(Buffer.from(part));
    }
  }
  return [...out, Buffer.concat(text).toString()];
}

const lines = (from: number, count: number): string =>
  Array.from(
    { length: count },
    (_, at) => `${from + at} {"price":"${((from + at) * 7919) % 10_007}"}\n`,
  ).join('');

/** Names a long text, so that a difference is told by a line. */
const brief = (text: string): string =>
  text.length < 100 ? text : `${text.length} ${createHash('sha256').update(text).digest('hex').slice(0, 12)}`;
const briefly = (texts: readonly string[]): readonly string[] => texts.map(brief);

const A = lines(0, 20_000);
const B = lines(50_000, 30_000);
const [packedA, packedB] = [gzipSync(A), gzipSync(B)];

/** A member as of a recorder that flushed its lines and was killed: the deflate stream has no end. */
async function flushed(text: string): Promise<Buffer> {
  const deflate = createDeflateRaw();
  const chunks: Buffer[] = [];
  deflate.on('data', (chunk: Buffer) => chunks.push(chunk));
  deflate.write(text);
  await new Promise<void>((resolve) => deflate.flush(constants.Z_SYNC_FLUSH, resolve));
  return Buffer.concat([Buffer.from('1f8b08000000000000ff', 'hex'), ...chunks]);
}

describe.each([true, false])('a gzip file (surveyed: %s)', (isSurveyed) => {
  const all = async (...parts: readonly Uint8Array[]): Promise<readonly string[]> =>
    briefly(await read(file(...parts), isSurveyed));

  it('of one member or several is read whole', async () => {
    expect(await all(packedA)).toEqual(briefly([A]));
    expect(await all(packedA, gzipSync(''), packedB, packedA)).toEqual(briefly([A + B + A]));
  });

  it('may have a name, a comment, an extra field and a checksum in its header', async () => {
    const header = Buffer.from('1f8b081e00000000000304006162636400', 'hex');
    // Extra field of four bytes, then an empty name, a comment of one letter, two bytes of checksum.
    const rich = Buffer.concat([header, Buffer.from('7a00beef', 'hex'), packedA.subarray(10)]);
    expect(await all(rich, packedB)).toEqual(briefly([A + B]));
    const named = Buffer.concat([
      Buffer.from('1f8b0808000000000003', 'hex'),
      Buffer.from(`${'n'.repeat(10_000)}\0`),
      packedB.subarray(10),
    ]);
    expect(await all(named)).toEqual(briefly([B]));
  });

  it('is whole with zeros at its end', async () => {
    expect(await all(packedA, Buffer.alloc(300_000))).toEqual(briefly([A]));
  });

  it('that was being written is right as far as it goes', async () => {
    expect(await all(await flushed(A))).toEqual(briefly([A, 'truncated', '']));
  });

  it.each([1, 5, 8])('that lacks its last %i bytes lacks its proof alone', async (bytes) => {
    expect(await all(packedA, packedB.subarray(0, -bytes))).toEqual(briefly([A + B, 'truncated', '']));
  });

  it.each([1, 9, 10])('that ends after %i bytes of a header is cut off', async (bytes) => {
    expect(await all(packedA, packedB.subarray(0, bytes))).toEqual(briefly([A, 'truncated', '']));
  });

  it('with other bytes behind its last member is right, and says so', async () => {
    expect(await all(packedA, Buffer.from('no gzip data at all'))).toEqual(briefly([A, 'trailing', '']));
    expect(await all(packedA, Buffer.from('between'), packedB)).toEqual(briefly([A, 'trailing', B]));
  });

  it.each([
    ['CRC-32', 8],
    ['length', 4],
  ])('whose %s is wrong is damaged, and the next member is read', async (_what, fromEnd) => {
    const wrong = Buffer.from(packedA);
    const at = wrong.length - fromEnd;
    wrong[at] = (wrong[at] ?? 0) ^ 1;
    expect(await all(wrong, packedB)).toEqual(briefly([A, 'corrupt', B]));
  });

  it('that is damaged in its middle gives what stands before', async () => {
    const wrong = Buffer.from(packedB);
    wrong.fill(0, wrong.length >> 1, (wrong.length >> 1) + 64);
    const [before = '', damage, behind] = await read(file(wrong, packedA), isSurveyed);
    expect([damage, brief(behind ?? '')]).toEqual(['corrupt', brief(A)]);
    const same = [...before].findIndex((letter, at) => letter !== B[at]);
    expect(same === -1 ? before.length : same).toBeGreaterThan(B.length / 3);
  });
});

it('a gzip file goes on behind members that a killed recorder left unfinished', async () => {
  const parts = [packedB, await flushed(A), await flushed(B), packedA];
  const path = file(...parts);
  expect(briefly(await read(path, true))).toEqual(briefly([B + A, 'truncated', B, 'truncated', A]));
  // Without a look ahead, what follows is only seen by its damage, and is read all the same.
  const [first = '', damage, ...rest] = await read(path, false);
  expect((B + A).startsWith(first.slice(0, B.length + A.length - 20_000))).toBe(true);
  expect([damage, rest.at(-1) === A]).toEqual(['corrupt', true]);
});

it('a gzip file cut within a block ends where it was cut, though another member follows', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 200, max: packedB.length - 9 }), async (bytes) => {
      const path = file(packedA, packedB.subarray(0, bytes), packedA);
      const [first = '', damage, ...rest] = await read(path, true);
      expect([damage, briefly(rest)]).toEqual(['truncated', [brief(A)]]);
      expect((A + B).startsWith(first)).toBe(true);
      expect(first.length).toBeGreaterThan(A.length);
    }),
    { numRuns: 40 },
  );
});

it('a file of another packing is named, with what unpacks it', async () => {
  const magics = [
    'fd377a585a000004',
    '504b030414000000',
    '504b050600000000',
    '425a683931415926',
    '04224d1864409000',
  ];
  const got: unknown[] = [];
  for (const magic of magics) {
    const path = file(Buffer.from(magic, 'hex'), Buffer.alloc(100, 7));
    const error = (await readHead(path).catch((thrown: unknown) => thrown)) as RecordingDamage;
    got.push([error.code, error.got, error.fix.endsWith(path)]);
  }
  expect(got).toEqual(['xz', 'zip', 'zip', 'bzip2', 'lz4'].map((name) => ['recording.packing', name, true]));
});

it('a packed file above the limit is not surveyed', async () => {
  const path = file(packedA);
  expect(await surveyRecording(path, packedA.length)).toMatchObject({ damages: [] });
  expect(await surveyRecording(path, packedA.length - 1)).toBeUndefined();
  expect(await surveyRecording(file(Buffer.from(A)))).toBeUndefined();
});
