import { ByteBuffer } from 'flatbuffers';

/** A column as it stands in an Arrow file: integers, doubles, or words by their dictionary; null where a row has no value. */
export type ArrowColumn = readonly (bigint | number | string | null)[];

/** A table of a flatbuffer: the place of a field, 0 = absent. */
const field = (buffer: ByteBuffer, table: number, slot: number): number => {
  const vtable = table - buffer.readInt32(table);
  const offset = 4 + slot * 2 < buffer.readInt16(vtable) ? buffer.readInt16(vtable + 4 + slot * 2) : 0;
  return offset === 0 ? 0 : table + offset;
};
const indirect = (buffer: ByteBuffer, at: number): number => at + buffer.readInt32(at);
const text = (buffer: ByteBuffer, at: number): string => {
  const from = indirect(buffer, at);
  const bytes = buffer.bytes().subarray(from + 4, from + 4 + buffer.readInt32(from));
  return new TextDecoder().decode(bytes);
};
const vector = (buffer: ByteBuffer, table: number, slot: number) => {
  const at = indirect(buffer, field(buffer, table, slot));
  return { from: at + 4, length: buffer.readInt32(at) };
};
/** A 64-bit field, which is 0 where it is absent. */
const longOf = (buffer: ByteBuffer, table: number, slot: number): bigint => {
  const at = field(buffer, table, slot);
  return at === 0 ? 0n : buffer.readInt64(at);
};

interface Field {
  readonly name: string;
  /** Of an integer or a double; 0 of a text. */
  readonly bits: number;
  readonly isDouble: boolean;
  readonly dictionary: bigint | undefined;
}

/** Reads a file as Arrow's documents say, by its footer alone; of types, those that an export has. */
export function readArrow(bytes: Uint8Array): {
  readonly metadata: ReadonlyMap<string, string>;
  readonly columns: ReadonlyMap<string, ArrowColumn>;
} {
  // Parts of a Buffer would be views of all of it.
  const file = Uint8Array.from(bytes);
  const view = new DataView(file.buffer);
  const footerBytes = view.getInt32(file.byteLength - 10, true);
  const footer = new ByteBuffer(file.subarray(file.byteLength - 10 - footerBytes, file.byteLength - 10));
  const root = indirect(footer, 0);
  const schema = indirect(footer, field(footer, root, 1));
  const metadata = new Map<string, string>();
  const pairs = vector(footer, schema, 2);
  for (let at = 0; at < pairs.length; at += 1) {
    const pair = indirect(footer, pairs.from + at * 4);
    metadata.set(text(footer, field(footer, pair, 0)), text(footer, field(footer, pair, 1)));
  }
  const fields: Field[] = [];
  const list = vector(footer, schema, 1);
  for (let at = 0; at < list.length; at += 1) {
    const table = indirect(footer, list.from + at * 4);
    const kind = footer.readInt8(field(footer, table, 2));
    const type = indirect(footer, field(footer, table, 3));
    const dictionary = field(footer, table, 4);
    fields.push({
      name: text(footer, field(footer, table, 0)),
      bits: kind === 2 ? footer.readInt32(field(footer, type, 0)) : kind === 3 ? 64 : 0,
      isDouble: kind === 3,
      dictionary: dictionary === 0 ? undefined : longOf(footer, indirect(footer, dictionary), 0),
    });
  }
  const words = new Map<bigint, ArrowColumn>();
  for (const { table, buffer, body } of messages(file, footer, vector(footer, root, 2))) {
    const batch = indirect(buffer, field(buffer, table, 1));
    const [column] = columnsOf(
      buffer,
      batch,
      body,
      [{ name: '', bits: 0, isDouble: false, dictionary: undefined }],
      words,
    );
    words.set(longOf(buffer, table, 0), column ?? []);
  }
  const columns = new Map<string, ArrowColumn>(fields.map(({ name }) => [name, []]));
  for (const { table, buffer, body } of messages(file, footer, vector(footer, root, 3))) {
    for (const [index, column] of columnsOf(buffer, table, body, fields, words).entries()) {
      const { name } = fields[index] as Field;
      columns.set(name, [...(columns.get(name) ?? []), ...column]);
    }
  }
  return { metadata, columns };
}

/** The headers of the messages that the footer names, with their bodies. */
function* messages(
  file: Uint8Array,
  footer: ByteBuffer,
  { from, length }: { readonly from: number; readonly length: number },
) {
  for (let at = 0; at < length; at += 1) {
    const place = from + at * 24;
    const offset = Number(footer.readInt64(place));
    const metadataBytes = footer.readInt32(place + 8);
    const bodyBytes = Number(footer.readInt64(place + 16));
    const buffer = new ByteBuffer(file.subarray(offset + 8, offset + metadataBytes));
    const root = indirect(buffer, 0);
    const body = file.subarray(offset + metadataBytes, offset + metadataBytes + bodyBytes);
    yield { buffer, body, table: indirect(buffer, field(buffer, root, 2)) };
  }
}

function columnsOf(
  buffer: ByteBuffer,
  batch: number,
  body: Uint8Array,
  fields: readonly Field[],
  words: ReadonlyMap<bigint, ArrowColumn>,
): readonly ArrowColumn[] {
  const rows = Number(buffer.readInt64(field(buffer, batch, 0)));
  const places = vector(buffer, batch, 2);
  let next = 0;
  const take = (): Uint8Array => {
    const at = places.from + next++ * 16;
    const from = Number(buffer.readInt64(at));
    return body.slice(from, from + Number(buffer.readInt64(at + 8)));
  };
  return fields.map(({ bits, isDouble, dictionary }) => {
    const valid = take();
    const isThere = (row: number) => valid.length === 0 || (((valid[row >> 3] ?? 0) >> (row & 7)) & 1) === 1;
    const values = take();
    const view = new DataView(values.buffer);
    const value = (row: number): ArrowColumn[number] => {
      if (dictionary !== undefined) return words.get(dictionary)?.[view.getInt16(row * 2, true)] ?? null;
      if (isDouble) return view.getFloat64(row * 8, true);
      if (bits === 64) return view.getBigInt64(row * 8, true);
      return BigInt(view.getInt8(row));
    };
    if (bits > 0 || dictionary !== undefined)
      return Array.from({ length: rows }, (_, row) => (isThere(row) ? value(row) : null));
    const texts = take();
    return Array.from({ length: rows }, (_, row) => {
      const [from, to] = [view.getInt32(row * 4, true), view.getInt32(row * 4 + 4, true)];
      return isThere(row) ? new TextDecoder().decode(texts.subarray(from, to)) : null;
    });
  });
}
