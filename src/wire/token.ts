import { ClientError } from './errors.js';

/** A token, or what is asked for one before each attempt to connect; undefined = connect without one. */
export type Token = string | (() => string | undefined | Promise<string | undefined>);

/** What a header and a subprotocol may hold: the characters of a JWT. */
const TOKEN = /^[\w.~+/=-]{1,8192}$/;

/** The token of one feed: asks for it, and does not offer one again that the server has refused. */
export class TokenSource {
  private readonly token: Token;
  private last: string | undefined;
  private refused: string | undefined;

  constructor(token: Token) {
    this.token = token;
  }

  /** Whether there can be another one. */
  get canRenew(): boolean {
    return typeof this.token === 'function';
  }

  /** Throws `client.token_failed`, `client.bad_token` and `client.token_refused`. */
  async ask(): Promise<string | undefined> {
    let token: unknown;
    try {
      token = typeof this.token === 'function' ? await this.token() : this.token;
    } catch (cause) {
      throw fault('token_failed', 'the function that gives the token threw', 'a token', String(cause), {
        fix: 'make it return a token; it is asked again with the next attempt',
        cause,
      });
    }
    this.last = undefined;
    if (token === undefined && this.canRenew) return undefined;
    // What was given is a secret, so it is never part of a message.
    if (typeof token !== 'string' || !TOKEN.test(token)) {
      throw fault(
        'bad_token',
        'this is no token',
        'a JWT of at most 8192 characters',
        `a ${typeof token} that is none`,
        {
          fix: 'pass the token alone, without Bearer and spaces',
        },
      );
    }
    if (token === this.refused) {
      throw fault('token_refused', 'the server has refused this token already', 'another one', 'the same', {
        fix: 'return a new token each time, and check its expiry and issuer',
      });
    }
    this.last = token;
    return token;
  }

  /** The server does not accept the last one, or not any more. */
  refuse(): void {
    this.refused = this.last;
  }
}

function fault(
  code: string,
  what: string,
  expected: string,
  got: string,
  rest: { readonly fix: string; readonly cause?: unknown },
): ClientError {
  return new ClientError({ code: `client.${code}`, what, where: 'connect.token', expected, got, ...rest });
}
