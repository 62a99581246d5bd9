import { z } from 'zod';
import { DepthwireError, shown } from './errors.js';
import { nearest } from './nearest.js';
import { RING_BYTES_MAX, RING_BYTES_MIN } from './wire/generated/constants.js';

const MIB = 1 << 20;

/**
 * A plain decimal of 0 or more, kept as it is written: `0.25`, `10`. A number is taken as the text that JavaScript prints
 * for it, which reads back as the same number.
 */
const decimalSchema = z
  .union([z.string(), z.number().transform(String)], 'a plain decimal such as 0.25')
  .refine((text) => /^\d{1,18}(\.\d{1,18})?$/.test(text), 'a plain decimal such as 0.25');

/**
 * `venue:SYMBOL`. A symbol is written as its venue writes it, so that it may hold letters of every script, digits, marks
 * and signs (`XBT/USD`, `tBTCF0:USTF0`, `@107`), but no space and, because options follow it, no comma.
 */
const NAME = /^[a-z0-9-]+:(?:(?!,)[\p{L}\p{M}\p{N}\p{P}\p{S}]){1,64}$/u;

/** An instrument that the command line adds or overrides; what is not given stays as the catalogue has it. */
const instrumentSchema = z.strictObject({
  name: z.string().regex(NAME, 'a name of the form venue:SYMBOL'),
  priceExponent: z.int().min(-18).max(0).optional(),
  qtyExponent: z.int().min(-18).max(0).optional(),
  /** Increments in units of price and quantity; 0 = unknown. */
  tick: decimalSchema.optional(),
  lot: decimalSchema.optional(),
});

/** How many recorded seconds pass in a real one; `max` = as fast as the slowest reader takes it. */
const speedSchema = z.custom<number | 'max'>(
  (value) => value === 'max' || (typeof value === 'number' && value > 0 && value <= 10_000),
  'a number above 0 and at most 10000, or max',
);

const replaySchema = z.strictObject({
  files: z.array(z.string().min(1)).min(1),
  speed: speedSchema.default(1),
  loop: z.boolean().default(false),
});

const limitsSchema = z.strictObject({
  /** Longest control message of a client. */
  controlBytesMax: z.int().min(256).max(65_536).default(4096),
  /** Per client. */
  subscriptionsMax: z.int().min(1).max(65_536).default(256),
  clientsMax: z.int().min(1).max(65_536).default(1024),
  /** Wrong messages that a client may send before it is closed with 4400. */
  badMessagesMax: z.int().min(0).max(1000).default(10),
  /** Bytes waiting for one client above which it counts as slow; a replay at full speed waits for it. */
  backpressureSoftBytes: z
    .int()
    .min(65_536)
    .max(256 * MIB)
    .default(MIB),
  /** Bytes waiting for one client above which it is closed with 4408. */
  backpressureHardBytes: z
    .int()
    .min(65_536)
    .max(256 * MIB)
    .default(16 * MIB),
  /** Longest that a client may stay above the soft limit. */
  slowMs: z.int().min(100).max(600_000).default(10_000),
  /** Largest image of one stream. */
  imageBytesMax: z
    .int()
    .min(65_536)
    .max(256 * MIB)
    .default(32 * MIB),
});

const configSchema = z.strictObject({
  host: z.string().default('127.0.0.1'),
  /** 0 = one that is free. */
  port: z.int().min(0).max(65_535).default(8642),
  /** Names beside the loopback ones that Host and Origin may carry: those of a proxy on this machine. */
  allowHosts: z
    .array(z.string().regex(/^[A-Za-z0-9.-]+$/, 'a host name without scheme and port'))
    .default([]),
  instruments: z.array(instrumentSchema).default([]),
  replay: replaySchema.optional(),
  /** Of the embedded venue: the same seed gives the same market. */
  seed: z.int().min(0).max(0xffff_ffff).default(1),
  /** A synced book whose venue is silent for so long turns stale; 0 = never. Without it, as long as each product may be. */
  silenceMs: z.int().min(0).max(3_600_000).optional(),
  /** uWebSockets ends the process on any other value than 0 and 8 to 960. */
  idleTimeoutSeconds: z
    .int()
    .refine((value) => value === 0 || (value >= 8 && value <= 960), '0, or 8 to 960 seconds')
    .default(60),
  /** Longest that a shutdown waits for its clients. */
  drainMs: z.int().min(0).max(60_000).default(1500),
  /** Shared memory between the engine and the server; a power of two. */
  outputBytes: z
    .int()
    .refine(
      (value) => value >= RING_BYTES_MIN && value <= RING_BYTES_MAX && Number.isInteger(Math.log2(value)),
      {
        error: `a power of two from ${RING_BYTES_MIN} to ${RING_BYTES_MAX}`,
      },
    )
    .default(8 * MIB),
  limits: limitsSchema.prefault({}),
});

/** Options of `serve` as they may be given. */
export type ConfigInput = z.input<typeof configSchema>;
/** Options of `serve`, complete and checked. */
export type Config = Readonly<z.output<typeof configSchema>>;
export type InstrumentOverride = z.output<typeof instrumentSchema>;
export type Speed = z.output<typeof speedSchema>;
export type Limits = Readonly<z.output<typeof limitsSchema>>;

/** Checks options, fills in what is not given, and freezes the result. Throws `config.*`, naming the key. */
export function configFrom(input: unknown): Config {
  const parsed = configSchema.safeParse(input);
  if (!parsed.success) throw invalid(parsed.error.issues[0], input);
  const config = parsed.data;
  if (!isLoopback(config.host)) {
    throw new DepthwireError('config.public_host', {
      what: 'this version has neither authentication nor TLS, so it serves this machine only',
      where: 'host',
      expected: '127.0.0.1, ::1 or localhost',
      got: shown(config.host),
      fix: 'Keep the host and reach it through a tunnel (ssh -L 8642:127.0.0.1:8642 HOST), or put a TLS proxy on this machine and name it with --allow-host.',
    });
  }
  const { backpressureSoftBytes, backpressureHardBytes } = config.limits;
  if (backpressureSoftBytes >= backpressureHardBytes) {
    throw new DepthwireError('config.invalid', {
      what: 'the soft limit is not below the hard one',
      where: 'limits.backpressureSoftBytes',
      expected: `below limits.backpressureHardBytes (${backpressureHardBytes})`,
      got: String(backpressureSoftBytes),
      fix: 'Lower limits.backpressureSoftBytes or raise limits.backpressureHardBytes.',
    });
  }
  return deepFreeze(config);
}

/** Whether connections to this host come from this machine alone. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

/** How an instrument is written on the command line. */
const INSTRUMENT_EXAMPLE = 'binance:BTCUSDT,tick=0.01,lot=0.00001';

/** The keys of a setting, and whether they are integers rather than decimals. */
const SETTINGS = {
  tick: { key: 'tick', isInteger: false },
  lot: { key: 'lot', isInteger: false },
  price_exponent: { key: 'priceExponent', isInteger: true },
  qty_exponent: { key: 'qtyExponent', isInteger: true },
} as const;

/**
 * Reads the command line's form: `NAME[,tick=0.25,lot=1,price_exponent=-2,qty_exponent=-5]`, where tick and lot are in
 * units of price and quantity. Throws `config.instrument`.
 */
export function parseInstrument(text: string): InstrumentOverride {
  const [name = '', ...settings] = text.split(',');
  const input: Record<string, unknown> = { name };
  for (const setting of settings) {
    const [word = '', value = ''] = setting.split('=', 2);
    const known = Object.hasOwn(SETTINGS, word) ? SETTINGS[word as keyof typeof SETTINGS] : undefined;
    if (known === undefined || (known.isInteger && !/^-?\d{1,3}$/.test(value))) {
      throw new DepthwireError('config.instrument', {
        what: known === undefined ? 'a setting of an instrument is unknown' : 'an exponent is no integer',
        where: `--instrument ${text}`,
        expected: 'tick= or lot= with a decimal, price_exponent= or qty_exponent= with an integer',
        got: shown(setting),
        fix: `Write for example --instrument ${INSTRUMENT_EXAMPLE}.`,
      });
    }
    input[known.key] = known.isInteger ? Number(value) : value;
  }
  const parsed = instrumentSchema.safeParse(input);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new DepthwireError('config.instrument', {
    what: 'an instrument cannot be understood',
    where: `--instrument ${text}`,
    expected: expectation(issue),
    got: shown(valueAt(input, issue?.path ?? [])),
    fix: `Write for example --instrument ${INSTRUMENT_EXAMPLE}.`,
  });
}

type Issue = z.core.$ZodIssue;

function invalid(issue: Issue | undefined, input: unknown): DepthwireError {
  const path = issue?.path ?? [];
  const where = path.join('.');
  if (issue?.code === 'unrecognized_keys') {
    const key = issue.keys[0] ?? '';
    const known = where === 'limits' ? Object.keys(limitsSchema.shape) : Object.keys(configSchema.shape);
    const meant = nearest(key, known);
    return new DepthwireError('config.unknown_key', {
      what: 'an option is not known',
      where: where === '' ? key : `${where}.${key}`,
      expected: known.join(', '),
      got: shown(key),
      fix: meant === undefined ? `Remove ${key}.` : `Write ${meant} instead of ${key}.`,
    });
  }
  const expected = expectation(issue);
  return new DepthwireError('config.invalid', {
    what: `the option ${where || 'object'} cannot be used`,
    where,
    expected,
    got: shown(valueAt(input, path)),
    fix: `Set ${where || 'the options'} to ${expected}.`,
  });
}

function expectation(issue: Issue | undefined): string {
  switch (issue?.code) {
    case 'too_big':
      return `at most ${issue.maximum}`;
    case 'too_small':
      return issue.origin === 'array' ? `at least ${issue.minimum} entry` : `at least ${issue.minimum}`;
    case 'invalid_type':
      return issue.expected === 'int' ? 'an integer' : `a value of type ${issue.expected}`;
    default:
      return issue?.message ?? 'a valid value';
  }
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  let value = input;
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  return value;
}

function deepFreeze<T extends object>(value: T): T {
  for (const inner of Object.values(value))
    if (typeof inner === 'object' && inner !== null) deepFreeze(inner);
  return Object.freeze(value);
}
