import type { Config } from '../../config.js';
import { DepthwireError } from '../../errors.js';
import { tokenOf } from './credential.js';
import { EVERYTHING, type Grant } from './grant.js';
import { keySetAddress, keySetFile, tellableAddress } from './key-source.js';
import { KeyStore } from './key-store.js';
import { Verifier } from './verifier.js';

/** What of a request says who makes it. */
export interface Credentials {
  /** The header `Authorization`; empty where there is none. */
  readonly authorization: string;
  /** The subprotocols that a handshake offers. */
  readonly protocols?: readonly string[];
}

export interface GateOptions {
  /** Takes lines for people: of keys that come, go, and cannot be had. */
  readonly say: (line: string) => void;
  /** The time as `Date.now()` tells it. */
  readonly now: () => number;
  readonly random: () => number;
}

/** The grant of a request without a token, for what is answered to everybody. */
export const NOTHING: Grant = {
  subject: '',
  expiresAtMs: Number.POSITIVE_INFINITY,
  subscriptionsMax: 0,
  connectionsMax: 0,
  operations: false,
  holdsFeed: false,
  terms: 'nothing without a token',
  allows: () => false,
  sees: () => false,
};

/** Asks each handshake and each request for its token. Without `auth` in the configuration everybody may have everything. */
export class Gate {
  readonly #auth: Config['auth'];
  readonly #keys: KeyStore | undefined;
  readonly #verifier: Verifier | undefined;
  readonly #now: () => number;

  constructor({ auth }: Pick<Config, 'auth'>, { say, now, random }: GateOptions) {
    this.#auth = auth;
    this.#now = now;
    if (auth === undefined) return;
    const { jwksFile, jwksUrl = '', algorithms, jwksRefreshSeconds } = auth;
    this.#keys = new KeyStore({
      where: jwksFile ?? tellableAddress(jwksUrl),
      kind: jwksFile === undefined ? 'address' : 'file',
      read: jwksFile === undefined ? keySetAddress(jwksUrl) : keySetFile(jwksFile),
      algorithms,
      refreshMs: jwksRefreshSeconds * 1000,
      say,
      random,
    });
    this.#verifier = new Verifier(this.#keys, auth);
  }

  /** Whether tokens are asked for. */
  get asks(): boolean {
    return this.#auth !== undefined;
  }

  /** Has the keys, before anybody is let in. Throws `auth.key_set*` for a file that cannot be used. `nowMs` is monotonic. */
  async open(nowMs: number): Promise<void> {
    await this.#keys?.open(nowMs);
  }

  /** Reads the keys anew when it is time. `nowMs` is monotonic. */
  tick(nowMs: number): void {
    this.#keys?.tick(nowMs);
  }

  /** Reads the keys anew now. Never rejects: what is wrong is said. `nowMs` is monotonic. */
  async reload(nowMs: number): Promise<void> {
    await this.#keys?.reload(nowMs);
  }

  /** What a handshake is granted, or why it is refused. */
  admit(credentials: Credentials): Grant | DepthwireError {
    const decided = this.#decide(credentials);
    if (decided instanceof DepthwireError || decided.holdsFeed) return decided;
    return nothingOfTheFeed(decided);
  }

  /**
   * What a request for `path` is granted, or why it is refused. Paths of `auth.openPaths` are answered to everybody as without
   * `auth`; with `isOpen` everybody has an answer, which must say nothing of the feed to a grant that does not hold it.
   */
  access(path: string, credentials: Credentials, isOpen = false): Grant | DepthwireError {
    if (this.#auth === undefined || this.#auth.openPaths.includes(path)) return EVERYTHING;
    const decided = this.#decide(credentials);
    return isOpen && decided instanceof DepthwireError ? NOTHING : decided;
  }

  #decide({ authorization, protocols = [] }: Credentials): Grant | DepthwireError {
    if (this.#verifier === undefined) return EVERYTHING;
    const token = tokenOf(authorization, protocols);
    return token instanceof DepthwireError ? token : this.#verifier.verify(token, this.#now());
  }
}

/** The refusal of what only those may see who run the server. */
export function operationsOnly(path: string): DepthwireError {
  return new DepthwireError('auth.operations', {
    what: 'the token does not entitle to what concerns all clients',
    where: path.slice(0, 120),
    expected: 'a token with "operations": true in its claim depthwire',
    got: 'one without',
    fix: 'Have such a token issued, or name this path in auth.open_paths.',
  });
}

/** The refusal of a handshake that could bring nothing: its token is for HTTP alone. */
function nothingOfTheFeed({ terms }: Grant): DepthwireError {
  return new DepthwireError('feed.not_entitled', {
    what: 'the token holds nothing of the feed',
    where: 'token',
    expected: 'one rule of depthwire.allow at least',
    got: terms,
    fix: 'Have one issued that names channels and instruments.',
  });
}

/** The refusal of one more connection of a subject that has `open` of them. */
export function connectionsFull({ connectionsMax }: Grant, open: number): DepthwireError {
  return new DepthwireError('auth.connections_full', {
    what: 'the owner of this token holds as many connections as it may',
    where: 'connections',
    expected: `at most ${connectionsMax}`,
    got: String(open + 1),
    fix: 'Close another connection of this owner; one that was lost counts until the server notices.',
  });
}
