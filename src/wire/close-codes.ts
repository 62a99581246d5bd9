/**
 * What the client does after a close. `again`: another attempt, by the usual pauses. `rested`, `later`: the same, after at
 * least half of the longest pause, after the longest. `token`: the same, with another token. `end`: nothing more, for
 * the same connection would be closed again.
 */
export type AfterClose = 'again' | 'rested' | 'later' | 'token' | 'end';

/** A close code in words. `fix` ends a sentence about the connection. */
export interface CloseMeaning {
  readonly code: string;
  readonly what: string;
  readonly fix: string;
  readonly after: AfterClose;
}

const MEANINGS: Readonly<Record<number, CloseMeaning>> = {
  1001: {
    code: 'feed.server_stops',
    what: 'the server stops or restarts',
    fix: 'nothing to do: the client comes back by itself',
    after: 'again',
  },
  1008: {
    code: 'feed.policy',
    what: 'the server does not accept this client',
    fix: 'see the reason: a page must come from an origin that the server allows',
    after: 'end',
  },
  1009: {
    code: 'feed.control_too_big',
    what: 'a control message was longer than the server takes',
    fix: 'use shorter patterns and fewer instruments a subscription',
    after: 'end',
  },
  4400: {
    code: 'feed.bad_request',
    what: 'the server does not understand this client',
    fix: 'update the client or the server: they speak different versions of the protocol',
    after: 'end',
  },
  4401: {
    code: 'feed.auth',
    what: 'the server wants a token, or another one',
    fix: 'pass a valid `token`; a function is asked for a new one each time',
    after: 'token',
  },
  4403: {
    code: 'feed.not_entitled',
    what: 'the token does not allow this feed',
    fix: 'use a token whose entitlements cover it',
    after: 'end',
  },
  4408: {
    code: 'feed.too_slow',
    what: 'the client did not take the feed as fast as it came',
    fix: 'do less in callbacks, or subscribe to fewer instruments or to depth with an interval',
    after: 'rested',
  },
  4429: {
    code: 'feed.rate',
    what: 'the client sent more than the server allows',
    fix: 'subscribe less often: the client comes back after its longest pause',
    after: 'later',
  },
};

const LOST: CloseMeaning = {
  code: 'feed.disconnected',
  what: 'the connection was lost',
  fix: 'check that the server runs and answers',
  after: 'again',
};

const NOT_OPENED: CloseMeaning = {
  ...LOST,
  code: 'feed.connect_failed',
  what: 'the connection could not be opened',
};

/** HTTP statuses that refuse a handshake, where the platform tells them, which browsers do not. */
const STATUSES: Readonly<Record<string, number>> = { 401: 4401, 403: 4403, 429: 4429 };

/**
 * What a close code means on a connection that was open, or never was: then `failure`, the platform's own words, may say
 * with which HTTP status the server refused it.
 */
export function meaningOf(closeCode: number, wasOpen: boolean, failure: string): CloseMeaning {
  const [, status = ''] = /server response: (\d{3})/.exec(failure) ?? [];
  return MEANINGS[STATUSES[status] ?? closeCode] ?? (wasOpen ? LOST : NOT_OPENED);
}
