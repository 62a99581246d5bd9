import { createHash, createHmac, createPublicKey, randomUUID, timingSafeEqual, verify } from 'node:crypto';
import type { Fields, LoginFacts, RequestFacts, SignatureFacts } from '../ingest/venues/facts.js';
import { Pattern, type Said } from './pattern.js';

/** The account that logins are checked against. */
export interface Account {
  readonly key: string;
  /** In base64 where the venue writes it so. */
  readonly secret: string;
  readonly passphrase: string;
  /** PEM of the public key of those who sign tokens themselves. */
  readonly publicKey: string | null;
}

/** How far a signed time may lie from the venue's, as most venues have it. */
const SKEW_MS_MAX = 30_000;
/** In which a token that was given out must be used: Kraken, "Websockets Token". */
const TOKEN_MS_MAX = 15 * 60_000;
/** Tokens that wait for their use. */
const TOKENS_MAX = 10_000;

/** Checks the logins of one address. Each reason that is returned is for people; null: it is right. */
export class LoginDesk {
  readonly #facts: LoginFacts;
  readonly #account: Account;
  readonly #text: Pattern | undefined;
  readonly #tokens = new Map<string, number>();
  readonly #usedJwts = new Set<string>();
  readonly #nonces = new Set<string>();

  constructor(facts: LoginFacts, account: Account) {
    this.#facts = facts;
    this.#account = account;
    if (facts.kind === 'message') this.#text = new Pattern(facts.text);
  }

  /** Whether a message is a login, and if so what is wrong with it. */
  message(message: unknown, nowMs: number): { readonly refused: string | null } | undefined {
    const { common } = this.#text?.match(message) ?? {};
    if (common === undefined || this.#facts.kind !== 'message') return undefined;
    return { refused: this.#credentials(common, this.#facts.signature, nowMs) };
  }

  /** What is wrong with a subscription to a stream that needs a key. */
  subscription(said: Said, isLoggedIn: boolean, nowMs: number): string | null {
    const facts = this.#facts;
    switch (facts.kind) {
      case 'message':
        return isLoggedIn ? null : 'no login came before';
      case 'fields':
        return this.#credentials(said, facts.signature, nowMs);
      case 'jwt':
        return this.#jwt(said.jwt ?? '', facts.issuer, facts.lifeMs, nowMs);
      case 'token':
        return this.#token(said.token ?? '', nowMs);
    }
  }

  /** A token for a request that is signed right, or what is wrong with it. */
  issue(
    request: RequestFacts,
    header: (name: string) => string | undefined,
    body: string,
    nowMs: number,
  ): { readonly token: string } | { readonly refused: string } {
    const facts = this.#facts;
    if (facts.kind !== 'token') return { refused: 'no tokens are given out here' };
    if (header(facts.keyHeader) !== this.#account.key) return { refused: 'the key is another' };
    const nonce = new URLSearchParams(body).get('nonce') ?? /"nonce":"?(\d+)/.exec(body)?.[1] ?? '';
    if (nonce === '' || this.#nonces.has(nonce))
      return { refused: 'the nonce is missing or was used before' };
    this.#nonces.add(nonce);
    const path = new URL(request.url).pathname;
    const digest = createHash('sha256')
      .update(nonce + body)
      .digest();
    const signature = createHmac('sha512', Buffer.from(this.#account.secret, 'base64'))
      .update(path)
      .update(digest)
      .digest('base64');
    if (!isSame(header(facts.signatureHeader) ?? '', signature)) return { refused: 'the signature is wrong' };
    const token = randomUUID();
    if (this.#tokens.size >= TOKENS_MAX) this.#tokens.clear();
    this.#tokens.set(token, nowMs);
    return { token };
  }

  #credentials(said: Said, facts: SignatureFacts | null, nowMs: number): string | null {
    const { key, secret, passphrase } = this.#account;
    if (said.key !== undefined && said.key !== key) return 'the key is another';
    if (said.passphrase !== undefined && said.passphrase !== passphrase) return 'the passphrase is another';
    if (said.secret !== undefined && said.secret !== secret) return 'the secret is another';
    if (facts === null) return null;
    const toMs = { seconds: 1000, millis: 1, expires: 1 } as const;
    for (const [name, unitMs] of Object.entries(toMs)) {
      const time = said[name];
      if (time === undefined) continue;
      const awayMs = Number(time) * unitMs - nowMs;
      const isFresh =
        name === 'expires'
          ? awayMs > 0 && awayMs <= facts.expiresMs + SKEW_MS_MAX
          : Math.abs(awayMs) <= SKEW_MS_MAX;
      if (!isFresh) return `the time ${time} has expired or is not ${name}`;
    }
    const text = facts.over.replace(/\{([a-z]+)\}/g, (whole, name: string) => said[name] ?? whole);
    const signature = createHmac(
      facts.hash,
      Buffer.from(secret, facts.secret === 'base64' ? 'base64' : 'utf8'),
    )
      .update(text)
      .digest(facts.encoding);
    return isSame(said.signature ?? '', signature) ? null : 'the signature is wrong';
  }

  #jwt(jwt: string, issuer: string, lifeMs: number, nowMs: number): string | null {
    const { key, publicKey } = this.#account;
    const [head = '', claims = '', signature = ''] = jwt.split('.');
    if (this.#usedJwts.has(jwt)) return 'the token was used before: each message needs its own';
    this.#usedJwts.add(jwt);
    const { alg, kid } = jsonOf(head);
    const { iss, sub, nbf, exp } = jsonOf(claims);
    if (alg !== 'ES256' || kid !== key || iss !== issuer || sub !== key)
      return 'the token names other parties';
    if (typeof nbf !== 'number' || typeof exp !== 'number') return 'the token has no times';
    if (exp * 1000 < nowMs || nbf * 1000 > nowMs + SKEW_MS_MAX)
      return 'the token has expired or is not valid yet';
    if ((exp - nbf) * 1000 > lifeMs) return `the token is valid for longer than ${lifeMs} ms`;
    if (publicKey === null) return 'no public key is known here';
    const proof = { key: createPublicKey(publicKey), dsaEncoding: 'ieee-p1363' } as const;
    const isTrue = verify(
      'sha256',
      Buffer.from(`${head}.${claims}`),
      proof,
      Buffer.from(signature, 'base64url'),
    );
    return isTrue ? null : 'the signature is wrong';
  }

  #token(token: string, nowMs: number): string | null {
    const sinceMs = this.#tokens.get(token);
    if (sinceMs === undefined) return 'the token is not known, or another connection has used it';
    return nowMs - sinceMs > TOKEN_MS_MAX ? 'the token has expired' : null;
  }

  /** A connection ends: a new one needs a token of its own. */
  forget(token: string): void {
    this.#tokens.delete(token);
  }
}

/** A message with those members; such as may be anything are 1. */
export function messageWith(fields: Fields): string {
  const message: Record<string, unknown> = {};
  for (const [path, value] of Object.entries(fields)) {
    const names = path.split('.');
    let at: Record<string, unknown> = message;
    for (const name of names.slice(0, -1)) {
      at[name] ??= {};
      at = at[name] as Record<string, unknown>;
    }
    at[names.at(-1) ?? ''] = value ?? '1';
  }
  return JSON.stringify(withArrays(message));
}

/** Objects whose names are 0, 1, 2 … are arrays. */
function withArrays(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([name, inner]) => [name, withArrays(inner)] as const);
  const isArray = entries.length > 0 && entries.every(([name], at) => name === String(at));
  return isArray ? entries.map(([, inner]) => inner) : Object.fromEntries(entries);
}

function isSame(given: string, due: string): boolean {
  const [one, other] = [Buffer.from(given), Buffer.from(due)];
  return one.length === other.length && timingSafeEqual(one, other);
}

function jsonOf(part: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString());
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
