import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { type ConfigInput, configFrom } from '../src/config.js';
import { DepthwireError } from '../src/errors.js';
import { tellable, tokenOf } from '../src/publish/auth/credential.js';
import { type Credentials, Gate, NOTHING } from '../src/publish/auth/gate.js';
import { EVERYTHING, type Grant } from '../src/publish/auth/grant.js';
import { statusOf } from '../src/publish/auth/refusals.js';
import { issuer, jwksOf, NOW_MS, tokenBy } from './support/tokens.js';

const folder = mkdtempSync(join(tmpdir(), 'depthwire-gate-'));
afterAll(() => rmSync(folder, { recursive: true }));
const jwksFile = join(folder, 'jwks.json');

const ALICE = issuer('a');

async function gateOf(auth: ConfigInput['auth'] = { jwksFile }): Promise<Gate> {
  writeFileSync(jwksFile, jwksOf(ALICE));
  const gate = new Gate(configFrom({ auth }), { say: () => {}, now: () => NOW_MS, random: () => 0.5 });
  await gate.open(0);
  return gate;
}

const bearer = (token: string): Credentials => ({ authorization: `Bearer ${token}` });

function codeOf(decided: Grant | DepthwireError): string {
  return decided instanceof DepthwireError ? decided.code : 'granted';
}

describe('the token of a request', () => {
  it.each<[string, readonly string[], string]>([
    ['Bearer a.b.c', [], 'a.b.c'],
    ['bearer  a.b.c', ['depthwire.v1'], 'a.b.c'],
    ['', ['depthwire.v1', 'depthwire.token.a.b.c'], 'a.b.c'],
    ['', [], 'auth.missing'],
    ['', ['depthwire.v1'], 'auth.missing'],
    ['Bearer', [], 'auth.malformed'],
    ['Bearer a b', [], 'auth.malformed'],
    ['Basic YTpi', [], 'auth.malformed'],
    ['Bearer a', ['depthwire.token.b'], 'auth.ambiguous'],
    ['', ['depthwire.token.a', 'depthwire.token.b'], 'auth.ambiguous'],
  ])('of %j and %j is %s', (authorization, protocols, expected) => {
    const token = tokenOf(authorization, protocols);
    expect(token instanceof DepthwireError ? token.code : token).toBe(expected);
  });

  it('is no subprotocol that would be told again', () => {
    expect(tellable(['depthwire.v1', 'depthwire.token.a', 'x'])).toEqual(['depthwire.v1', 'x']);
  });
});

describe('the gate', () => {
  it('is open to everybody where no tokens are asked for', async () => {
    const gate = new Gate(configFrom({}), { say: () => {}, now: () => NOW_MS, random: () => 0.5 });
    await gate.open(0);
    expect([
      gate.admit({ authorization: '' }),
      gate.access('/metrics', { authorization: 'Bearer x' }),
    ]).toEqual([EVERYTHING, EVERYTHING]);
  });

  it('lets in whom a token entitles, and refuses others by the cause', async () => {
    const gate = await gateOf();
    expect(codeOf(gate.admit(bearer(await tokenBy(ALICE))))).toBe('granted');
    expect(
      codeOf(
        gate.admit({
          authorization: '',
          protocols: ['depthwire.v1', `depthwire.token.${await tokenBy(ALICE)}`],
        }),
      ),
    ).toBe('granted');
    expect(codeOf(gate.admit({ authorization: '' }))).toBe('auth.missing');
    expect(codeOf(gate.admit(bearer(await tokenBy(issuer('a')))))).toBe('auth.signature');
    expect(codeOf(gate.access('/v1/instruments', { authorization: '' }))).toBe('auth.missing');
  });

  it('lets nobody in by any other header or subprotocols, and never throws', async () => {
    const gate = await gateOf();
    const good = await tokenBy(ALICE);
    const word = fc.oneof(
      fc.string(),
      fc.constantFrom('Bearer', 'bearer ', 'Basic', 'depthwire.token.', '.', ' ', ',', good.slice(0, -1)),
    );
    const text = fc.array(word, { maxLength: 4 }).map((words) => words.join(''));
    fc.assert(
      fc.property(text, fc.array(text, { maxLength: 3 }), (authorization, protocols) => {
        expect(codeOf(gate.admit({ authorization, protocols }))).toMatch(/^auth\./);
        expect(codeOf(gate.access('/v1/instruments', { authorization }))).toMatch(/^auth\./);
        expect(gate.access('/health', { authorization }, true)).toBe(NOTHING);
      }),
    );
  });

  it('answers what is open to everybody, but says nothing of the feed to one without a token that holds', async () => {
    const gate = await gateOf({ jwksFile, openPaths: ['/metrics'] });
    for (const credentials of [{ authorization: '' }, bearer('x')]) {
      expect(gate.access('/health', credentials, true)).toBe(NOTHING);
      expect(gate.access('/metrics', credentials)).toBe(EVERYTHING);
      expect(codeOf(gate.access('/metrics/', credentials))).not.toBe('granted');
    }
    const known = gate.access('/health', bearer(await tokenBy(ALICE)), true) as Grant;
    expect([known.subject, known.operations]).toEqual(['alice', false]);
    expect([NOTHING.allows('book', 'x'), NOTHING.sees('x'), NOTHING.operations]).toEqual([
      false,
      false,
      false,
    ]);
  });

  it('refuses at once whose key has gone', async () => {
    const gate = await gateOf();
    const token = await tokenBy(ALICE);
    expect(codeOf(gate.admit(bearer(token)))).toBe('granted');
    writeFileSync(jwksFile, jwksOf(issuer('b')));
    await gate.reload(1);
    expect(codeOf(gate.admit(bearer(token)))).toBe('auth.unknown_key');
    writeFileSync(jwksFile, '{"keys":[]}');
    await gate.reload(2);
    expect(codeOf(gate.admit(bearer(token)))).toBe('auth.keys_unavailable');
  });

  it('says each refusal with its status', () => {
    const status = (code: string): string =>
      statusOf(new DepthwireError(code, { what: '', fix: '' })).slice(0, 3);
    expect(['auth.missing', 'auth.signature', 'auth.entitlements'].map(status)).toEqual([
      '401',
      '401',
      '401',
    ]);
    expect(['auth.connections_full', 'auth.keys_unavailable', 'auth.operations'].map(status)).toEqual([
      '429',
      '503',
      '403',
    ]);
  });
});
