import { hash } from 'node:crypto';
import { DepthwireError } from '../../errors.js';
import { type Algorithm, algorithmNamed, isSignedBy, type SigningKey } from './algorithm.js';
import { type Entitled, entitledBy, type Terms, untimely } from './claims.js';
import type { Grant } from './grant.js';
import { refusal } from './refusals.js';
import { readToken, TOKEN_BYTES_MAX } from './token.js';

/** Tokens whose signature is known to be right: those of so many clients connect again without one more check. */
const GOOD_MAX = 2048;
/** Tokens that are known to be wrong; apart, so that forgers push out none of the others. */
const BAD_MAX = 1024;

/** The keys as they are now. */
export interface Keys {
  /** Counts the changes of the set: what was decided by another one holds no more. */
  readonly version: number;
  readonly isEmpty: boolean;
  find(keyId: string): SigningKey | undefined;
}

export interface VerifierTerms extends Terms {
  readonly algorithms: readonly Algorithm[];
}

/**
 * Says what a token grants. Synchronous, for a handshake must be answered in its turn: one check of a signature for a token that
 * was not seen before, whatever is wrong with it, and a hash for one that was. Tokens are kept as hashes.
 */
export class Verifier {
  /** Signatures that were checked. */
  checks = 0;
  readonly #keys: Keys;
  readonly #terms: VerifierTerms;
  readonly #good = new Map<string, Entitled>();
  readonly #bad = new Map<string, DepthwireError>();
  #version = -1;

  constructor(keys: Keys, terms: VerifierTerms) {
    this.#keys = keys;
    this.#terms = terms;
  }

  /** The grant of a token at a time of `Date.now()`, or why there is none. */
  verify(token: string, nowMs: number): Grant | DepthwireError {
    if (token.length > TOKEN_BYTES_MAX) return refusal('auth.too_big');
    if (this.#keys.version !== this.#version) this.#forgetAll();
    const digest = hash('sha256', token, 'base64');
    const found = this.#good.get(digest) ?? this.#bad.get(digest) ?? this.#decide(token, digest);
    if (found instanceof DepthwireError) return found;
    return untimely(found, nowMs) ?? found.grant;
  }

  #decide(text: string, digest: string): Entitled | DepthwireError {
    const token = readToken(text);
    if (token instanceof DepthwireError) return token;
    const algorithm = algorithmNamed(token.algorithm);
    if (algorithm === undefined || !this.#terms.algorithms.includes(algorithm))
      return refusal('auth.algorithm');
    if (this.#keys.isEmpty) return refusal('auth.keys_unavailable');
    const key = this.#keys.find(token.keyId);
    if (key === undefined) return refusal('auth.unknown_key');
    if (key.algorithm !== algorithm) return refusal('auth.algorithm');
    this.checks += 1;
    const decided = isSignedBy(key, token.signed, token.signature)
      ? entitledBy(token.claims, this.#terms)
      : refusal('auth.signature');
    if (decided instanceof DepthwireError) keep(this.#bad, digest, decided, BAD_MAX);
    else keep(this.#good, digest, decided, GOOD_MAX);
    return decided;
  }

  #forgetAll(): void {
    this.#good.clear();
    this.#bad.clear();
    this.#version = this.#keys.version;
  }
}

/** The one that came first makes room. */
function keep<T>(cache: Map<string, T>, key: string, value: T, max: number): void {
  if (cache.size >= max) {
    const [first] = cache.keys();
    if (first !== undefined) cache.delete(first);
  }
  cache.set(key, value);
}
