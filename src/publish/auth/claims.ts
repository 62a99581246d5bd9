import { DepthwireError } from '../../errors.js';
import { CLAIM, grantOf } from './entitlements.js';
import type { Grant } from './grant.js';
import { refusal } from './refusals.js';

/** A subject is told to operators, so nothing invisible may stand in it. */
const SUBJECT = /^[^\p{C}]{1,128}$/u;
/** The end of the year 9999, s. */
const SECONDS_MAX = 253_402_300_799;

/** Whose tokens are taken, and for whom they must be. */
export interface Terms {
  readonly issuer: string;
  readonly audience: string;
  /** How far the clocks of issuer and server may differ: each time of a token is taken that much more widely. */
  readonly leewaySeconds: number;
}

/** What a signed token allows, and when. Whether it is time is asked anew at each connection. */
export interface Entitled {
  readonly grant: Grant;
  readonly fromMs: number;
}

/**
 * Holds the claims of a token whose signature is right to what every token must say (RFC 7519, 4.1): `iss`, `aud`, `sub` and
 * `exp` always; `nbf` and `iat` where they stand, before `exp`.
 */
export function entitledBy(
  claims: Readonly<Record<string, unknown>>,
  { issuer, audience, leewaySeconds }: Terms,
): Entitled | DepthwireError {
  const { iss, aud, sub, exp, nbf = 0, iat = 0 } = claims;
  if (iss !== issuer) return refusal('auth.issuer');
  if (aud !== audience && !(Array.isArray(aud) && aud.includes(audience))) return refusal('auth.audience');
  const isSubject = typeof sub === 'string' && SUBJECT.test(sub);
  if (!isSubject || !isTime(exp) || !isTime(nbf) || !isTime(iat)) return refusal('auth.claims');
  if (nbf >= exp || iat >= exp) return refusal('auth.claims');
  try {
    const expiresAtMs = (exp + leewaySeconds) * 1000;
    const grant = grantOf(claims[CLAIM], { subject: sub, expiresAtMs });
    return { grant, fromMs: (Math.max(nbf, iat) - leewaySeconds) * 1000 };
  } catch (error) {
    if (error instanceof DepthwireError) return error;
    throw error;
  }
}

/** The refusal of a token out of its time, on the scale of `Date.now()`. */
export function untimely({ grant, fromMs }: Entitled, nowMs: number): DepthwireError | undefined {
  if (nowMs >= grant.expiresAtMs) return refusal('auth.expired');
  return nowMs < fromMs ? refusal('auth.not_yet_valid') : undefined;
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= SECONDS_MAX;
}
