import type { Limits } from '../config.js';
import { DepthwireError } from '../errors.js';

/** A client sent binary data. */
export function binary(): DepthwireError {
  return new DepthwireError('feed.binary', {
    what: 'a client sent binary data',
    where: 'message',
    expected: 'JSON text',
    got: 'a binary message',
    fix: 'Send control messages as text; only the server sends binary data.',
  });
}

/** A control message is longer than `bytesMax`. */
export function tooBig(bytes: number, bytesMax: number): DepthwireError {
  return new DepthwireError('feed.control_too_big', {
    what: 'a control message is too long',
    where: 'message',
    expected: `at most ${bytesMax} bytes`,
    got: `${bytes} bytes`,
    fix: 'Send one short JSON object per subscription.',
  });
}

/** Messages and pings come faster than they may. */
export function tooMany(perSecond: number, burst: number): DepthwireError {
  return new DepthwireError('feed.rate', {
    what: 'the client sends more messages than it may',
    where: 'connection',
    expected: `at most ${perSecond} a second, and ${burst} at once`,
    got: 'more',
    fix: 'Subscribe to several instruments in one message, by a list or a pattern, and ping once in a while.',
  });
}

/** A client has more waiting than it may, or for too long. */
export function tooSlow(waitingBytes: number, limits: Limits): DepthwireError {
  const { backpressureSoftBytes, backpressureHardBytes, slowMs } = limits;
  return new DepthwireError('feed.too_slow', {
    what: 'the client does not take the feed as fast as it comes',
    where: 'connection',
    expected:
      waitingBytes > backpressureHardBytes
        ? `at most ${backpressureHardBytes} bytes waiting`
        : `less than ${backpressureSoftBytes / 2} bytes waiting within ${slowMs} ms after more than ${backpressureSoftBytes}`,
    got: `${waitingBytes} bytes`,
    fix: 'Read faster, subscribe to fewer instruments, or to depth with an interval.',
  });
}

/** The grant of a client has run out. */
export function expired(): DepthwireError {
  return new DepthwireError('feed.expired', {
    what: 'the token of this connection has expired',
    where: 'connection',
    expected: 'a token that holds',
    got: 'an expired one',
    fix: 'Connect again with a fresh token, and resume.',
  });
}

/** A client would hold more subscriptions than it may. */
export function subscriptionsFull(size: number, max: number): DepthwireError {
  return new DepthwireError('feed.subscriptions_full', {
    what: 'this connection would hold more subscriptions than it may',
    where: 'subscribe',
    expected: `at most ${max}`,
    got: `${size}`,
    fix: 'Unsubscribe from something, use a narrower pattern, or open another connection.',
  });
}

/** A client would have more patterns standing than it may. */
export function patternsFull(): DepthwireError {
  return new DepthwireError('feed.subscriptions_full', {
    what: 'this connection would hold more patterns than it may',
    where: 'subscribe.instruments',
    expected: 'at most 64 patterns',
    got: 'more',
    fix: 'Unsubscribe from a pattern, or use one that fits what several do.',
  });
}

/** A message is about what the client does not hold. */
export function notSubscribed(op: string, what: string): DepthwireError {
  return new DepthwireError('feed.not_subscribed', {
    what: 'this connection holds no such subscription',
    where: op,
    expected: 'the channel and settings of a subscription',
    got: what.slice(0, 120),
    fix: 'Subscribe first, and repeat the same depth, intervalMs, grouping or source.',
  });
}
