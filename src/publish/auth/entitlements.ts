import { z } from 'zod';
import { DepthwireError, shown } from '../../errors.js';
import { isPattern, NamePattern } from '../../name-pattern.js';
import { nearest } from '../../nearest.js';
import { DEPTH_MAX, INTERVAL_MS_MAX } from '../../wire/generated/constants.js';
import { CHANNEL_NAMES, type ChannelName, type Grant, type GrantedView } from './grant.js';

/** The claim that says what the owner of a token may have. */
export const CLAIM = 'depthwire';

const NAME_LENGTH_MAX = 96;
/** Patterns of a token together: each name is held against all of them. */
const PATTERNS_MAX = 32;
const COUNT_MAX = 65_536;
const TERMS_LENGTH_MAX = 400;

const ruleSchema = z.strictObject({
  channels: z
    .array(z.enum([...CHANNEL_NAMES, '*']))
    .min(1)
    .max(CHANNEL_NAMES.length),
  instruments: z.array(z.string().min(1).max(NAME_LENGTH_MAX)).min(1).max(256),
  depthMax: z.int().min(1).max(DEPTH_MAX).optional(),
  intervalMsMin: z.int().min(0).max(INTERVAL_MS_MAX).optional(),
});

const claimSchema = z.strictObject({
  allow: z.array(ruleSchema).max(32),
  subscriptionsMax: z.int().min(1).max(COUNT_MAX).optional(),
  connectionsMax: z.int().min(1).max(COUNT_MAX).optional(),
  operations: z.boolean().optional(),
});

/** The claim as it is written: what an issuer puts under `depthwire`. */
export type EntitlementClaim = Readonly<z.input<typeof claimSchema>>;
type RuleClaim = z.output<typeof ruleSchema>;

/** Channels whose frames have no more of a book than its best level, so that a rule with `depthMax` may hold them. */
const SHALLOW: ReadonlySet<string> = new Set([
  'depth',
  'bbo',
  'trades',
  'ticker',
  'liquidations',
  'status',
  'trading',
  'volumes',
]);

/** Who a grant is for, and until when. */
export interface Holder {
  readonly subject: string;
  readonly expiresAtMs: number;
}

/**
 * The grant of a claim. What is not understood is refused rather than passed over, for a limit that is misspelt would be none.
 * Throws `auth.entitlements`.
 */
export function grantOf(claim: unknown, holder: Holder): Grant {
  const parsed = claimSchema.safeParse(claim);
  if (!parsed.success) throw wrongClaim(parsed.error.issues[0], claim);
  const { allow, subscriptionsMax, connectionsMax, operations = false } = parsed.data;
  for (const [at, rule] of allow.entries()) checkBounds(rule, at);
  const patterns = allow.reduce((sum, { instruments }) => sum + instruments.filter(isPattern).length, 0);
  if (patterns > PATTERNS_MAX)
    throw wrong(
      'allow',
      `at most ${PATTERNS_MAX} patterns in all`,
      `${patterns}`,
      'Name instruments, or use wider patterns.',
    );
  return new EntitledGrant(holder, allow, {
    subscriptionsMax: subscriptionsMax ?? Number.POSITIVE_INFINITY,
    connectionsMax: connectionsMax ?? Number.POSITIVE_INFINITY,
    operations,
  });
}

/** A bound that holds for a part of its rule only would be believed to hold for all of it. */
function checkBounds({ channels, depthMax, intervalMsMin }: RuleClaim, at: number): void {
  const deep = depthMax === undefined ? undefined : channels.find((channel) => !SHALLOW.has(channel));
  const fast = intervalMsMin === undefined ? undefined : channels.find((channel) => channel !== 'depth');
  const unbounded = deep ?? fast;
  if (unbounded === undefined) return;
  const bound = deep === undefined ? 'intervalMsMin' : 'depthMax';
  const able = deep === undefined ? 'depth alone' : `no channels but ${[...SHALLOW].join(', ')}`;
  throw wrong(`allow.${at}.${bound}`, able, unbounded, 'Put that channel into a rule of its own.');
}

class EntitledGrant implements Grant {
  readonly subject: string;
  readonly expiresAtMs: number;
  readonly subscriptionsMax: number;
  readonly connectionsMax: number;
  readonly operations: boolean;
  readonly holdsFeed: boolean;
  readonly terms: string;
  readonly #rules: readonly Rule[];

  constructor(
    { subject, expiresAtMs }: Holder,
    rules: readonly RuleClaim[],
    limits: Pick<Grant, 'subscriptionsMax' | 'connectionsMax' | 'operations'>,
  ) {
    this.subject = subject;
    this.expiresAtMs = expiresAtMs;
    this.subscriptionsMax = limits.subscriptionsMax;
    this.connectionsMax = limits.connectionsMax;
    this.operations = limits.operations;
    this.#rules = rules.map((rule) => new Rule(rule));
    this.holdsFeed = rules.length > 0;
    this.terms = rules.length === 0 ? 'no channel of any instrument' : termsOf(rules);
  }

  allows(channel: ChannelName, instrument: string, view?: GrantedView): boolean {
    return this.#rules.some((rule) => rule.holds(channel, view) && rule.names(instrument));
  }

  sees(instrument: string): boolean {
    return this.#rules.some((rule) => rule.names(instrument));
  }
}

/** One rule of a claim, ready to be asked. */
class Rule {
  readonly #channels: ReadonlySet<string>;
  readonly #hasAllChannels: boolean;
  readonly #names: ReadonlySet<string>;
  readonly #patterns: readonly NamePattern[];
  readonly #depthMax: number;
  readonly #intervalMsMin: number;

  constructor({ channels, instruments, depthMax, intervalMsMin }: RuleClaim) {
    this.#channels = new Set(channels);
    this.#hasAllChannels = this.#channels.has('*');
    this.#names = new Set(instruments.filter((name) => !isPattern(name)));
    this.#patterns = instruments.filter(isPattern).map((pattern) => new NamePattern(pattern));
    this.#depthMax = depthMax ?? DEPTH_MAX;
    this.#intervalMsMin = intervalMsMin ?? 0;
  }

  holds(channel: ChannelName, view: GrantedView | undefined): boolean {
    if (!this.#hasAllChannels && !this.#channels.has(channel)) return false;
    if (channel !== 'depth' || view === undefined) return true;
    return view.depth <= this.#depthMax && view.intervalMs >= this.#intervalMsMin;
  }

  names(instrument: string): boolean {
    return this.#names.has(instrument) || this.#patterns.some((pattern) => pattern.fits(instrument));
  }
}

function termsOf(rules: readonly RuleClaim[]): string {
  const texts = rules.map(({ channels, instruments, depthMax, intervalMsMin }) => {
    const depth = depthMax === undefined ? '' : ` with depth up to ${depthMax}`;
    const interval = intervalMsMin === undefined ? '' : ` with intervalMs from ${intervalMsMin}`;
    return `${channels.join(', ')}${depth}${interval} of ${instruments.join(', ')}`;
  });
  return shortened(texts.join('; '));
}

function shortened(text: string): string {
  return text.length <= TERMS_LENGTH_MAX ? text : `${text.slice(0, TERMS_LENGTH_MAX)}…`;
}

/** The issuer has signed this token, so its owner is told what is wrong with the claim. */
function wrongClaim(issue: z.core.$ZodIssue | undefined, claim: unknown): DepthwireError {
  const path = issue?.path ?? [];
  if (issue?.code === 'unrecognized_keys') {
    const [word = ''] = issue.keys;
    const known = Object.keys(path.length === 0 ? claimSchema.shape : ruleSchema.shape);
    const meant = nearest(word, known);
    return wrong(
      [...path, word].join('.'),
      known.join(', '),
      shown(word),
      meant === undefined ? 'Leave it out.' : `Write ${meant}.`,
    );
  }
  const value = path.reduce<unknown>(
    (inner, part) => (typeof inner === 'object' && inner !== null ? Reflect.get(inner, part) : undefined),
    claim,
  );
  const meant = typeof value === 'string' ? nearest(value, CHANNEL_NAMES) : undefined;
  const fix =
    meant === undefined ? 'Have a token issued whose claim is as docs/security.md says.' : `Write ${meant}.`;
  return wrong(path.join('.'), issue?.message ?? 'a claim as docs/security.md says', shown(value), fix);
}

function wrong(where: string, expected: string, got: string, fix: string): DepthwireError {
  return new DepthwireError('auth.entitlements', {
    what: 'the token does not say rightly what it is for',
    where: where === '' ? CLAIM : `${CLAIM}.${where}`,
    expected,
    got,
    fix,
  });
}
