import { ClientError } from './errors.js';
import { SUBSCRIPTIONS_MAX } from './feed-options.js';

const FEED_PATH = '/v1/feed';

/**
 * The address of the feed that an address means: `http` is `ws`, none is `ws` too, and the feed's path follows where it is
 * missing, behind the prefix of a proxy. Throws `client.bad_url`.
 */
export function feedAddress(address: string): string {
  const url = parsed(/^[a-z][a-z0-9+.-]*:\/\//i.test(address) ? address : `ws://${address}`);
  if (url === undefined || !/^(ws|http)s?:$/.test(url.protocol)) {
    throw misuse(
      'client.bad_url',
      'this is no feed address',
      'connect',
      'ws://host/v1/feed or wss://…',
      address,
      {
        fix: 'pass the address that the server prints',
      },
    );
  }
  url.protocol = url.protocol.replace('http', 'ws');
  url.hash = '';
  const path = url.pathname.replace(/\/+$/, '');
  url.pathname = path.endsWith(FEED_PATH) ? path : path + FEED_PATH;
  return url.href;
}

/** Where the server of a feed answers a path of HTTP. */
export function httpAddress(feed: string, path: string): string {
  return feed.replace(/^ws/, 'http').replace(FEED_PATH, path);
}

function parsed(address: string): URL | undefined {
  try {
    return new URL(address);
  } catch {
    return undefined;
  }
}

/** The error of a subscription that there is already in another way. */
export function otherwise(name: string): ClientError {
  return misuse(
    'client.duplicate_subscription',
    'this is subscribed already with other options',
    name,
    'the same options, which share the subscription',
    'others',
    { fix: 'pass the same mode and limits, or open another feed' },
  );
}

/** The error of a channel that is none, such as its name alone. */
export function notChannel(got: unknown): ClientError {
  return misuse('client.bad_channel', 'this is no channel', 'subscribe', 'channel.trades', String(got), {
    fix: "import { channel } from 'depthwire/client' and pass one of it",
  });
}

/** The error of a pattern where one instrument must be named. */
export function notOne(name: string): ClientError {
  return misuse('client.pattern', 'this names no single instrument', name, 'a name', 'a pattern', {
    fix: 'call feed.books or feed.subscribeAll: they give a subscription for each instrument that fits',
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
