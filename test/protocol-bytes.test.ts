import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

/**
 * The bytes that docs/protocol.md tells a reader in another language: held against the schema, and used, alone, to read every
 * test vector.
 */
const PAGE = readFileSync(new URL('../docs/protocol.md', import.meta.url), 'utf8');
const SCHEMA = readFileSync(new URL('../crates/core/schema/feed.fbs', import.meta.url), 'utf8');
const { vectors } = JSON.parse(
  readFileSync(new URL('../crates/core/schema/vectors.json', import.meta.url), 'utf8'),
) as { readonly vectors: readonly { readonly name: string; readonly hex: string; readonly frame: object }[] };

interface Row {
  readonly field: string;
  readonly at: number;
  readonly type: string;
}

interface Struct {
  readonly bytes: number;
  readonly rows: readonly Row[];
}

interface Entry {
  readonly entry: number;
  readonly field: string;
  readonly struct: string;
  readonly isVector: boolean;
}

/** The structs as the page has them. */
const STRUCTS = new Map<string, Struct>(
  [...PAGE.matchAll(/^### (\w+): (\d+) bytes\n\| field .*\n\|[-|]+\n((?:\|.*\n)+)/gm)].map(
    ([, name = '', bytes, rows = '']) => [
      name,
      {
        bytes: Number(bytes),
        rows: [...rows.matchAll(/^\| `(\w+)` \| (\d+) \| ([\w()]+) \| \S.* \|$/gm)].map(
          ([, field = '', at, type = '']) => ({ field, at: Number(at), type }),
        ),
      },
    ],
  ),
);

/** The table's fields as the page has them. */
const ENTRIES: readonly Entry[] = [
  ...PAGE.matchAll(/^\| (\d+) \| `(\w+)` \| (vector of )?(\w+) \| \S.* \|$/gm),
].map(([, entry, field = '', vector, struct = '']) => ({
  entry: Number(entry),
  field,
  struct,
  isVector: vector !== undefined,
}));

const TYPES: Readonly<Record<string, readonly [type: string, bytes: number]>> = {
  ulong: ['u64', 8],
  long: ['i64', 8],
  uint: ['u32', 4],
  ushort: ['u16', 2],
  ubyte: ['u8', 1],
  byte: ['i8', 1],
};

/** The layout that FlatBuffers give a struct: each field at a multiple of its size, the whole a multiple of the greatest. */
function layoutOf(body: string): Struct {
  let end = 0;
  let greatest = 1;
  const rows = [...body.matchAll(/^ {2}(\w+): ([^;]+);/gm)].map(([, field = '', text = '']) => {
    const [, count] = /^\[ubyte:(\d+)\]$/.exec(text) ?? [];
    const [type, bytes] = count === undefined ? (TYPES[text] ?? ['?', 1]) : [`bytes(${count})`, 1];
    const at = Math.ceil(end / bytes) * bytes;
    greatest = Math.max(greatest, bytes);
    end = at + bytes * Number(count ?? 1);
    return { field, at, type };
  });
  return { bytes: Math.ceil(end / greatest) * greatest, rows };
}

function read(view: DataView, at: number, type: string): number | string {
  switch (type) {
    case 'u64':
      return String(view.getBigUint64(at, true));
    case 'i64':
      return String(view.getBigInt64(at, true));
    case 'u32':
      return view.getUint32(at, true);
    case 'u16':
      return view.getUint16(at, true);
    case 'u8':
      return view.getUint8(at);
    case 'i8':
      return view.getInt8(at);
    default: {
      const [, count] = /^bytes\((\d+)\)$/.exec(type) ?? [];
      expect(count, type).toBeDefined();
      const bytes = new Uint8Array(view.buffer, view.byteOffset + at, Number(count));
      return new TextDecoder().decode(bytes).replace(/\0+$/, '');
    }
  }
}

function readStruct(view: DataView, at: number, name: string): Record<string, number | string> {
  const rows = STRUCTS.get(name)?.rows ?? [];
  return Object.fromEntries(
    rows.map(({ field, at: offset, type }) => [field, read(view, at + offset, type)]),
  );
}

/** A frame by the steps of the page. */
function readFrame(bytes: Uint8Array): Record<string, unknown> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  expect(view.getUint32(0, true) + 4).toBe(bytes.byteLength);
  expect(bytes.byteLength % 8).toBe(0);
  expect(new TextDecoder().decode(bytes.subarray(8, 12))).toBe('DWF1');
  const table = 4 + view.getUint32(4, true);
  const vtable = table - view.getInt32(table, true);
  const vtableBytes = view.getUint16(vtable, true);
  const frame: Record<string, unknown> = {};
  for (const { entry, field, struct, isVector } of ENTRIES) {
    const offset = entry + 2 > vtableBytes ? 0 : view.getUint16(vtable + entry, true);
    if (offset === 0) continue;
    const at = table + offset;
    if (!isVector) {
      frame[field] = readStruct(view, at, struct);
      continue;
    }
    const vector = at + view.getUint32(at, true);
    const size = STRUCTS.get(struct)?.bytes ?? Number.NaN;
    frame[field] = Array.from({ length: view.getUint32(vector, true) }, (_, index) =>
      readStruct(view, vector + 4 + index * size, struct),
    );
  }
  return frame;
}

/** What a vector does not say because there is nothing: empty lists and an absent one are the same to a reader. */
const withoutEmpty = (frame: object): object =>
  Object.fromEntries(Object.entries(frame).filter(([, value]) => !Array.isArray(value) || value.length > 0));

describe('the bytes of a frame, by docs/protocol.md', () => {
  it('are those of the schema, struct by struct', () => {
    const structs = [...SCHEMA.matchAll(/^struct (\w+) \{\n(.*?)^\}/gms)].map(([, name = '', body = '']) => [
      name,
      layoutOf(body),
    ]);
    expect(structs.length).toBeGreaterThan(10);
    expect([...STRUCTS]).toEqual(structs);
  });

  it('have the fields of the table at the schema’s entries', () => {
    const table = SCHEMA.slice(SCHEMA.indexOf('table Frame'));
    const fields = [...table.matchAll(/^ {2}(\w+): (\[?)(\w+)\]?/gm)];
    expect(ENTRIES).toEqual(
      fields.map(([, field, bracket, struct], index) => ({
        entry: 4 + 2 * index,
        field,
        struct,
        isVector: bracket !== '',
      })),
    );
  });

  it.each(vectors.map(({ name, hex, frame }) => [name, hex, frame] as const))(
    'read the vector: %s',
    (_name, hex, frame) => {
      expect(withoutEmpty(readFrame(Uint8Array.from(Buffer.from(hex, 'hex'))))).toEqual(withoutEmpty(frame));
    },
  );

  it('are told byte by byte of the second vector', () => {
    const [, dump = ''] = /^### A frame whole\n[^`]*(?:`book`[^`]*)```text\n(.*?)```/ms.exec(PAGE) ?? [];
    const lines = [...dump.matchAll(/^ *(\d+) {2}((?:[\da-f]{2} ?)+?) {2,}\S.*$/gm)];
    expect(lines).toHaveLength(dump.trimEnd().split('\n').length);
    let bytes = '';
    for (const [, at, part = ''] of lines) {
      expect(Number(at)).toBe(bytes.length / 2);
      bytes += part.replaceAll(' ', '');
    }
    expect(bytes).toBe(vectors[1]?.hex);
  });
});
