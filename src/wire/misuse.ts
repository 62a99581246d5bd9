import { ClientError } from './errors.js';
import { SUBSCRIPTIONS_MAX } from './feed-options.js';

/** An address that a WebSocket can be opened to. Throws `client.bad_url`. */
export function checkedUrl(url: string): string {
  const protocol = URL.canParse(url) ? new URL(url).protocol : 'none';
  if (protocol === 'ws:' || protocol === 'wss:') return url;
  throw misuse('client.bad_url', 'this is no feed address', 'connect', 'ws://host/v1/feed or wss://…', url, {
    fix: 'pass the address that the server prints',
  });
}

/** The error of a subscription that there is already. */
export function duplicate(name: string): ClientError {
  return misuse(
    'client.duplicate_subscription',
    'this is subscribed already',
    name,
    'one of each',
    'another',
    {
      fix: 'use the subscription that exists: it takes any number of loops and callbacks',
    },
  );
}

/** The error of a pattern where one instrument must be named. */
export function notOne(name: string): ClientError {
  return misuse('client.pattern', 'this names no single instrument', name, 'a name', 'a pattern', {
    fix: 'call feed.books or feed.subscribe: they give a subscription for each instrument that fits',
  });
}

/** The error of a subscription beyond the limit. */
export function tooMany(name: string): ClientError {
  return misuse(
    'client.subscriptions_limit',
    'too many subscriptions',
    name,
    `${SUBSCRIPTIONS_MAX}`,
    'one more',
    {
      fix: 'close some, or open another feed',
    },
  );
}

/** An error of the code that uses the client. */
export function misuse(
  code: string,
  what: string,
  where: string,
  expected: string,
  got: string,
  rest: { readonly fix: string; readonly cause?: unknown },
): ClientError {
  return new ClientError({ code, what, where, expected, got, ...rest });
}
