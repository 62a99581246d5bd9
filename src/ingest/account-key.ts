import { inspect } from 'node:util';

/** An account's key. It shows itself nowhere: not in logs, not in JSON. */
export class AccountKey {
  readonly #key: string;
  readonly #secret: string;
  readonly #passphrase: string;

  constructor(given: { readonly key: string; readonly secret: string; readonly passphrase?: string }) {
    this.#key = given.key;
    this.#secret = given.secret;
    this.#passphrase = given.passphrase ?? '';
  }

  /** Hands it to who needs it to log in. */
  reveal(): { readonly key: string; readonly secret: string; readonly passphrase: string } {
    return { key: this.#key, secret: this.#secret, passphrase: this.#passphrase };
  }

  toString(): string {
    return '[account key]';
  }

  toJSON(): string {
    return this.toString();
  }

  [inspect.custom](): string {
    return this.toString();
  }
}
