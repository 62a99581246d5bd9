import { z } from 'zod';

/** 64-bit numbers are texts, since not every reader's numbers hold them. */
const bigInteger = z
  .string()
  .regex(/^-?\d+$/)
  .describe('A 64-bit integer');
const decimal = z
  .string()
  .regex(/^-?\d+(\.\d+)?$/)
  .describe('An exact decimal');
const count = z.int().min(0);
const ms = z.number().describe('Milliseconds');
const timeMs = z.number().describe('Milliseconds since the Unix epoch');
const state = z.enum(['syncing', 'synced', 'stale']).describe('Only synced is the venue’s book');
const reason = z.string().describe('Why it is stale; none where it is not');

export const errorSchema = z.strictObject({
  error: z.strictObject({
    code: z.string().describe('Stable: area.reason'),
    what: z.string(),
    where: z.string(),
    expected: z.string(),
    got: z.string(),
    fix: z.string().describe('How to mend it'),
  }),
});

const books = z.strictObject({ syncing: count, synced: count, stale: count }).describe('Books by state');

const compared = z.strictObject({ checked: count, matched: count });

const connection = z.strictObject({
  url: z.string(),
  line: z.int().min(0).describe('Of several that carry the same: 0, 1'),
  state: z.string(),
  connectedSinceMs: timeMs.describe('0 = it is not connected'),
  reconnects: count,
  lastLoss: z.string().describe('Why it was lost last; empty = it never was'),
});

const list = z.strictObject({
  fetchedMs: timeMs.nullable().describe('When the list of instruments was had; null = never'),
  failingSinceMs: timeMs.nullable().describe('Since when none is had, or none that is believed'),
  retryMs: timeMs.nullable().describe('When it is asked for again because of that'),
  error: errorSchema.shape.error.nullable(),
});

const source = z.strictObject({
  name: z.string(),
  kind: z.enum(['live', 'recording', 'embedded']),
  connections: z.array(connection),
  connectedSinceMs: timeMs.nullable().describe('null = no connection is open'),
  books,
  checksums: compared.describe('Comparisons with the venue’s checksums'),
  tops: compared.describe('Comparisons with the venue’s own top of book'),
  lastGap: z
    .strictObject({
      instrument: z.string(),
      atMs: timeMs,
      mendedMs: ms.nullable().describe('How long it took to be exact again; null = it is not yet'),
    })
    .nullable(),
  clockSkewMs: z
    .tuple([ms, ms])
    .optional()
    .describe('How far the venue’s clock is ahead, at least and at most'),
  list: list.optional(),
});

const speed = z
  .union([z.literal('max'), z.number().gt(0).max(10_000)], 'a number above 0, at most 10000, or "max"')
  .describe('Recorded seconds that pass in one; max = as fast as the slowest reader takes it');
const timeNs = bigInteger.nullable();

export const replaySchema = z.strictObject({
  state: z
    .enum(['starting', 'running', 'paused', 'seeking', 'ended', 'failed'])
    .describe('While it is seeking every book is syncing; after the end the last books stay'),
  clockNs: timeNs.describe('The recording’s time now, ns since the Unix epoch; null before its first line'),
  beginNs: timeNs.describe('Time of its first line; null before that'),
  endNs: timeNs.describe('Time of its last line; null where nobody has read that far'),
  seekNs: timeNs.describe('The time that it runs to; null while it does not'),
  speed,
  paused: z.boolean(),
  skipIdle: z.boolean().describe('Whether times are skipped in which nothing was recorded for 10 s'),
  loop: z.boolean(),
  passes: count.describe('Times that the recording has been begun'),
});

export const liveSchema = z.strictObject({ status: z.literal('ok'), uptimeSeconds: z.number().min(0) });

export const readySchema = z.strictObject({
  ready: z.boolean(),
  reasons: z
    .array(
      z.strictObject({
        code: z.enum(['draining', 'source_failed', 'no_gateway', 'no_book_synced']),
        what: z.string(),
      }),
    )
    .optional()
    .describe('Why not, worst first; only for those who may see operations, as what follows'),
  books: books.optional(),
});

const recordSchema = z.strictObject({
  records: count.describe('Records taken'),
  acknowledged: count.describe(
    'Records that are kept, as record.sync means it, but for those that are missed',
  ),
  missed: count.describe('Records that are not in the journal, because its files could not take them'),
  bytes: count.describe('Bytes written, before they are packed'),
  segments: count.describe('Segments begun'),
  sealed: count.describe('Segments packed'),
  unsealed: count.describe('Whole segments that are not packed'),
  letGo: count.describe('Segments removed, because they were too old or too many'),
  isRecording: z.boolean().describe('Whether records are being taken'),
  failure: z
    .strictObject({
      code: z.string(),
      what: z.string(),
      place: z.string(),
      expected: z.string(),
      got: z.string(),
      fix: z.string(),
    })
    .optional()
    .describe('What went wrong last, whether or not it has been overcome'),
});

export const healthSchema = z.strictObject({
  status: z.enum(['ok', 'degraded', 'failed', 'draining']),
  ready: z
    .boolean()
    .optional()
    .describe('As /ready has it; only for those who may see operations, as what follows'),
  source: z.enum(['running', 'finished', 'failed']).optional(),
  version: z.string().optional(),
  transport: z.string().optional().describe('What carries the feed: uws or ws'),
  transportReason: z.string().optional().describe('Why that; empty where it is the preferred one, uws'),
  gateways: z
    .strictObject({ wanted: count, running: count, pids: z.array(count), restarts: count })
    .nullable()
    .optional()
    .describe('Processes that serve the clients; null = that of the engine does'),
  uptimeSeconds: z.number().min(0).optional(),
  clients: count.optional(),
  replay: replaySchema
    .nullable()
    .optional()
    .describe('Where a replay stands, as /v1/replay; null = nothing is replayed'),
  record: recordSchema.nullable().optional().describe('What is recorded; null = nothing is'),
  books: books.optional(),
  stale: z
    .array(z.strictObject({ instrument: z.string(), reason }))
    .max(20)
    .optional()
    .describe('Up to 20 of the stale books'),
  sources: z.array(source).optional(),
});

export const sourcesSchema = z.strictObject({ sources: z.array(source) });

const ns = z.int().min(0).describe('Nanoseconds');

const stageRow = z.strictObject({
  stage: z
    .enum(['decoded', 'sequenced', 'applied', 'encoded', 'published', 'whole'])
    .describe(
      'whole = from receipt to encoded; published only where the process of the engine has the clients',
    ),
  count: count.describe('Stamped messages that had it'),
  meanNs: ns,
  p50Ns: ns,
  p90Ns: ns,
  p99Ns: ns,
  p999Ns: ns,
  p9999Ns: ns,
  maxNs: ns,
});

export const stagesSchema = z.strictObject({
  clock: z.enum(['tsc', 'system', 'none']).describe('The processor’s counter, or the system’s clock'),
  every: z.int().min(0).describe('One message in so many is stamped; 0 = none'),
  stamped: count,
  unread: count.describe('Stamped messages that could not be read as they stood: they have no times'),
  unpublished: count
    .nullable()
    .describe('Those that waited behind too many others; null where other processes have the clients'),
  stages: z.array(stageRow).describe('Of all messages, to three digits'),
  instruments: z
    .array(z.strictObject({ instrument: z.string(), stages: z.array(stageRow) }))
    .describe('Of each instrument, to two digits; a message of several counts for the first'),
  instrumentsMax: z.int().min(0).describe('Most instruments that have times of their own'),
  others: z.array(stageRow).describe('Of all further instruments together'),
  fix: z.string().describe('How stamps are switched on; empty where they are'),
});

const members = z
  .array(
    z.strictObject({
      instrument: z.string(),
      isIn: z.boolean().describe('Whether it counts'),
      reason: z
        .string()
        .describe(
          'Why it does not: a reason of a stale book, syncing, absent, unit, asset or range; else none',
        ),
    }),
  )
  .optional()
  .describe('Of a consolidated book: what it is made of');

export const instrumentsSchema = z.strictObject({
  replay: z.boolean().describe('Whether the books are of a recording: /v1/replay has its clock'),
  instruments: z.array(
    z.strictObject({
      id: z.int().min(0).describe('Number on the wire'),
      name: z.string().describe('venue:SYMBOL'),
      venue: z.string(),
      symbol: z.string(),
      codes: z.array(z.string()).describe('What the venue calls it in messages'),
      priceExponent: z.int(),
      qtyExponent: z.int(),
      tickSize: z.number(),
      lotSize: z.number(),
      qtyUnit: z.string(),
      contractSize: z.number(),
      inverse: z.boolean(),
      kind: z.string(),
      base: z.string(),
      quote: z.string(),
      settle: z.string(),
      expiryMs: timeMs.describe('0 = never, or nobody has said'),
      strike: z.string().optional(),
      isCall: z.boolean().optional(),
      state,
      reason,
      epoch: bigInteger,
      seq: bigInteger,
      venueSeq: bigInteger,
      ageMs: ms.describe('Since the last input for its book'),
      bidCount: count,
      askCount: count,
      members,
    }),
  ),
});

const parts = z
  .array(
    z.array(
      z
        .tuple([z.string(), decimal, bigInteger])
        .describe('Instrument, its quantity, and when the message arrived that told it last, ns'),
    ),
  )
  .optional();

const level = z.tuple([decimal, decimal]).describe('Price and quantity');

export const bookSchema = z.strictObject({
  instrument: z.string(),
  instrumentId: z.int(),
  state,
  reason,
  epoch: bigInteger,
  seq: bigInteger,
  venueSeq: bigInteger,
  ageMs: ms.describe('Since the last input'),
  bidCount: count.describe('Levels of the whole side'),
  askCount: count,
  bidKnownTo: decimal
    .nullable()
    .describe('Worst price to which the venue has made the side known; null = all'),
  askKnownTo: decimal.nullable(),
  beyondKnown: z.boolean().describe('Whether a best level lies where the venue has not made the book known'),
  crossed: z.boolean().describe('Whether the best bid is above the best ask'),
  replay: z.boolean().describe('Whether it is of a recording'),
  bids: z.array(level).describe('Best first'),
  asks: z.array(level).describe('Best first'),
  members,
  bidParts: parts.describe('Of a consolidated book: whose each of the bids is'),
  askParts: parts,
});

export const replayChangeSchema = z.strictObject({
  paused: z.boolean().optional(),
  speed: speed.optional(),
  skipIdle: z.boolean().optional(),
  seek: z
    .string()
    .max(40)
    .optional()
    .describe('ns since the Unix epoch, or ISO 8601 with its zone. Before the begin is the begin'),
});
