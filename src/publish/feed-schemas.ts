import { z } from 'zod';
import {
  BPS_MAX,
  COSTS_MAX,
  DEPTH_MAX,
  INTERVAL_MS_MAX,
  VPIN_BUCKETS,
  VPIN_BUCKETS_MAX,
  WINDOW_MS_MAX,
  WINDOW_MS_MIN,
} from '../wire/generated/constants.js';
import { SERVED_CHANNELS } from './channels.js';
import {
  BYS,
  DEPTH_DEFAULT,
  GROUPING,
  ID_LENGTH_MAX,
  INTERVAL_MS_DEFAULT,
  MODES,
  SOURCES,
  WINDOW_MS_DEFAULT,
} from './control.js';
import { errorSchema } from './http-schemas.js';

const u64 = z
  .string()
  .regex(/^\d{1,20}$/)
  .describe('An unsigned 64-bit integer');
const id = z
  .union([z.int(), z.string().max(ID_LENGTH_MAX)])
  .optional()
  .describe('The client’s own, echoed in the answers');

/** What names a subscription beside its instrument, as it is asked for. */
const asked = {
  channel: z.enum(SERVED_CHANNELS),
  depth: z
    .int()
    .min(1)
    .max(DEPTH_MAX)
    .optional()
    .describe(`Levels a side of depth; absent = ${DEPTH_DEFAULT}`),
  intervalMs: z
    .int()
    .min(0)
    .max(INTERVAL_MS_MAX)
    .optional()
    .describe(
      `Least time between two frames of depth, volumes, costs and signals; absent = ${INTERVAL_MS_DEFAULT}, 0 = every change`,
    ),
  grouping: z
    .string()
    .regex(GROUPING)
    .optional()
    .describe('Step of prices of depth and volumes, a decimal above 0'),
  quantities: z
    .array(z.string().regex(GROUPING))
    .max(COSTS_MAX)
    .optional()
    .describe('Of costs: decimals above 0'),
  bps: z
    .array(z.int().min(1).max(BPS_MAX))
    .max(COSTS_MAX)
    .optional()
    .describe('Of costs: basis points of the mid'),
  windowMs: z
    .int()
    .min(WINDOW_MS_MIN)
    .max(WINDOW_MS_MAX)
    .optional()
    .describe(`Window of signals; absent = ${WINDOW_MS_DEFAULT}`),
  vpinVolume: z
    .string()
    .regex(GROUPING)
    .optional()
    .describe('Of signals: volume of a bucket of VPIN, a decimal above 0; absent = VPIN is not told'),
  vpinBuckets: z
    .int()
    .min(1)
    .max(VPIN_BUCKETS_MAX)
    .optional()
    .describe(`Buckets of VPIN, with vpinVolume; absent = ${VPIN_BUCKETS}`),
  source: z.enum(SOURCES).optional().describe('Of bbo; absent = book'),
};

const instrument = z.string().min(1).describe('venue:SYMBOL; with * or ? it is a pattern');
const instruments = z.array(z.string().min(1)).min(1).describe('Names and patterns, in place of instrument');
/** One of the two, as the text of the protocol says. */
const which = { instrument: instrument.optional(), instruments: instruments.optional() };

const place = { epoch: u64, seq: u64, by: z.enum(BYS).optional() };

/** What a client may send. Fields that are not known are passed over. */
export const CLIENT_MESSAGES = {
  subscribe: z
    .object({
      op: z.literal('subscribe'),
      id,
      ...asked,
      ...which,
      mode: z.enum(MODES).optional().describe('Absent = conflate where frames may be left out, else strict'),
      resume: z
        .union([z.object(place), z.array(z.object({ instrument: z.string(), ...place }))])
        .optional()
        .describe('Where the reader stands that comes back; a list for several'),
    })
    .describe('Asks for a channel of one instrument or of several'),
  unsubscribe: z
    .object({ op: z.literal('unsubscribe'), id, ...asked, ...which })
    .describe('Ends subscriptions, named as they were asked for'),
  resync: z
    .object({ op: z.literal('resync'), id, ...asked, ...which })
    .describe('Asks for another image of what is subscribed'),
  ping: z.object({ op: z.literal('ping'), id }).describe('Asks for the server’s time'),
} as const;

const stream = z.int().min(1).max(255).describe('Of the frames of this subscription');
const named = { ...asked, instrument: z.string(), stream };
const brought = z.enum(['nothing', 'range', 'net', 'image']);

/** What a server sends as text. */
export const SERVER_MESSAGES = {
  hello: z
    .strictObject({
      op: z.literal('hello'),
      protocol: z.string(),
      version: z.string(),
      replay: z.boolean().describe('Whether the books are of a recording'),
      heartbeatMs: z.int().min(0).describe('0 = there are none'),
      limits: z.strictObject({
        controlBytesMax: z.int(),
        controlPerSecond: z.number(),
        subscriptionsMax: z.int(),
      }),
    })
    .describe('The first message'),
  matched: z
    .strictObject({ op: z.literal('matched'), id, ...asked, instruments: z.int().min(0) })
    .describe('How many instruments a subscription of several means'),
  subscribed: z
    .strictObject({
      op: z.literal('subscribed'),
      id,
      ...named,
      instrumentId: z.int().min(0),
      mode: z.enum(MODES),
      state: z.enum(['syncing', 'synced', 'stale']),
      reason: z.string().describe('Why it is stale; none where it is not'),
      epoch: u64,
      seq: u64,
      priceExponent: z.int(),
      qtyExponent: z.int(),
      tickSize: z.number(),
      lotSize: z.number(),
      qtyUnit: z.string(),
      added: z.literal(true).optional().describe('It came later, and fits a pattern that stands'),
      resume: z.strictObject({ by: brought, from: u64, to: u64 }).optional(),
    })
    .describe('What was granted; the frames follow'),
  unsubscribed: z
    .strictObject({
      op: z.literal('unsubscribed'),
      id,
      ...asked,
      instrument: z.string().optional(),
      instruments: z.int().min(0).optional(),
    })
    .describe('What has ended: an instrument, or how many'),
  removed: z
    .strictObject({ op: z.literal('removed'), ...named, reason: z.string() })
    .describe('An instrument is served no longer'),
  slow: z
    .union([
      z.strictObject({
        op: z.literal('slow'),
        state: z.literal('behind'),
        streams: z
          .array(z.strictObject({ ...named, epoch: u64, seq: u64 }))
          .min(1)
          .max(100),
      }),
      z.strictObject({
        op: z.literal('slow'),
        state: z.literal('rejoined'),
        ...named,
        from: u64,
        to: u64,
        by: brought,
      }),
    ])
    .describe('Streams have left a slow reader, or one has come back to it'),
  pong: z.strictObject({ op: z.literal('pong'), id, ts: u64 }).describe('The server’s time, ns'),
  heartbeat: z.strictObject({ op: z.literal('heartbeat'), ts: u64 }).describe('The server lives'),
  error: z
    .strictObject({
      op: z.literal('error'),
      id,
      instrument: z.string().optional(),
      ...errorSchema.shape.error.shape,
    })
    .describe('What is wrong, and how to mend it'),
  shutdown: z
    .strictObject({ op: z.literal('shutdown'), reason: z.string(), reconnectMs: z.int().min(0) })
    .describe('The last message: the server stops. Come back within reconnectMs, at a random moment'),
} as const;
