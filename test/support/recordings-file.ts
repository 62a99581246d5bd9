import { readFileSync } from 'node:fs';
import { z } from 'zod';

/**
 * The schema of `test/recordings.json`: what independent checkers found in the real recordings, by the kind of the set. An
 * unknown field is refused as a missing one is. What a field means is said where Rust reads it, in
 * `crates/core/tests/sets/expected.rs`.
 */

const count = z.int().min(0);
/** A number as text: JSON's numbers keep 53 bits here. */
const numberText = z.string().regex(/^\d+$/);
const decimal = z.string().regex(/^\d+(\.\d+)?$/);
const crc32 = z.string().regex(/^0x[0-9a-f]{8}$/);
const name = z.string().min(1);
const instrument = z.string().regex(/^[a-z-]+:\S+$/);
/** Below the folder of the recordings. */
const path = z.string().regex(/^[^/].*[^/]$/);
const files = z.array(path).min(1);
/** Programs that the machine must have. */
const needs = z.array(z.enum(['xz']));

const bookSchema = z.strictObject({
  name,
  title: z.string().min(1),
  files,
  needs,
  instrument,
  frames: count,
  bookMessages: count,
  applied: count,
  levelChanges: count,
  appliedLevelChanges: count,
  trades: count,
  tickers: count,
  tops: count,
  bids: count,
  asks: count,
  bestBid: decimal,
  bestAsk: decimal,
  digest: z.string().regex(/^[0-9a-f]{64}$/),
});

const finalBooksSchema = z.strictObject({
  name,
  files,
  needs,
  books: z
    .array(
      z.strictObject({
        instrument,
        snapshots: count,
        updates: count,
        applied: count,
        levelChanges: count,
        trades: count,
        bids: count,
        asks: count,
        bestBid: decimal.nullable(),
        bestAsk: decimal.nullable(),
        venueSeq: numberText,
        digest: z.string().regex(/^[0-9a-f]{64}$/),
      }),
    )
    .min(1),
});

const checksumsSchema = z.strictObject({
  name,
  files,
  needs,
  instruments: z.array(instrument).min(1),
  frames: count,
  snapshots: count,
  bookMessages: count.nullable(),
  checksums: count,
  depth: count.nullable(),
  checksumsUncut: count.nullable(),
  bookTime: numberText.nullable(),
});

const ordersSchema = z.strictObject({
  name,
  files,
  needs,
  instrument,
  frames: count,
  adds: count,
  reduces: count,
  modifies: count,
  untouching: count,
  events: count,
  trades: count,
  resting: count,
  restingMax: count,
  bids: count,
  asks: count,
  bestBid: decimal,
  bestAsk: decimal,
  snapshotFile: path,
  snapshotFrames: count,
});

const orderWindowsSchema = z.strictObject({
  name,
  files,
  needs,
  instrument,
  frames: count,
  adds: count,
  modifies: count,
  deletes: count,
  crossed: count,
  restingMax: count,
  bids: count,
  asks: count,
  bestBid: decimal,
  bestAsk: decimal,
  digest: z.string().regex(/^[0-9a-f]{64}$/),
});

const restBooksSchema = z.strictObject({
  name,
  files: files.length(4),
  needs,
  instrument,
  begins: count,
  target: count,
  frames: z.tuple([count, count]),
  compared: count,
  asksUnknown: count,
});

const ownBooksSchema = z.strictObject({
  name,
  files,
  needs,
  instrument,
  created: count,
  changed: count,
  deleted: count,
  books: count,
  compared: count,
  equal: count,
  explained: count,
});

const itchSchema = z.strictObject({
  name,
  files,
  needs,
  messages: count,
  types: z.array(z.strictObject({ type: z.string().length(1), count })),
  timestamps: numberText,
  stockLocates: count,
  added: z.strictObject({ references: count, buys: count, shares: count, prices: count }),
  deletedReferences: count,
  executed: z.strictObject({ references: count, shares: count }),
  cancelledShares: count,
  replaced: z.strictObject({ references: count, newReferences: count, shares: count, prices: count }),
  tradedShares: count,
  tradedPrices: count,
  matchNumbers: count,
});

const captureSchema = z.strictObject({
  name,
  folder: path,
  files: count,
  needs,
  datagrams: count,
  notUdp: count,
  heartbeats: count,
  messages: z.array(z.strictObject({ type: z.string().length(1), bytes: count, count })),
  refused: z.array(z.strictObject({ code: z.string(), count })),
});

const datagramsSchema = z.strictObject({
  name,
  files,
  needs,
  packets: count,
  datagrams: count,
  otherBlocks: count,
  payloadBytes: count,
  times: numberText,
  ports: z.array(z.strictObject({ port: z.int().min(1).max(65_535), count })),
});

const linesSchema = z.strictObject({
  name,
  files,
  needs,
  portA: count,
  portB: count,
  first: count,
  behind: count,
  bFirst: count,
  aBehindBNs: z.strictObject({ least: z.int(), median: z.int(), most: z.int() }),
});

const transcriptSchema = z.strictObject({
  name,
  files: files.length(1),
  needs,
  format: z.enum([
    'collector',
    'namedCollector',
    'captureText',
    'captureJsonl',
    'json',
    'cbcap',
    'packets',
    'dbn',
    'binaryFileZero',
  ]),
  connected: count,
  sent: count,
  received: count,
  answered: count,
  lines: count,
  receivedBytes: count,
  crc32,
  first: numberText,
  last: numberText,
  errors: z.array(z.string()),
});

const samplesSchema = z.strictObject({
  name,
  folder: path,
  ends: z.array(z.string()),
  needs,
  files: count,
  received: count,
  answered: count,
  receivedBytes: count,
});

const archiveSchema = z.strictObject({
  name,
  files,
  needs,
  received: count,
  receivedBytes: count,
  crc32,
});

export const recordingsSchema = z.strictObject({
  books: z.array(bookSchema).min(1),
  finalBooks: z.array(finalBooksSchema).min(1),
  checksums: z.array(checksumsSchema).min(1),
  orders: z.array(ordersSchema).min(1),
  orderWindows: z.array(orderWindowsSchema).min(1),
  restBooks: z.array(restBooksSchema).min(1),
  ownBooks: z.array(ownBooksSchema).min(1),
  itch: z.array(itchSchema).min(1),
  captures: z.array(captureSchema).min(1),
  datagrams: z.array(datagramsSchema).min(1),
  lines: z.array(linesSchema).min(1),
  transcripts: z.array(transcriptSchema).min(1),
  samples: z.array(samplesSchema).min(1),
  archives: z.array(archiveSchema).min(1),
});

export type Recordings = z.infer<typeof recordingsSchema>;

/** The file as it stands, before the schema. */
export function recordingsJson(): unknown {
  return JSON.parse(readFileSync(new URL('../recordings.json', import.meta.url), 'utf8'));
}

export const RECORDINGS: Recordings = recordingsSchema.parse(recordingsJson());
