import { DepthwireError, explain } from '../../errors.js';
import type { Algorithm, SigningKey } from './algorithm.js';
import { isSameSet, type KeySet, keySetOf } from './key-set.js';
import type { ReadKeySet } from './key-source.js';
import type { Keys } from './verifier.js';

/** A file is read again so often. */
const FILE_MS = 2000;
/** A set that could not be had is asked for again after so long, or after the usual time where that is less. */
const RETRY_MS = 10_000;
/** A key that is not known makes an address be asked before its time, at most so often. */
const UNKNOWN_KEY_MS = 30_000;
/** Times vary by a tenth, so that many servers do not ask together. */
const JITTER = 0.1;

export interface KeyStoreOptions {
  /** Where the set lies, for people. */
  readonly where: string;
  readonly kind: 'file' | 'address';
  readonly read: ReadKeySet;
  readonly algorithms: readonly Algorithm[];
  /** An address is asked so often. */
  readonly refreshMs: number;
  /** Takes lines for people. */
  readonly say: (line: string) => void;
  /** From 0 to 1. */
  readonly random: () => number;
}

/**
 * The keys that tokens are checked with, as their file or address has them. A set that cannot be had or read changes nothing,
 * and is told once; a key that the set has no more is forgotten with it. Owns no timer: `tick` says what time it is.
 */
export class KeyStore implements Keys {
  version = 0;
  /** Why the last attempt failed; undefined = it did not. */
  failure: DepthwireError | undefined;
  readonly #options: KeyStoreOptions;
  #set: KeySet = new Map();
  #dueMs = 0;
  #askedMs = Number.NEGATIVE_INFINITY;
  #nowMs = 0;
  #reading: Promise<void> | undefined;

  constructor(options: KeyStoreOptions) {
    this.#options = options;
  }

  get isEmpty(): boolean {
    return this.#set.size === 0;
  }

  /**
   * The key of that name. One that is not known is looked for at the set's address, for later tokens: it may be new.
   */
  find(keyId: string): SigningKey | undefined {
    const key = this.#set.get(keyId);
    const { kind } = this.#options;
    if (key === undefined && kind === 'address' && this.#nowMs - this.#askedMs >= UNKNOWN_KEY_MS)
      this.#dueMs = 0;
    return key;
  }

  /**
   * Reads the set for the first time. A file must be right: throws `auth.key_set` or `auth.key_set_unreadable`. An address may
   * be away: then no token is taken until it answers.
   */
  async open(nowMs: number): Promise<void> {
    await this.reload(nowMs);
    if (this.failure !== undefined && this.#options.kind === 'file') throw this.failure;
  }

  /** Reads the set when it is time. `nowMs` is monotonic. */
  tick(nowMs: number): void {
    this.#nowMs = nowMs;
    if (nowMs >= this.#dueMs && this.#reading === undefined) void this.#begin(nowMs);
  }

  /** Reads the set as it is now: behind a reading that is under way, which may have seen an older one. Never rejects. */
  async reload(nowMs: number): Promise<void> {
    if (this.#reading !== undefined) await this.#reading;
    await (this.#reading ?? this.#begin(nowMs));
  }

  /** The names of the keys. */
  keyIds(): readonly string[] {
    return [...this.#set.keys()];
  }

  #begin(nowMs: number): Promise<void> {
    this.#reading = this.#read(nowMs).finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #read(nowMs: number): Promise<void> {
    const { where, kind, read, algorithms, refreshMs, random } = this.#options;
    this.#nowMs = nowMs;
    this.#askedMs = nowMs;
    const failedBefore = this.failure;
    try {
      this.#take(keySetOf(await read(), where, algorithms));
      this.failure = undefined;
    } catch (error) {
      if (!(error instanceof DepthwireError)) throw error;
      this.failure = error;
    }
    const usualMs = kind === 'file' ? FILE_MS : refreshMs;
    const waitMs = this.failure === undefined ? usualMs : Math.min(usualMs, RETRY_MS);
    this.#dueMs = nowMs + waitMs * (1 + JITTER * (2 * random() - 1));
    this.#tell(failedBefore);
  }

  #take(set: KeySet): void {
    if (this.version > 0 && isSameSet(set, this.#set)) return;
    const before = this.#set;
    this.#set = set;
    this.version += 1;
    if (this.version === 1) return;
    const [news, gone] = [missing(set, before), missing(before, set)];
    this.#options.say(
      `auth     the keys have changed: ${news.length} came or differ, ${gone.length} went or differ, ${set.size} in all`,
    );
    if (set.size === 0) this.#options.say('auth     the set of keys is empty: every token is refused');
  }

  #tell(before: DepthwireError | undefined): void {
    const { say, where } = this.#options;
    if (this.failure === undefined) {
      if (before !== undefined) say(`auth     the keys of ${where} are read again`);
      return;
    }
    if (before?.code === this.failure.code && before.got === this.failure.got) return;
    const kept =
      this.#set.size === 0
        ? 'there are no keys, so no token is taken'
        : `the ${this.#set.size} keys from before stay`;
    say(`${explain(this.failure)}\n  ${kept}`);
  }
}

/** Names of keys of one set that the other does not have so. */
function missing(one: KeySet, other: KeySet): readonly string[] {
  return [...one]
    .filter(([keyId, { key }]) => other.get(keyId)?.key.equals(key) !== true)
    .map(([keyId]) => keyId);
}
