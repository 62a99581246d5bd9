import { ServerError } from './errors.js';
import type { BookState } from './protocol.js';

/** An instrument as `/v1/instruments` tells it: see the server's `/v1/openapi.json` for all of it. */
export interface Instrument {
  readonly id: number;
  /** `venue:SYMBOL`, which subscriptions take. */
  readonly name: string;
  readonly venue: string;
  readonly symbol: string;
  readonly priceExponent: number;
  readonly qtyExponent: number;
  /** Mantissas; 0 = unknown. */
  readonly tickSize: number;
  readonly lotSize: number;
  readonly qtyUnit: string;
  readonly contractSize: number;
  readonly inverse: boolean;
  readonly kind: string;
  readonly base: string;
  readonly quote: string;
  /** When it ends, ms since the Unix epoch; 0 = never, or nobody has said. */
  readonly expiryMs: number;
  /** Of an option, a decimal. */
  readonly strike?: string;
  /** Of an option: whether it is one to buy. */
  readonly isCall?: boolean;
  readonly state: BookState;
  readonly reason: string;
  readonly ageMs: number;
  /** What a consolidated book is made of: which count, and why the others do not. An order of it is the part of `members[id % members.length]`. */
  readonly members?: readonly {
    readonly instrument: string;
    readonly isIn: boolean;
    readonly reason: string;
  }[];
}

/** How long an answer may take. */
const TIMEOUT_MS = 10_000;

/** Asks a server what it carries. Rejects with a `ServerError`, or with what the signal is aborted with. */
export async function readInstruments(
  url: string,
  token: string | undefined,
  signal: AbortSignal | undefined,
): Promise<readonly Instrument[]> {
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  let got = '';
  let cause: unknown;
  try {
    const signals = signal === undefined ? timeout : AbortSignal.any([signal, timeout]);
    const answer = await fetch(url, { headers, signal: signals });
    const body: unknown = await answer.json();
    got = `status ${answer.status}`;
    const list = (body as { readonly instruments?: unknown } | null)?.instruments;
    if (answer.ok && Array.isArray(list)) return list;
  } catch (thrown) {
    signal?.throwIfAborted();
    got ||= String(thrown);
    cause = thrown;
  }
  throw new ServerError({
    code: 'feed.no_instruments',
    what: 'the server does not say what it carries',
    where: url,
    expected: 'a list of instruments',
    got,
    fix: 'check the address and the token; a page of another server must be in server.allow_origins',
    cause,
  });
}
