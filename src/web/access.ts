import { takePart } from './address.js';

/** Where tabs keep their token: gone with the tab, and never sent by the browser itself. */
const KEY = 'depthwire.token';

/** A request that takes longer has failed. */
const ANSWER_MS_MAX = 5000;

/** The answer of a server that wants to know who asks. */
interface Refusal {
  readonly code: string;
  readonly what: string;
}

/**
 * The token by which a server knows this page, where it wants one: from the address (`#token=…`), or given by hand when
 * the server asks. It is kept for this tab alone, and is told to nobody but the server that the page is from.
 */
export class Access {
  /** The token in use; undefined = none. */
  token: string | undefined;
  /** Why the server wants one, or another one, in words; undefined = it does not. */
  wanted: string | undefined;
  readonly #key: string;
  readonly #onChange: () => void;
  /** The server has answered: with this token, or without one. */
  #isKnown = false;
  /** The token of the last connection, and the last one that has ended. */
  #used: string | undefined;
  #ended: string | undefined;
  #waiting: (() => void)[] = [];

  /** `base` is the folder of the page: two servers may stand behind one name. */
  constructor(base: URL, onChange: () => void) {
    this.#key = `${KEY} ${base.pathname}`;
    this.#onChange = onChange;
    // Behind the `#` of an address, which no server and no log ever gets.
    this.token = takePart('token') ?? stored(this.#key);
    this.#store();
  }

  /** The address has changed: takes a token out of it, where it brings one. */
  followAddress(): void {
    const token = takePart('token');
    if (token !== undefined && token !== this.token) this.give(token);
  }

  /**
   * A request of a path beside the page, with the token; with a body it is a POST of JSON. A 401 asks for another token;
   * then the answer is undefined.
   */
  async get(url: URL, body?: string): Promise<Response | undefined> {
    const { token } = this;
    const answer = await fetch(url, {
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { method: 'POST', body }),
      // A server that has vanished without a word is asked again.
      signal: AbortSignal.timeout(ANSWER_MS_MAX),
    });
    if (answer.status !== 401) {
      this.#isKnown = true;
      this.#goOn();
      return answer;
    }
    const { code, what } = await refusalOf(answer);
    // Another one may have been given meanwhile.
    if (token === this.token)
      this.want(token === undefined || code === 'auth.missing' ? ASKED : `Refused: ${what}.`);
    return undefined;
  }

  /** The token for the next connection; waits while it is not known whether the server wants one, or another one. */
  async next(): Promise<string | undefined> {
    while (this.wanted !== undefined || !this.#isKnown)
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#used = this.token;
    return this.token;
  }

  /** The token of the connection has ended. Another one may have been given already. */
  end(): void {
    this.#ended = this.#used;
    if (this.#ended === this.token) this.want(ENDED);
  }

  /** The server wants a token, or another one. */
  want(why: string): void {
    if (this.wanted === why) return;
    this.wanted = why;
    this.#onChange();
  }

  /** Takes a token as it was given, with `Bearer` or without; an empty one is none. */
  give(text: string): void {
    this.token = text.trim().replace(/^Bearer\s+/i, '') || undefined;
    this.#store();
    this.#isKnown = false;
    const isEnded = this.token !== undefined && this.token === this.#ended;
    this.wanted = isEnded ? `This is the same one. ${ENDED}` : undefined;
    this.#onChange();
  }

  #goOn(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }

  #store(): void {
    try {
      if (this.token === undefined) sessionStorage.removeItem(this.#key);
      else sessionStorage.setItem(this.#key, this.token);
    } catch {
      // A browser that keeps nothing for pages: the token is asked for again after a reload.
    }
  }
}

const ASKED = 'This server wants to know who you are.';
const ENDED = 'The token has expired.';

function stored(key: string): string | undefined {
  try {
    return sessionStorage.getItem(key) ?? undefined;
  } catch {
    return undefined;
  }
}

async function refusalOf(answer: Response): Promise<Refusal> {
  try {
    const { error } = (await answer.json()) as { readonly error: Partial<Refusal> };
    return { code: String(error.code), what: error.what ?? 'the token is not taken' };
  } catch {
    return { code: '', what: 'the token is not taken' };
  }
}
