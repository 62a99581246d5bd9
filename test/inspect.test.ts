import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { convert } from '../src/cli/convert.js';
import type { InspectedFile } from '../src/cli/inspect.js';
import { endOf } from './support/command.js';
import { linesOf } from './support/damage.js';
import { simulatedRecording } from './support/recording.js';

const folder = mkdtempSync(join(tmpdir(), 'depthwire-inspect-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Several blocks of a journal. */
const RECORDING_MS = 80_000;

let files = 0;
function named(ending: string): string {
  files += 1;
  return join(folder, `${files}${ending}`);
}

function recorded(text: string | Uint8Array, ending = '.txt'): string {
  const file = named(ending);
  writeFileSync(file, text);
  return file;
}

async function inspected(...paths: readonly string[]) {
  const { code, out } = await endOf(['inspect', '--json', ...paths]);
  return { code, files: (JSON.parse(out) as { readonly files: readonly InspectedFile[] }).files };
}

const CAPTURE = [
  'wss://a <-> 1617643607.5',
  'wss://a <- 1617643608: {"subscribe":1}',
  '1617643609: {"d":4}',
  '1617643608.5: {"d":5}',
  'https://e -> 1617643610: {}',
  '',
].join('\n');

describe('inspect', () => {
  it('counts what a recording holds, by connections, with its times', async () => {
    const { code, files: found } = await inspected(recorded(CAPTURE));
    expect(code).toBe(0);
    const counts = { began: 0, heads: 0, connected: 1, closed: 0, sent: 1, received: 2, datagrams: 0 };
    expect(found).toMatchObject([
      {
        form: 'capture-text',
        fileBytes: CAPTURE.length,
        segment: null,
        holds: { ...counts, answered: 1, firstNs: '1617643607500000000', lastNs: '1617643610000000000' },
        backward: 1,
        connections: [{ line: 0, address: 'wss://a', ...counts, answered: 0 }],
        faults: [],
        faultsCounted: 0,
      },
    ]);
  });

  it('says the same of a packed file, and of the journal that is made of it, segment by segment', async () => {
    const text = simulatedRecording('BTCUSDT', RECORDING_MS);
    const plain = recorded(text);
    const [file] = (await inspected(plain)).files;
    const [packed] = (await inspected(recorded(gzipSync(text), '.gz'))).files;
    expect(packed?.holds).toEqual(file?.holds);
    expect(file?.holds.received).toBe(linesOf(text).length);
    const { segments } = await convert({ files: [plain], folder: named('.j'), segmentBytes: 100 << 10 });
    const { code, files: found } = await inspected(...segments);
    expect(code).toBe(0);
    expect(found.length).toBeGreaterThan(2);
    expect(found.reduce((sum, { holds }) => sum + holds.received, 0)).toBe(file?.holds.received);
    let due = 0n;
    for (const [index, { form, segment }] of found.entries()) {
      expect(form).toBe('journal');
      expect(segment).toMatchObject({ number: String(index), firstRecord: String(due), isClosed: true });
      expect(segment?.journal).toBe(found[0]?.segment?.journal);
      due = BigInt(segment?.nextRecord ?? 0);
    }
    expect(due).toBe(BigInt(linesOf(text).length));
  });

  it('names the records that are missing, and fails', async () => {
    const file = recorded(simulatedRecording('BTCUSDT', RECORDING_MS));
    const { segments } = await convert({ files: [file], folder: named('.j'), segmentBytes: 100 << 10 });
    const [first = '', second = '', third = ''] = segments;
    const missing = await inspected(first, third);
    expect(missing.code).toBe(1);
    const [, { segment, faults } = {}] = missing.files;
    expect(faults).toMatchObject([{ code: 'journal.segment_order', record: segment?.firstRecord, entry: 0 }]);
    const bytes = readFileSync(second);
    const cut = await inspected(recorded(bytes.subarray(0, bytes.length - 100), '.dwj'));
    expect(cut).toMatchObject({ code: 1, files: [{ segment: { isClosed: false }, faultsCounted: 1 }] });
    expect(cut.files[0]?.faults[0]?.code).toBe('journal.cut');
    bytes.writeUInt8(bytes.readUInt8(500) ^ 4, 500);
    const damaged = await inspected(recorded(bytes, '.dwj'));
    const from = damaged.files[0]?.segment?.firstRecord;
    expect(damaged.files[0]?.faults[0]).toMatchObject({ code: 'journal.damaged_block', record: from });
  });

  it('tells what is wrong with a packed file, and goes on with the next', async () => {
    const packed = gzipSync(simulatedRecording('BTCUSDT', 2000));
    const cut = recorded(packed.subarray(0, packed.length - 500), '.gz');
    const { code, files: found } = await inspected(cut, recorded(CAPTURE));
    expect(code).toBe(1);
    expect(found[0]).toMatchObject({ damages: [{ code: 'recording.truncated' }] });
    expect(found[1]).toMatchObject({ form: 'capture-text', faultsCounted: 0, holds: { began: 1 } });
  });

  it('is read by people, too', async () => {
    const file = recorded(`${CAPTURE}no line\n`);
    const { code, out } = await endOf(['inspect', file]);
    expect(code).toBe(1);
    expect(out).toContain(`${file}\n  form     capture-text\n`);
    expect(out).toContain('1 connected, 1 sent, 2 received, 1 answered');
    expect(out).toContain('2021-04-05T17:26:47.500000000Z to 2021-04-05T17:26:50.000000000Z, 1 before');
    expect(out).toContain('connection 0  wss://a: 1 connected, 1 sent, 2 received');
    expect(out).toMatch(/behind 5 entries: .*\(recording\./);
  });

  it('says that a file is none', async () => {
    const { code, files: found } = await inspected(recorded('GIF89a and more of it'));
    expect(code).toBe(1);
    expect(found).toMatchObject([{ form: null, faultsCounted: 1 }]);
    expect((await endOf(['inspect', '/nowhere'])).code).toBe(2);
  });
});
