import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { codeOf, DepthwireError, shown } from '../../errors.js';
import { type Algorithm, algorithmNamed, algorithmOf, type SigningKey } from './algorithm.js';
import { KEY_ID_LENGTH_MAX } from './token.js';

/** Keys by the names that tokens have for them. */
export type KeySet = ReadonlyMap<string, SigningKey>;

/** Longest text of a set of keys. */
export const KEY_SET_BYTES_MAX = 65_536;
const KEYS_MAX = 64;

/**
 * The keys of a JWK Set (RFC 7517) that may check tokens here. Keys for other ends (`use`, `alg`, `kty`) are passed over, as
 * publishers put all of theirs in one set; an empty set is one, by which every token is refused. Throws `auth.key_set` for a
 * set with keys of which none can be used, with a private key, or with one name twice.
 */
export function keySetOf(text: string, where: string, allowed: readonly Algorithm[]): KeySet {
  const keys = listOf(text, where);
  const set = new Map<string, SigningKey>();
  const passed: string[] = [];
  for (const [at, jwk] of keys.entries()) {
    if ('d' in jwk || 'k' in jwk) throw wrong(where, 'public keys alone', `key ${at} is secret`);
    const found = keyOf(jwk, allowed);
    if (typeof found === 'string') {
      passed.push(`key ${at}: ${found}`);
      continue;
    }
    const keyId = String(jwk.kid);
    if (set.has(keyId)) throw wrong(where, 'a name of its own for each key', `${shown(keyId)} twice`);
    set.set(keyId, found);
  }
  if (set.size === 0 && keys.length > 0)
    throw wrong(where, `a key for ${allowed.join(', ')}`, passed.join('; ').slice(0, 200));
  return set;
}

/** Whether two sets accept the same tokens. */
export function isSameSet(one: KeySet, other: KeySet): boolean {
  if (one.size !== other.size) return false;
  for (const [keyId, { algorithm, key }] of one) {
    const same = other.get(keyId);
    if (same === undefined || same.algorithm !== algorithm || !same.key.equals(key)) return false;
  }
  return true;
}

function listOf(text: string, where: string): readonly (JsonWebKey & Readonly<Record<string, unknown>>)[] {
  if (text.length > KEY_SET_BYTES_MAX)
    throw wrong(where, `at most ${KEY_SET_BYTES_MAX} bytes`, `${text.length} bytes`);
  let set: unknown;
  try {
    set = JSON.parse(text);
  } catch {
    throw wrong(where, '{"keys":[…]}', 'no JSON');
  }
  const keys: unknown = typeof set === 'object' && set !== null ? Reflect.get(set, 'keys') : undefined;
  if (!Array.isArray(keys)) throw wrong(where, '{"keys":[…]}', 'no list of keys');
  if (keys.length > KEYS_MAX) throw wrong(where, `at most ${KEYS_MAX} keys`, `${keys.length} keys`);
  if (keys.some((key) => typeof key !== 'object' || key === null))
    throw wrong(where, 'keys that are objects', 'something else');
  return keys as (JsonWebKey & Record<string, unknown>)[];
}

/** The key, or why it is none of ours. */
function keyOf(
  jwk: JsonWebKey & Readonly<Record<string, unknown>>,
  allowed: readonly Algorithm[],
): SigningKey | string {
  const { kid, use = 'sig', alg, key_ops: operations = ['verify'] } = jwk;
  if (typeof kid !== 'string' || kid === '' || kid.length > KEY_ID_LENGTH_MAX)
    return `no kid of 1 to ${KEY_ID_LENGTH_MAX} characters`;
  if (use !== 'sig' || !Array.isArray(operations) || !operations.includes('verify'))
    return 'not for signatures';
  let key: KeyObject;
  try {
    key = createPublicKey({ key: jwk, format: 'jwk' });
  } catch (cause) {
    return `not understood (${codeOf(cause)})`;
  }
  const algorithm = algorithmOf(key);
  if (algorithm === undefined) return 'of another kind, or too weak';
  if (alg !== undefined && algorithmNamed(alg) !== algorithm) return 'for another algorithm';
  return allowed.includes(algorithm) ? { algorithm, key } : `${algorithm} is not allowed here`;
}

function wrong(where: string, expected: string, got: string): DepthwireError {
  return new DepthwireError('auth.key_set', {
    what: 'a set of keys cannot be used',
    where,
    expected,
    got,
    fix: 'Put the JWK Set of the issuer there: public keys with kid. depthwire token --jwks prints one for development.',
  });
}
