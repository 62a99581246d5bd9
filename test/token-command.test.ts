import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from 'jose';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { run } from '../src/cli/program.js';
import { issuer, jwkOf } from './support/tokens.js';

const folder = mkdtempSync(join(tmpdir(), 'depthwire-token-'));
afterAll(() => rmSync(folder, { recursive: true }));
const keyPath = join(folder, 'depthwire', 'token-key.json');
beforeEach(() => rmSync(keyPath, { force: true }));

async function command(...args: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  let out = '';
  let err = '';
  const terminal = (take: (text: string) => void) => ({
    isTty: false,
    hasColor: false,
    size: () => ({ columns: 80, rows: 24 }),
    atExit: () => () => {},
    write: (text: string): Promise<void> => Promise.resolve(take(text)),
  });
  const code = await run(args, {
    stdout: terminal((text) => (out += text)),
    stderr: terminal((text) => (err += text)),
    signal: AbortSignal.abort('the test'),
    env: { XDG_CONFIG_HOME: folder },
    folder,
    onHangup: () => () => {},
    endWithin() {},
  });
  return { code, out, err };
}

function secretOf(path: string): string {
  return (JSON.parse(readFileSync(path, 'utf8')) as { readonly d: string }).d;
}

describe('depthwire token', () => {
  it('prints a token alone that another library takes by the printed set, and makes the key pair once', async () => {
    const first = await command('token', '--subject', 'alice', '--expires', '15m');
    expect(first).toMatchObject({ code: 0, err: `a key pair was made: ${keyPath}\n` });
    expect(first.out).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
    expect(statSync(keyPath).mode & 0o777).toBe(0o600);
    const set = await command('token', '--jwks');
    expect([set.code, set.err]).toEqual([0, '']);
    const keys = createLocalJWKSet(JSON.parse(set.out) as JSONWebKeySet);
    const options = { issuer: 'depthwire', audience: 'depthwire', algorithms: ['EdDSA'] };
    const { payload } = await jwtVerify(first.out.trim(), keys, options);
    expect(payload).toMatchObject({
      sub: 'alice',
      depthwire: { allow: [{ channels: ['*'], instruments: ['*'] }] },
    });
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(900);
    const second = await command('token');
    expect(decodeProtectedHeader(second.out).kid).toBe(decodeProtectedHeader(first.out).kid);
  });

  it('says in the token what its flags say', async () => {
    const flags = [
      '--channels',
      'depth',
      '--instruments',
      'sim:*, kraken:BTC/USD',
      '--depth-max',
      '10',
      '--interval-ms-min',
      '100',
    ];
    const more = [
      '--subscriptions-max',
      '5',
      '--connections-max',
      '2',
      '--operations',
      '--audience',
      'b',
      '--issuer',
      'a',
    ];
    const { out } = await command('token', ...flags, ...more);
    expect(decodeJwt(out)).toMatchObject({
      iss: 'a',
      aud: 'b',
      sub: 'developer',
      depthwire: {
        allow: [
          { channels: ['depth'], instruments: ['sim:*', 'kraken:BTC/USD'], depthMax: 10, intervalMsMin: 100 },
        ],
        subscriptionsMax: 5,
        connectionsMax: 2,
        operations: true,
      },
    });
  });

  it.each([
    [['--expires', 'soon'], 'Give a time such as 90s'],
    [['--expires', '0s'], 'Give a time such as 90s'],
    [['--channels', 'boook'], 'Write book.'],
    [['--channels', 'book', '--depth-max', '5'], 'Put that channel into a rule of its own.'],
    [['--channels', 'book,,bbo'], 'names with commas'],
    [['--subject', ''], 'auth.claims'],
    [
      ['--instruments', Array.from({ length: 250 }, (_, at) => `kraken:SYMBOL${at}`).join(',')],
      'auth.too_big',
    ],
  ])('%j is bad usage', async (flags, message) => {
    const { code, out, err } = await command('token', ...flags);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(message);
  });

  it('uses no key pair that others can read, or that is none, and tells nothing of it', async () => {
    await command('token');
    const secret = secretOf(keyPath);
    chmodSync(keyPath, 0o644);
    const open = await command('token');
    expect([open.code, open.out, open.err]).toEqual([2, '', expect.stringContaining('chmod 600')]);
    const path = join(folder, 'other.json');
    const ec = issuer('x', 'ec').privateKey.export({ format: 'jwk' });
    for (const text of [
      'secret',
      '{}',
      JSON.stringify({ d: secret }),
      JSON.stringify(jwkOf(issuer('a'))),
      JSON.stringify(ec),
    ]) {
      writeFileSync(path, text, { mode: 0o600 });
      const wrong = await command('token', '--key-file', 'other.json');
      expect([wrong.code, wrong.out, wrong.err]).toEqual([2, '', expect.stringContaining('auth.token_key')]);
      for (const part of [secret, 'secret"', ec.d]) expect(wrong.err).not.toContain(part);
    }
    const nowhere = await command('token', '--key-file', 'other.json/below/key.json');
    expect([nowhere.code, nowhere.err]).toEqual([2, expect.stringContaining('--key-file')]);
    expect(existsSync(`${path}.${process.pid}`)).toBe(false);
  });

  it('prints the secret part of a key pair nowhere', async () => {
    const outputs = [];
    for (const flags of [[], ['--jwks'], ['--channels', 'x']]) outputs.push(await command('token', ...flags));
    const secret = secretOf(keyPath);
    expect(secret).toMatch(/^[\w-]{43}$/);
    for (const { out, err } of outputs) expect(`${out}${err}`).not.toContain(secret);
  });
});
