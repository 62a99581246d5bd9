import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DepthwireError } from '../src/errors.js';
import type { Algorithm } from '../src/publish/auth/algorithm.js';
import type { Grant } from '../src/publish/auth/grant.js';
import { keySetOf } from '../src/publish/auth/key-set.js';
import { readToken, TOKEN_BYTES_MAX } from '../src/publish/auth/token.js';
import { Verifier } from '../src/publish/auth/verifier.js';
import { claimsOf, type Issuer, issuer, jwksOf, NOW_MS, NOW_S, tokenBy } from './support/tokens.js';

const ALICE = issuer('a');
const TERMS = { issuer: 'depthwire', audience: 'depthwire', leewaySeconds: 30 };

/** A verifier with keys that a test may change. */
function verifierOf(issuers: readonly Issuer[], algorithms: readonly Algorithm[] = ['EdDSA']) {
  const keys = {
    version: 1,
    set: keySetOf(jwksOf(...issuers), 'test', ['EdDSA', 'ES256', 'RS256']),
    get isEmpty() {
      return keys.set.size === 0;
    },
    find: (keyId: string) => keys.set.get(keyId),
  };
  const verifier = new Verifier(keys, { ...TERMS, algorithms });
  const codeAt = (token: string, nowMs = NOW_MS): string => {
    const decided = verifier.verify(token, nowMs);
    return decided instanceof DepthwireError ? decided.code : 'granted';
  };
  return { keys, verifier, codeAt };
}

function encoded(value: unknown): string {
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
}

describe('a token', () => {
  it('grants what a library of another hand has signed', async () => {
    const { verifier } = verifierOf([ALICE]);
    const grant = verifier.verify(await tokenBy(ALICE), NOW_MS) as Grant;
    expect([grant.subject, grant.expiresAtMs, grant.terms]).toEqual(['alice', (NOW_S + 90) * 1000, '* of *']);
  });

  it.each(['ed25519', 'ec', 'rsa'] as const)(
    'may be signed with a key of the kind %s where that is allowed',
    async (kind) => {
      const by = issuer('k', kind);
      const token = await tokenBy(by);
      expect(verifierOf([by], ['EdDSA', 'ES256', 'RS256']).codeAt(token)).toBe('granted');
      if (kind !== 'ed25519') expect(verifierOf([by]).codeAt(token)).toBe('auth.algorithm');
    },
  );

  it('may name Ed25519 by its newer word', async () => {
    expect(verifierOf([ALICE]).codeAt(await tokenBy(ALICE, {}, { alg: 'Ed25519' }))).toBe('granted');
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['another issuer', { iss: 'other' }, 'auth.issuer'],
    ['no issuer', { iss: undefined }, 'auth.issuer'],
    ['an issuer in a list', { iss: ['depthwire'] }, 'auth.issuer'],
    ['another audience', { aud: 'other' }, 'auth.audience'],
    ['no audience', { aud: undefined }, 'auth.audience'],
    ['audiences without ours', { aud: ['a', 'b'] }, 'auth.audience'],
    ['audiences with ours', { aud: ['a', 'depthwire'] }, 'granted'],
    ['no subject', { sub: undefined }, 'auth.claims'],
    ['an empty subject', { sub: '' }, 'auth.claims'],
    ['a subject with a line break', { sub: 'a\nb' }, 'auth.claims'],
    ['a subject that is too long', { sub: 'x'.repeat(129) }, 'auth.claims'],
    ['no end', { exp: undefined }, 'auth.claims'],
    ['an end that is no number', { exp: '9999999999' }, 'auth.claims'],
    ['an end beyond the calendar', { exp: 1e300 }, 'auth.claims'],
    ['a negative beginning', { nbf: -1 }, 'auth.claims'],
    ['a beginning behind its end', { nbf: NOW_S + 60 }, 'auth.claims'],
    ['an issue behind its end', { iat: NOW_S + 61 }, 'auth.claims'],
    ['no times but an end', { iat: undefined }, 'granted'],
    ['a fraction of a second', { iat: NOW_S - 0.5 }, 'granted'],
    ['an end that is past by more than the leeway', { exp: NOW_S - 30, iat: NOW_S - 60 }, 'auth.expired'],
    ['an end that is past by less', { exp: NOW_S - 29, iat: NOW_S - 60 }, 'granted'],
    ['a beginning that is to come by more than the leeway', { nbf: NOW_S + 31 }, 'auth.not_yet_valid'],
    ['a beginning that is to come by less', { nbf: NOW_S + 30 }, 'granted'],
    ['an issue that is to come', { iat: NOW_S + 31 }, 'auth.not_yet_valid'],
    ['no entitlements', { depthwire: undefined }, 'auth.entitlements'],
  ])('with %s is answered %3$s', async (_what, claims, code) => {
    expect(verifierOf([ALICE]).codeAt(await tokenBy(ALICE, claims))).toBe(code);
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['another key', { kid: 'b' }, 'auth.unknown_key'],
    ['no key', { kid: undefined }, 'auth.unknown_key'],
    ['a key whose name is no text', { kid: 1 }, 'auth.unknown_key'],
    ['a type of its own', { typ: 'JWE' }, 'auth.malformed'],
    ['a type that is one', { typ: 'at+jwt' }, 'granted'],
    ['a key of its own', { jwk: { kty: 'OKP' }, jku: 'https://evil.example' }, 'granted'],
  ])('whose header names %s is answered %3$s', async (_what, header, code) => {
    expect(verifierOf([ALICE]).codeAt(await tokenBy(ALICE, {}, header))).toBe(code);
  });

  it('that asks the reader to understand more is not taken', async () => {
    const [, body, tail] = (await tokenBy(ALICE)).split('.');
    const head = encoded({ alg: 'EdDSA', kid: 'a', crit: ['x'], x: 1 });
    expect(verifierOf([ALICE]).codeAt(`${head}.${body}.${tail}`)).toBe('auth.malformed');
  });

  it('is not taken by its word for how it is signed', async () => {
    const { codeAt } = verifierOf([ALICE], ['EdDSA', 'ES256', 'RS256']);
    const body = encoded(claimsOf());
    for (const alg of [
      'none',
      'None',
      'NONE',
      '',
      'HS256',
      'ES256',
      'RS256',
      'EdDSA ',
      null,
      ['EdDSA'],
      undefined,
    ]) {
      const head = encoded({ alg, kid: 'a' });
      expect(codeAt(`${head}.${body}.`)).toMatch(/^auth\.(algorithm|malformed)$/);
      expect(codeAt(`${head}.${body}.${encoded('x'.repeat(64))}`)).toBe('auth.algorithm');
    }
    // The public key as the secret of an HMAC: the oldest of the forgeries.
    const head = encoded({ alg: 'HS256', kid: 'a' });
    const secret = String(ALICE.publicKey.export({ format: 'pem', type: 'spki' }));
    const mac = createHmac('sha256', secret).update(`${head}.${body}`).digest('base64url');
    expect(codeAt(`${head}.${body}.${mac}`)).toBe('auth.algorithm');
  });

  it('with any byte changed is refused', async () => {
    const token = await tokenBy(ALICE);
    const { codeAt } = verifierOf([ALICE]);
    fc.assert(
      fc.property(fc.nat(token.length - 1), fc.constantFrom(...'AZaz09-_.=+ \0é'), (at, letter) => {
        const changed = token.slice(0, at) + letter + token.slice(at + 1);
        expect(codeAt(changed) === 'granted').toBe(changed === token);
      }),
      { numRuns: 500 },
    );
    for (const more of ['.', '=', ' ', '.x', 'A']) expect(codeAt(token + more)).toMatch(/^auth\./);
    expect(codeAt(token.slice(0, -1))).toMatch(/^auth\./);
  });

  it('of any bytes is answered by a refusal, never by an exception', () => {
    const { codeAt } = verifierOf([ALICE]);
    const part = fc.oneof(
      fc.string(),
      fc.json().map(encoded),
      fc.constant(encoded({ alg: 'EdDSA', kid: 'a' })),
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 5 }), (parts) => {
        expect(codeAt(parts.join('.'))).toMatch(
          /^auth\.(malformed|algorithm|unknown_key|signature|too_big)$/,
        );
      }),
    );
  });

  it('that is longer than any is not read', () => {
    expect(readToken('a'.repeat(TOKEN_BYTES_MAX + 1))).toMatchObject({ code: 'auth.too_big' });
    expect(readToken('a'.repeat(TOKEN_BYTES_MAX))).toMatchObject({ code: 'auth.malformed' });
  });

  it('that is refused is told its cause, and nothing of the keys, the issuer or the audience', async () => {
    const { verifier } = verifierOf([ALICE]);
    for (const claims of [{ iss: 'x' }, { aud: 'x' }, { sub: '' }, { exp: NOW_S - 99, iat: 0 }]) {
      const token = await tokenBy(ALICE, claims);
      const error = verifier.verify(token, NOW_MS) as DepthwireError;
      expect([error.where, error.expected, error.got]).toEqual(['token', '', '']);
      expect(JSON.stringify(error)).not.toContain(token.slice(0, 20));
    }
  });
});

describe('tokens that come again', () => {
  it('cost one check of a signature, right ones and wrong ones', async () => {
    const { verifier, codeAt } = verifierOf([ALICE]);
    const good = await tokenBy(ALICE);
    const forged = await tokenBy(issuer('a'));
    const foreign = await tokenBy(ALICE, { aud: 'other' });
    for (let times = 0; times < 5; times++) {
      expect([codeAt(good), codeAt(forged), codeAt(foreign)]).toEqual([
        'granted',
        'auth.signature',
        'auth.audience',
      ]);
    }
    expect(verifier.checks).toBe(3);
  });

  it('share one grant, and are held to the time anew', async () => {
    const { verifier, codeAt } = verifierOf([ALICE]);
    const token = await tokenBy(ALICE, { nbf: NOW_S });
    expect(verifier.verify(token, NOW_MS)).toBe(verifier.verify(token, NOW_MS + 1));
    expect(codeAt(token, NOW_MS - 31_000)).toBe('auth.not_yet_valid');
    expect(codeAt(token, (NOW_S + 90) * 1000)).toBe('auth.expired');
    expect(codeAt(token, (NOW_S + 90) * 1000 - 1)).toBe('granted');
    expect(verifier.checks).toBe(1);
  });

  it('are forgotten with the keys that they were decided by', async () => {
    const { keys, codeAt } = verifierOf([ALICE]);
    const token = await tokenBy(ALICE);
    expect(codeAt(token)).toBe('granted');
    keys.set = keySetOf(jwksOf(issuer('b')), 'test', ['EdDSA']);
    keys.version += 1;
    expect(codeAt(token)).toBe('auth.unknown_key');
    keys.set = keySetOf(jwksOf(ALICE), 'test', ['EdDSA']);
    keys.version += 1;
    expect(codeAt(token)).toBe('granted');
    keys.set = new Map();
    keys.version += 1;
    expect(codeAt(token)).toBe('auth.keys_unavailable');
  });

  it('that are forged push out none that are right, however many they are', async () => {
    const { verifier, codeAt } = verifierOf([ALICE]);
    const good = await tokenBy(ALICE);
    expect(codeAt(good)).toBe('granted');
    const [head, body] = good.split('.');
    for (let at = 0; at < 1100; at++) {
      const signature = Buffer.alloc(64);
      signature.writeUInt32LE(at);
      expect(codeAt(`${head}.${body}.${signature.toString('base64url')}`)).toBe('auth.signature');
    }
    const { checks } = verifier;
    expect(codeAt(good)).toBe('granted');
    expect([checks, verifier.checks]).toEqual([1101, 1101]);
  });
});
