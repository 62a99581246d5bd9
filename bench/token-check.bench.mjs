// @ts-check
/**
 * What a token costs the loop at a handshake: one that was never seen, one that is forged, one that comes again. The control is
 * the check of the same signatures by node:crypto alone, which nothing can undercut for the first two.
 *
 * Each run has a verifier of its own, so that tokens are new to it, and must grant or refuse every one of them. The aim of
 * 1,500 handshakes a second leaves 667 µs for each, in which the handshake itself must fit, too.
 * Prints one line of JSON for each row; a wrong answer is `"ok": false` and exit code 1.
 */
import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import { DepthwireError } from '../dist/errors.js';
import { keySetOf } from '../dist/publish/auth/key-set.js';
import { mint, publicSet } from '../dist/publish/auth/mint.js';
import { Verifier } from '../dist/publish/auth/verifier.js';
import { measure, program } from './measure.mjs';

/** @typedef {import('./measure.mjs').Run} Run */

const BENCH = 'token_check';
const TOKENS = 500;
const TOKENS_TINY = 20;
const TERMS = {
  issuer: 'depthwire',
  audience: 'depthwire',
  leewaySeconds: 30,
  algorithms: /** @type {const} */ (['EdDSA']),
};
const ENTITLEMENTS = /** @type {const} */ ({
  allow: [
    { channels: ['book', 'bbo', 'trades'], instruments: ['kraken:*', 'deribit:BTC-*', 'binance:BTCUSDT'] },
    { channels: ['depth'], instruments: ['*'], depthMax: 20, intervalMsMin: 100 },
  ],
  subscriptionsMax: 64,
});

/** @param {number} count */
function tokensOf(count) {
  const key = { keyId: 'a', privateKey: generateKeyPairSync('ed25519').privateKey };
  const other = { keyId: 'a', privateKey: generateKeyPairSync('ed25519').privateKey };
  const issuedAt = Math.floor(Date.now() / 1000);
  const times = { issuedAt, lifetimeSeconds: 3600 };
  /** @param {typeof key} by */
  const minted = (by) =>
    Array.from({ length: count }, (_, at) =>
      mint(by, { ...TERMS, ...times, subject: `client ${at}`, entitlements: structuredClone(ENTITLEMENTS) }),
    );
  return { key, good: minted(key), forged: minted(other) };
}

await program(BENCH, ['none'], async (_workload, { rounds, tiny }) => {
  const count = tiny ? TOKENS_TINY : TOKENS;
  const { key, good, forged } = tokensOf(count);
  const set = keySetOf(publicSet(key), 'bench', TERMS.algorithms);
  const keys = { version: 1, isEmpty: false, find: (/** @type {string} */ keyId) => set.get(keyId) };
  const fresh = () => new Verifier(keys, TERMS);
  const nowMs = Date.now();
  /** @param {Verifier} verifier @param {readonly string[]} tokens @returns {Run} */
  const timed = (verifier, tokens) => {
    let granted = 0;
    const started = process.hrtime.bigint();
    for (const token of tokens) granted += verifier.verify(token, nowMs) instanceof DepthwireError ? 0 : 1;
    return { ns: Number(process.hrtime.bigint() - started), answer: `granted ${granted}` };
  };
  const signed = good.map((token) => {
    const at = token.lastIndexOf('.');
    return {
      text: Buffer.from(token.slice(0, at)),
      signature: Buffer.from(token.slice(at + 1), 'base64url'),
    };
  });
  const publicKey = createPublicKey(key.privateKey);
  return measure(BENCH, 'none', 'ns/token', rounds, [
    {
      name: 'node:crypto verify',
      count,
      expected: `granted ${count}`,
      run: () => {
        let granted = 0;
        const started = process.hrtime.bigint();
        for (const { text, signature } of signed) granted += verify(null, text, publicKey, signature) ? 1 : 0;
        return { ns: Number(process.hrtime.bigint() - started), answer: `granted ${granted}` };
      },
    },
    { name: 'new', count, expected: `granted ${count}`, run: () => timed(fresh(), good) },
    { name: 'forged', count, expected: 'granted 0', run: () => timed(fresh(), forged) },
    {
      name: 'seen before',
      count,
      expected: `granted ${count}`,
      run: () => {
        const verifier = fresh();
        timed(verifier, good);
        return timed(verifier, good);
      },
    },
  ]);
});
