import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { type JWTPayload, SignJWT } from 'jose';
import { algorithmOf, type SigningKey } from '../../src/publish/auth/algorithm.js';

/** The time that tests of tokens are at, s. */
export const NOW_S = 1_800_000_000;
export const NOW_MS = NOW_S * 1000;

/** A key pair as an issuer has it, under a name. */
export interface Issuer {
  readonly keyId: string;
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

export function issuer(keyId: string, kind: 'ed25519' | 'ec' | 'rsa' = 'ed25519'): Issuer {
  const pair =
    kind === 'ed25519'
      ? generateKeyPairSync('ed25519')
      : kind === 'ec'
        ? generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
        : generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { keyId, ...pair };
}

/** The public key as a JWK Set has it. */
export function jwkOf({ keyId, publicKey }: Issuer): Record<string, unknown> {
  return { ...publicKey.export({ format: 'jwk' }), kid: keyId };
}

/** A JWK Set. */
export function jwksOf(...issuers: readonly Issuer[]): string {
  return JSON.stringify({ keys: issuers.map(jwkOf) });
}

export function signingKeyOf({ publicKey }: Issuer): SigningKey {
  return { algorithm: algorithmOf(publicKey) ?? 'EdDSA', key: publicKey };
}

export const EVERY_CHANNEL = { allow: [{ channels: ['*'], instruments: ['*'] }] };

/** Claims of a token that is right. */
export function claimsOf(more: Readonly<Record<string, unknown>> = {}): JWTPayload {
  const claims = {
    iss: 'depthwire',
    aud: 'depthwire',
    sub: 'alice',
    iat: NOW_S - 10,
    exp: NOW_S + 60,
    depthwire: EVERY_CHANNEL,
    ...more,
  };
  return Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined));
}

/** A token that a library other than ours has made. */
export async function tokenBy(
  by: Issuer,
  more: Readonly<Record<string, unknown>> = {},
  header: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const alg = algorithmOf(by.publicKey) ?? 'EdDSA';
  return new SignJWT(claimsOf(more))
    .setProtectedHeader({ alg, kid: by.keyId, ...header })
    .sign(by.privateKey);
}
