import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { DepthwireError } from '../src/errors.js';
import { KEY_SET_BYTES_MAX, keySetOf } from '../src/publish/auth/key-set.js';
import { keySetAddress, keySetFile } from '../src/publish/auth/key-source.js';
import { KeyStore, type KeyStoreOptions } from '../src/publish/auth/key-store.js';
import { fault } from './support/layered.js';
import { issuer, jwkOf, jwksOf } from './support/tokens.js';

const [A, B, EC, RSA] = [issuer('a'), issuer('b'), issuer('ec', 'ec'), issuer('rsa', 'rsa')];

describe('a set of keys', () => {
  it('has the keys that may check tokens here, and passes over the others', () => {
    const text = JSON.stringify({
      keys: [
        jwkOf(A),
        jwkOf(EC),
        { ...jwkOf(B), use: 'enc' },
        { ...jwkOf(B), key_ops: ['sign'] },
        { ...jwkOf(B), alg: 'ES256' },
        { ...jwkOf(B), kid: undefined },
        { ...jwkOf(B), kid: 5 },
        { kty: 'new', kid: 'n' },
        { ...jwkOf(B), kid: 'c', use: 'sig', alg: 'EdDSA', key_ops: ['verify'] },
      ],
    });
    expect([...keySetOf(text, 'x', ['EdDSA']).keys()]).toEqual(['a', 'c']);
    expect([...keySetOf(text, 'x', ['EdDSA', 'ES256']).keys()]).toEqual(['a', 'ec', 'c']);
    expect([...keySetOf(jwksOf(RSA), 'x', ['RS256']).values()].map(({ algorithm }) => algorithm)).toEqual([
      'RS256',
    ]);
    expect(keySetOf('{"keys":[]}', 'x', ['EdDSA']).size).toBe(0);
  });

  it.each<[string, string, string]>([
    ['no JSON', '{', 'no JSON'],
    ['no set', '[]', 'no list of keys'],
    ['a list of others', '{"keys":[1]}', 'something else'],
    ['a private key', JSON.stringify({ keys: [A.privateKey.export({ format: 'jwk' })] }), 'key 0 is secret'],
    ['a shared secret', '{"keys":[{"kty":"oct","k":"AA","kid":"a"}]}', 'key 0 is secret'],
    ['one name twice', JSON.stringify({ keys: [jwkOf(A), { ...jwkOf(B), kid: 'a' }] }), '"a" twice'],
    [
      'keys of which none is for here',
      jwksOf(EC, RSA),
      'key 0: ES256 is not allowed here; key 1: RS256 is not allowed here',
    ],
    [
      'a damaged key',
      JSON.stringify({ keys: [{ ...jwkOf(A), x: 'AA' }] }),
      'key 0: not understood (ERR_CRYPTO_INVALID_JWK)',
    ],
    ['more bytes than any', ' '.repeat(KEY_SET_BYTES_MAX + 1), `${KEY_SET_BYTES_MAX + 1} bytes`],
    ['more keys than any', JSON.stringify({ keys: Array.from({ length: 65 }, () => ({})) }), '65 keys'],
  ])('with %s is none', (_what, text, got) => {
    const error = fault(() => keySetOf(text, 'keys.json', ['EdDSA']));
    expect([error.code, error.where, error.got]).toEqual(['auth.key_set', 'keys.json', got]);
    expect(JSON.stringify(error)).not.toContain(String(A.privateKey.export({ format: 'jwk' }).d));
  });

  it('of any text is one, or is refused', () => {
    const key = fc.record(
      { kty: fc.anything(), kid: fc.anything(), x: fc.anything(), crv: fc.anything() },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.record({ keys: fc.array(key) }).map((set) => JSON.stringify(set)),
        ),
        (text) => {
          try {
            keySetOf(text, 'x', ['EdDSA']);
          } catch (error) {
            expect((error as DepthwireError).code).toBe('auth.key_set');
          }
        },
      ),
    );
  });
});

/** A store whose set a test writes, and what it said. */
function storeOf(kind: KeyStoreOptions['kind'], text: string) {
  const said: string[] = [];
  const source = { text: text as string | DepthwireError, reads: 0 };
  const store = new KeyStore({
    where: 'keys',
    kind,
    algorithms: ['EdDSA'],
    refreshMs: 300_000,
    say: (line) => said.push(line),
    random: () => 0.5,
    read: () => {
      source.reads += 1;
      return source.text instanceof DepthwireError
        ? Promise.reject(source.text)
        : Promise.resolve(source.text);
    },
  });
  /** Lets a time come, and the reading that it brings about end. */
  const at = async (nowMs: number): Promise<void> => {
    store.tick(nowMs);
    await new Promise(setImmediate);
  };
  return { store, source, said, at };
}

const AWAY = new DepthwireError('auth.key_set_unreadable', {
  what: 'away',
  got: 'ECONNREFUSED',
  fix: 'wait',
});

describe('the keys of a server', () => {
  it('change with their file, by time and when told to, and tokens of a key that went are refused', async () => {
    const { store, source, said, at } = storeOf('file', jwksOf(A));
    await store.open(0);
    expect([store.version, store.keyIds(), said]).toEqual([1, ['a'], []]);
    source.text = jwksOf(A, B);
    await at(1999);
    expect(store.keyIds()).toEqual(['a']);
    await at(2000);
    expect([store.version, store.keyIds()]).toEqual([2, ['a', 'b']]);
    source.text = jwksOf(B);
    await store.reload(2001);
    expect([store.version, store.find('a'), store.keyIds()]).toEqual([3, undefined, ['b']]);
    expect(said).toEqual([
      'auth     the keys have changed: 1 came or differ, 0 went or differ, 2 in all',
      'auth     the keys have changed: 0 came or differ, 1 went or differ, 1 in all',
    ]);
  });

  it('stay the same where their set says the same in another way', async () => {
    const { store, source, said } = storeOf('file', jwksOf(A, B));
    await store.open(0);
    source.text = JSON.stringify({ keys: [jwkOf(B), { ...jwkOf(A), use: 'sig' }] }, null, 2);
    await store.reload(1);
    expect([store.version, said]).toEqual([1, []]);
    source.text = JSON.stringify({ keys: [jwkOf(B), { ...jwkOf(issuer('new')), kid: 'a' }] });
    await store.reload(2);
    expect([store.version, said.length]).toEqual([2, 1]);
  });

  it.each<[string, string | DepthwireError]>([
    ['cannot be had', AWAY],
    ['cannot be read', '{'],
  ])('stay as they were while their set %s, which is told once', async (_what, wrong) => {
    const { store, source, said, at } = storeOf('address', jwksOf(A));
    await store.open(0);
    source.text = wrong;
    await at(300_000);
    await at(310_000);
    await at(320_000);
    expect([source.reads, store.keyIds(), store.version]).toEqual([4, ['a'], 1]);
    expect(said).toEqual([expect.stringMatching(/the 1 keys from before stay$/)]);
    source.text = jwksOf(A, B);
    await at(330_000);
    expect([store.keyIds(), store.failure]).toEqual([['a', 'b'], undefined]);
    expect(said.at(-1)).toBe('auth     the keys of keys are read again');
  });

  it('of a file must be right at the start; those of an address may come later', async () => {
    await expect(storeOf('file', '{').store.open(0)).rejects.toMatchObject({ code: 'auth.key_set' });
    const { store, source, said, at } = storeOf('address', '{');
    await store.open(0);
    expect([store.isEmpty, said]).toEqual([true, [expect.stringContaining('so no token is taken')]]);
    source.text = jwksOf(A);
    await at(9999);
    expect(store.isEmpty).toBe(true);
    await at(10_000);
    expect(store.keyIds()).toEqual(['a']);
  });

  it('that are all taken away let nobody in, and that is said', async () => {
    const { store, source, said } = storeOf('file', jwksOf(A));
    await store.open(0);
    source.text = '{"keys":[]}';
    await store.reload(1);
    expect([store.isEmpty, said.at(-1)]).toEqual([
      true,
      'auth     the set of keys is empty: every token is refused',
    ]);
  });

  it('are asked for before their time by a key that is not known, at most so often', async () => {
    const { store, source, at } = storeOf('address', jwksOf(A));
    await store.open(0);
    await at(29_999);
    store.find('b');
    await at(29_999);
    expect(source.reads).toBe(1);
    source.text = jwksOf(A, B);
    await at(30_000);
    for (let times = 0; times < 1000; times++) expect(store.find('b')).toBeUndefined();
    await at(30_001);
    expect([source.reads, store.keyIds()]).toEqual([2, ['a', 'b']]);
    for (let times = 0; times < 1000; times++) store.find('c');
    await at(59_000);
    expect(source.reads).toBe(2);
  });

  it('are asked for at times that vary, so that many servers do not ask together', async () => {
    for (const [random, before, due] of [
      [0, 269_999, 270_000],
      [0.999, 329_000, 330_000],
    ] as const) {
      let reads = 0;
      const store = new KeyStore({
        where: 'x',
        kind: 'address',
        algorithms: ['EdDSA'],
        refreshMs: 300_000,
        say: () => {},
        random: () => random,
        read: () => {
          reads += 1;
          return Promise.resolve(jwksOf(A));
        },
      });
      await store.open(0);
      store.tick(before);
      expect(reads).toBe(1);
      store.tick(due);
      expect(reads).toBe(2);
    }
  });

  it('are read once at a time, and again where something changed meanwhile', async () => {
    const { store, source } = storeOf('file', jwksOf(A));
    await store.open(0);
    store.tick(2000);
    store.tick(2000);
    source.text = jwksOf(B);
    await store.reload(2001);
    expect([source.reads, store.keyIds()]).toEqual([3, ['b']]);
  });
});

describe('where keys lie', () => {
  const folder = mkdtempSync(join(tmpdir(), 'depthwire-keys-'));
  const servers: Server[] = [];
  afterAll(() => {
    rmSync(folder, { recursive: true });
    for (const server of servers) server.close().closeAllConnections();
  });

  async function address(answer: (response: import('node:http').ServerResponse) => void): Promise<string> {
    const server = createServer((_request, response) => answer(response));
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`;
  }

  it('is a file', async () => {
    const path = join(folder, 'a.json');
    await expect(keySetFile(path)()).rejects.toMatchObject({
      code: 'auth.key_set_unreadable',
      got: 'ENOENT',
    });
    writeFileSync(path, 'text');
    expect(await keySetFile(path)()).toBe('text');
  });

  it('is an address that answers by itself, in time, and not with more than a set', async () => {
    expect(await keySetAddress(await address((response) => response.end('text')))()).toBe('text');
    const got = async (answer: Parameters<typeof address>[0]): Promise<string> => {
      const error = (await keySetAddress(await address(answer))().catch(
        (cause: unknown) => cause,
      )) as DepthwireError;
      expect(error.code).toBe('auth.key_set_unreadable');
      return error.got;
    };
    expect(await got((response) => response.writeHead(404).end('no'))).toBe('status 404');
    expect(
      await got((response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end()),
    ).toContain('redirect');
    expect(await got((response) => response.end('x'.repeat(KEY_SET_BYTES_MAX + 1)))).toBe(
      'more than 65536 bytes',
    );
    expect(await got((response) => response.socket?.destroy())).not.toBe('');
    await expect(keySetAddress('http://127.0.0.1:1/?secret')()).rejects.toMatchObject({
      got: 'bad port',
      where: 'http://127.0.0.1:1/',
    });
  });
});
