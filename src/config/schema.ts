import { z } from 'zod';
import { CHANNELS } from '../ingest/venues/facts.js';
import { LOG_LEVELS } from '../log.js';
import { TIME_FORM, timeNs } from '../time-text.js';
import { MEMBERS_MAX, RING_BYTES_MAX, RING_BYTES_MIN } from '../wire/generated/constants.js';
import { authSchema } from './auth-schema.js';

const MIB = 1 << 20;

const STEP = 'a plain decimal above 0, such as 0.25';

/**
 * A plain decimal above 0, kept as it is written: `0.25`, `10`. A number is taken as the text that JavaScript prints for it,
 * which reads back as the same number.
 */
const stepSchema = z
  .union([z.string(), z.number().transform(String)], STEP)
  .refine((text) => /^\d{1,18}(\.\d{1,18})?$/.test(text) && /[1-9]/.test(text), STEP);

/** What a symbol or a pattern of symbols is made of: anything visible but a comma, for options follow it. */
const VISIBLE = String.raw`(?:(?!,)[\p{L}\p{M}\p{N}\p{P}\p{S}]){1,64}`;

/**
 * `venue:SYMBOL`. A symbol is written as its venue writes it, so that it may hold letters of every script, digits, marks
 * and signs (`XBT/USD`, `tBTCF0:USTF0`, `@107`), but no space.
 */
const NAME = new RegExp(`^[a-z0-9-]+:${VISIBLE}$`, 'u');

/** What is told of one instrument's scale; what is not given stays as the catalogue has it. */
export const instrumentSchema = z.strictObject({
  name: z.string().regex(NAME, 'a name of the form venue:SYMBOL').describe('venue:SYMBOL'),
  priceExponent: z.int().min(-18).max(0).optional().describe('Power of ten of its prices'),
  qtyExponent: z.int().min(-18).max(0).optional().describe('Power of ten of its quantities'),
  tick: stepSchema
    .optional()
    .describe('Step of its prices, in units of price; absent = as listed, or unknown'),
  lot: stepSchema
    .optional()
    .describe('Step of its quantities, in units of quantity; absent = as listed, or unknown'),
});

const ORIGIN = /^https?:\/\/(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(:\d{1,5})?$/;
const ORIGIN_FORM =
  'http:// or https:// with a host, and a port that is not the default, as in http://localhost:3000';

const serverSchema = z.strictObject({
  host: z
    .string()
    .default('127.0.0.1')
    .describe('Address to listen on; one that others can reach needs auth and TLS'),
  port: z.int().min(0).max(65_535).default(8642).describe('Port to listen on; 0 = one that is free'),
  allowHosts: z
    .array(z.string().regex(/^[A-Za-z0-9.-]+$/, 'a host name without scheme and port'))
    .default([])
    .describe(
      'Names beside its own that requests may use: its public ones, those of a proxy on this machine',
    ),
  allowOrigins: z
    .array(z.string().regex(ORIGIN, ORIGIN_FORM))
    .default([])
    .describe('Pages of other servers that may connect, as in https://app.example; its own pages always may'),
  exposeWithoutAuth: z
    .boolean()
    .default(false)
    .describe('Whoever reaches the host may have everything: no tokens are asked for'),
  exposeWithoutTls: z
    .boolean()
    .default(false)
    .describe('What is sent to and from the host, tokens too, may be read on the way: no TLS'),
  transport: z
    .enum(['auto', 'uws', 'ws'])
    .default('auto')
    .describe('Sockets by uWebSockets.js (uws), by Node alone (ws), or by the former where it loads (auto)'),
  gateways: z
    .int()
    .min(0)
    .max(32)
    .default(0)
    .describe(
      'Processes that share the port and serve the clients, fed through shared memory; 0 = the process of the engine does',
    ),
  // uWebSockets ends the process on any other value than 0 and 8 to 960.
  idleTimeoutSeconds: z
    .int()
    .refine((value) => value === 0 || (value >= 8 && value <= 960), '0, or 8 to 960 seconds')
    .default(60)
    .meta({
      minimum: 0,
      maximum: 960,
      description: 'A silent client is cut after so long; 0 = never, else 8 or more',
    }),
  unreadyMs: z
    .int()
    .min(0)
    .max(60_000)
    .default(0)
    .describe('How long a server that stops is not ready and serves on, for those who balance load'),
  reconnectMs: z
    .int()
    .min(0)
    .max(600_000)
    .default(2000)
    .describe('Clients of a server that stops are told to come back within so long, each at its own time'),
  heartbeatMs: z
    .int()
    .min(0)
    .max(600_000)
    .default(5000)
    .describe('Time between two heartbeats to each client; 0 = none'),
  drainMs: z.int().min(0).max(60_000).default(1500).describe('Longest that a shutdown waits for its clients'),
});

const engineSchema = z.strictObject({
  silenceMs: z
    .int()
    .min(0)
    .max(3_600_000)
    .optional()
    .describe(
      'A synced book whose venue is silent for so long is stale; 0 = never, absent = as each product allows',
    ),
  outputBytes: z
    .int()
    .refine(
      (value) => value >= RING_BYTES_MIN && value <= RING_BYTES_MAX && Number.isInteger(Math.log2(value)),
      `a power of two from ${RING_BYTES_MIN} to ${RING_BYTES_MAX}`,
    )
    .default(8 * MIB)
    .meta({
      minimum: RING_BYTES_MIN,
      maximum: RING_BYTES_MAX,
      description: 'Shared memory between the engine and the server, a power of two',
    }),
  volumes: z
    .array(z.string().min(1).max(128))
    .max(1_000)
    .default([])
    .describe(
      'Names and patterns of instruments whose volumes are counted from the start: others begin when somebody first asks for them',
    ),
});

const limitsSchema = z.strictObject({
  controlBytesMax: z.int().min(256).max(65_536).default(4096).describe('Longest control message of a client'),
  controlPerSecond: z
    .int()
    .min(1)
    .max(100_000)
    .default(50)
    .describe('Control messages and pings that a client may send each second, else it is closed with 4429'),
  controlBurst: z
    .int()
    .min(1)
    .max(100_000)
    .default(100)
    .describe('Control messages and pings that a client may send at once'),
  subscriptionsMax: z.int().min(1).max(65_536).default(256).describe('Subscriptions of a client'),
  clientsMax: z.int().min(1).max(65_536).default(1024).describe('Clients at a time'),
  clientsPerAddressMax: z
    .int()
    .min(1)
    .max(65_536)
    .default(256)
    .describe('Clients of one address at a time, this machine excepted'),
  handshakesPerSecond: z
    .int()
    .min(0)
    .max(100_000)
    .default(20)
    .describe(
      "Handshakes of one address a second, and ten seconds' worth at once, this machine excepted; 0 = any number",
    ),
  pendingMax: z
    .int()
    .min(16)
    .max(65_536)
    .default(4096)
    .describe('Connections that are no WebSocket yet; beyond that the oldest of them is cut'),
  pendingPerAddressMax: z.int().min(16).max(65_536).default(1024).describe('The same, of one address'),
  pendingMs: z
    .int()
    .min(500)
    .max(10_000)
    .default(5000)
    .describe('Longest that a connection may take to ask for something'),
  badMessagesMax: z
    .int()
    .min(0)
    .max(1000)
    .default(10)
    .describe('Wrong messages that a client may send before it is closed with 4400'),
  backpressureSoftBytes: z
    .int()
    .min(65_536)
    .max(256 * MIB)
    .default(MIB)
    .describe(
      'Bytes waiting for one client above which streams that may be thinned leave it until it has read half of them',
    ),
  backpressureHardBytes: z
    .int()
    .min(65_536)
    .max(256 * MIB)
    .default(16 * MIB)
    .describe('Bytes waiting for one client above which it is closed with 4408'),
  slowMs: z
    .int()
    .min(100)
    .max(600_000)
    .default(10_000)
    .describe('Longest that a client may stay above the soft limit'),
  waitingBytesMax: z
    .int()
    .min(MIB)
    .max(65_536 * MIB)
    .default(128 * MIB)
    .describe('Bytes waiting for all clients together, above which those with most of them are cut'),
  imageBytesMax: z
    .int()
    .min(65_536)
    .max(256 * MIB)
    .default(32 * MIB)
    .describe('Largest image of one stream'),
  historyBytes: z
    .int()
    .min(0)
    .max(65_536 * MIB)
    .default(64 * MIB)
    .describe('Memory for frames that are kept for clients who come back; 0 = they get images'),
  historyStreamBytes: z
    .int()
    .min(4096)
    .max(65_536 * MIB)
    .default(MIB)
    .describe('What one stream may keep of it'),
  historyMs: z.int().min(1).max(3_600_000).default(30_000).describe('How long frames are kept at most'),
});

const FROM_ENVIRONMENT = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'the name of an environment variable');

/** A path, which stands in an example of the file under this name. */
const pathSchema = (description: string, example: string) =>
  z
    .string()
    .min(1)
    .meta({ description, examples: [example] });

const tlsSchema = z.strictObject({
  certFile: pathSchema(
    'PEM file of the certificate and those between it and an authority; read again when it changes',
    'server.pem',
  ),
  keyFile: pathSchema('PEM file of its private key', 'server-key.pem'),
  caFile: pathSchema(
    'PEM file of authorities; with it, clients must show a certificate of one of them',
    'clients-ca.pem',
  ).optional(),
  passphraseEnv: FROM_ENVIRONMENT.optional().meta({
    description: 'Environment variable that holds the passphrase of the key',
    examples: ['TLS_PASSPHRASE'],
  }),
  passphraseFile: pathSchema(
    'File that holds the passphrase of the key, in place of a variable',
    '/run/secrets/tls-passphrase',
  ).optional(),
});

const SPEED = 'a number above 0 and at most 10000, or max';

const replaySchema = z.strictObject({
  files: z.array(z.string().min(1)).min(1).describe('Recordings, several one after the other'),
  /** How many recorded seconds pass in a real one; `max` = as fast as the slowest reader takes it. */
  speed: z
    .union([z.literal('max'), z.number()], SPEED)
    .refine((value) => value === 'max' || (value > 0 && value <= 10_000), SPEED)
    .default(1)
    .describe('Recorded seconds per second, above 0 and at most 10000, or max'),
  loop: z.boolean().default(false).describe('Begin again after the last file'),
  skipIdle: z.boolean().default(false).describe('Skip times of more than 10 s in which nothing was recorded'),
  from: z
    .string()
    .refine((text) => timeNs(text) !== undefined, TIME_FORM)
    .optional()
    .describe('Time of receipt to begin at, with the books as they were then'),
});

const recordSchema = z.strictObject({
  folder: pathSchema(
    'Folder that what is received is recorded in, as a journal; made where it is missing',
    'journal',
  ),
  sync: z
    .enum(['none', 'group', 'each'])
    .default('none')
    .describe(
      'A record counts as kept when the system has it (none), or the disk, what came together at once (group) or each by itself (each)',
    ),
  segmentBytes: z
    .int()
    .min(65_536)
    .max(4096 * MIB)
    .default(128 * MIB)
    .describe('Bytes of a segment at which the next one begins, or eight times those of its checkpoint'),
  flushMs: z.int().min(0).max(60_000).default(50).describe('What waits is written after so long'),
  seal: z.boolean().default(true).describe('Whether whole segments are packed by zstd'),
  keepBytes: z
    .int()
    .min(0)
    .max(Number.MAX_SAFE_INTEGER)
    .default(0)
    .describe('The oldest segments in the folder are removed beyond so many bytes; 0 = never'),
  keepHours: z
    .int()
    .min(0)
    .max(876_000)
    .default(0)
    .describe('Segments older than that are removed; 0 = never'),
});

const logSchema = z.strictObject({
  level: z
    .enum(LOG_LEVELS)
    .default('info')
    .describe(`The least that is told: ${LOG_LEVELS.join(', ')}`),
  format: z
    .enum(['text', 'json'])
    .default('text')
    .describe('text for people, or json, one object a line on standard output, for those who collect logs'),
});

const metricsSchema = z.strictObject({
  stages: z
    .boolean()
    .default(false)
    .describe(
      'Whether received messages get stage stamps, so that /metrics, /v1/stages and the page tell where their time goes',
    ),
  stagesEvery: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(16)
    .describe('Of so many messages one gets stamps: fewer cost less'),
});

const simSchema = z.strictObject({
  seed: z
    .int()
    .min(0)
    .max(0xffff_ffff)
    .default(1)
    .describe('Of the embedded venue: the same seed gives the same market'),
});

const catalogueSchema = z.strictObject({
  cacheDir: z
    .string()
    .min(1)
    .optional()
    .describe("Folder for the venues' lists of instruments; absent = depthwire in the user's cache folder"),
  refreshMinutes: z
    .int()
    .min(1)
    .max(10_080)
    .default(60)
    .describe('Age at which a list of instruments is asked for again'),
});

/** Where a key lies: in an environment variable or in a file. The key itself stands in no configuration. */
const keysSchema = z.strictObject({
  keyEnv: FROM_ENVIRONMENT.optional().describe('Environment variable that holds the key'),
  keyFile: z.string().min(1).optional().describe('File that holds the key'),
  secretEnv: FROM_ENVIRONMENT.optional().describe('Environment variable that holds the secret'),
  secretFile: z.string().min(1).optional().describe('File that holds the secret'),
  passphraseEnv: FROM_ENVIRONMENT.optional().describe('Environment variable that holds the passphrase'),
  passphraseFile: z.string().min(1).optional().describe('File that holds the passphrase'),
});

const URL_FORM = 'an address: wss://, ws://, https:// or http://';

/** An address as a configuration may name it: of a socket or a request, with its host. */
function isAddress(text: string): boolean {
  return URL.canParse(text) && /^(wss?|https?):$/.test(new URL(text).protocol);
}

const urlSchema = z.string().refine(isAddress, URL_FORM);

/** A live connection to one product of a venue. */
export const sourceSchema = z.strictObject({
  venue: z
    .string()
    .regex(/^[a-z0-9-]+$/, 'a name that depthwire venues lists')
    .optional()
    .describe('Product of a venue, as depthwire venues lists it; absent = the name of the source'),
  instruments: z
    .array(z.string().regex(new RegExp(`^${VISIBLE}$`, 'u'), 'a symbol, or a pattern such as BTC*'))
    .min(1)
    .max(10_000)
    .describe('Symbols of the venue, or patterns: * is any text, ? one character'),
  channels: z
    .array(z.enum(CHANNELS))
    .min(1)
    .optional()
    .describe('What is heard; absent = book, bbo and trades, as far as the venue offers them'),
  depth: z
    .int()
    .min(1)
    .max(10_000)
    .optional()
    .describe('Levels a side that the venue is asked for; absent = the default of its facts'),
  streams: z
    .array(z.string().min(1).max(64))
    .min(1)
    .optional()
    .describe("The venue's own words for streams that are preferred where several bring the same"),
  lines: z
    .int()
    .min(1)
    .max(2)
    .default(1)
    .describe('Connections that carry the same: with 2 the first message of each number counts'),
  proxy: z
    .string()
    .refine((text) => isAddress(text) && text.startsWith('http'), 'http://HOST:PORT or https://HOST:PORT')
    .optional()
    .describe('HTTP proxy for sockets and requests'),
  caFile: z
    .string()
    .min(1)
    .optional()
    .describe('PEM file of authorities to trust in place of those that Node knows, as of a test server'),
  urls: z
    .record(urlSchema, urlSchema)
    .default({})
    .describe('Other addresses: the beginning of one of the facts, and what stands in its place'),
  keys: keysSchema.prefault({}).describe('Keys of an account, for what is offered to those who have one'),
});

/** A book that is made of several instruments. */
const consolidatedSchema = z.strictObject({
  of: z
    .array(z.string().regex(NAME, 'a name of the form venue:SYMBOL'))
    .min(2)
    .max(MEMBERS_MAX)
    .describe(
      'Its instruments, which a source serves, too; inverse contracts have no common unit with others',
    ),
  same: z
    .array(z.string().regex(/^[^\s=]+=[^\s=]+$/, 'two words with = between them, as in USD=USDT'))
    .max(16)
    .default([])
    .describe('Words that mean one asset: its instruments must be of one, and priced in one'),
});

export const configSchema = z.strictObject({
  server: serverSchema.prefault({}).describe('How clients are served'),
  engine: engineSchema.prefault({}).describe('The engine'),
  limits: limitsSchema.prefault({}).describe('What clients may do'),
  auth: authSchema.optional().describe('Tokens: with this, clients need one, and have what it holds'),
  tls: tlsSchema.optional().describe('TLS: with this, clients come by https:// and wss:// alone'),
  log: logSchema.prefault({}).describe('What a server says while it runs'),
  metrics: metricsSchema.prefault({}).describe('What is measured of the server itself'),
  replay: replaySchema.optional().describe('Recordings to serve'),
  record: recordSchema.optional().describe('Whether what is received is recorded, and how'),
  sim: simSchema.prefault({}).describe('The embedded venue, which is served where nothing else is named'),
  catalogue: catalogueSchema.prefault({}).describe("The venues' lists of instruments"),
  sources: z
    .record(z.string().regex(/^[a-z0-9-]{1,64}$/, 'lower case letters, digits and -'), sourceSchema)
    .default({})
    .describe('Live connections by name'),
  consolidated: z
    .record(
      z.string().regex(new RegExp(`^${VISIBLE}$`, 'u'), 'a symbol, such as BTC-USD'),
      consolidatedSchema,
    )
    .default({})
    .describe('Books made of several instruments, by the symbol of consolidated:SYMBOL'),
  instruments: z
    .array(instrumentSchema)
    .default([])
    .describe('Scales of instruments, where the venue does not tell them'),
});

/** A configuration as it may be given. */
export type ConfigInput = z.input<typeof configSchema>;
/** A configuration, complete and checked. */
export type Config = Readonly<z.output<typeof configSchema>>;
export type InstrumentOverride = z.output<typeof instrumentSchema>;
export type SourceConfig = Readonly<z.output<typeof sourceSchema>>;
export type KeysConfig = Readonly<z.output<typeof keysSchema>>;
export type Speed = z.output<typeof replaySchema>['speed'];
export type TlsConfig = Readonly<z.output<typeof tlsSchema>>;
export type Limits = Readonly<z.output<typeof limitsSchema>>;
