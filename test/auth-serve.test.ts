import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { mint, mintKey, publicSet } from '../src/publish/auth/mint.js';
import { connect } from '../src/wire/index.js';
import { serveCommand } from './support/serve-command.js';
import { issuer, jwksOf } from './support/tokens.js';

const folder = mkdtempSync(join(tmpdir(), 'depthwire-auth-serve-'));
afterAll(() => rmSync(folder, { recursive: true }));
const keyFile = join(folder, 'key.json');
const jwksFile = join(folder, 'jwks.json');

function tokenWith(key: Parameters<typeof mint>[0]): string {
  return mint(key, {
    issuer: 'depthwire',
    audience: 'depthwire',
    subject: 'alice',
    issuedAt: Math.floor(Date.now() / 1000),
    lifetimeSeconds: 60,
    entitlements: { allow: [{ channels: ['*'], instruments: ['*'] }] },
  });
}

describe('depthwire serve with auth', () => {
  it('lets in by tokens, reads keys anew at a hangup, and writes neither tokens nor keys anywhere', async () => {
    const { key } = mintKey(keyFile);
    writeFileSync(jwksFile, publicSet(key));
    const serving = serveCommand(folder, '--jwks-file', jwksFile, '--log-level', 'debug');
    await serving.until('stop     Ctrl-C');
    expect(serving.output.out).toContain('auth     tokens of depthwire for depthwire;');
    const [, address = ''] = /feed {5}(ws:\S+)/.exec(serving.output.out) ?? [];
    const http = address.replace('ws', 'http').replace('/v1/feed', '');
    const [good, forged] = [tokenWith(key), tokenWith(issuer(key.keyId))];
    const feed = connect(address, { token: good });
    await expect.poll(() => feed.state).toBe('open');
    await feed.close();
    const answers: string[] = [];
    for (const path of [
      '/v1/instruments',
      '/metrics',
      '/health',
      `/v1/feed?token=${good}`,
      `/v1/book/${good}`,
    ]) {
      for (const token of [good, forged, `${good}x`, `${good}.${forged}`]) {
        const answer = await fetch(http + path, { headers: { authorization: `Bearer ${token}` } });
        answers.push(`${answer.status} ${[...answer.headers].join(' ')} ${await answer.text()}`);
      }
    }
    expect(answers[0]).toMatch(/^200 /);
    writeFileSync(jwksFile, jwksOf(issuer('other')));
    serving.hangUp();
    await serving.until('the keys have changed: 1 came or differ, 1 went or differ, 1 in all');
    const late = await fetch(`${http}/v1/instruments`, { headers: { authorization: `Bearer ${good}` } });
    expect([late.status, (await late.json()) as object]).toEqual([
      401,
      { error: expect.objectContaining({ code: 'auth.unknown_key' }) },
    ]);
    expect(await serving.stop()).toBe(0);

    const { d: secret } = JSON.parse(readFileSync(keyFile, 'utf8')) as { readonly d: string };
    const told = `${serving.output.out}${serving.output.err}`;
    expect(told).toContain('auth.signature');
    const [, goodClaims = '', goodSignature = ''] = good.split('.');
    const [, , forgedSignature = ''] = forged.split('.');
    for (const hidden of [secret, goodSignature, forgedSignature]) {
      expect(told).not.toContain(hidden);
      for (const answer of answers) expect(answer).not.toContain(hidden);
    }
    expect(told).not.toContain(goodClaims.slice(0, 40));
  });

  it('does not listen where others can reach it without TLS that nobody waived', async () => {
    const refused = serveCommand(folder, '--host', '0.0.0.0', '--expose-without-auth');
    await refused.until('there is no TLS (serve.public_bind)');
    expect(await refused.stop()).toBe(2);
  });

  it('does not start with keys that cannot be used', async () => {
    for (const [text, code] of [
      [undefined, '(auth.key_set_unreadable)'],
      ['{', '(auth.key_set)'],
    ] as const) {
      rmSync(jwksFile, { force: true });
      if (text !== undefined) writeFileSync(jwksFile, text);
      const serving = serveCommand(folder, '--jwks-file', jwksFile);
      await serving.until(code);
      expect(await serving.stop()).toBe(2);
    }
  });

  it('starts without keys of an address that is away, says so, and takes no token until they are there', async () => {
    const serving = serveCommand(folder, '--jwks-url', 'http://127.0.0.1:1/jwks?secret=s3cr3t');
    await serving.until('stop     Ctrl-C');
    await serving.until('there are no keys, so no token is taken');
    const [, port = ''] = /feed {5}ws:\/\/127\.0\.0\.1:(\d+)/.exec(serving.output.out) ?? [];
    const headers = { authorization: `Bearer ${tokenWith(mintKey(keyFile).key)}` };
    const answer = await fetch(`http://127.0.0.1:${port}/v1/instruments`, { headers });
    expect([answer.status, await answer.text()]).toEqual([
      503,
      expect.stringContaining('auth.keys_unavailable'),
    ]);
    expect(await serving.stop()).toBe(0);
    expect(`${serving.output.out}${serving.output.err}`).not.toContain('s3cr3t');
  });
});
