import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { channelKey, parseControl } from '../src/publish/control.js';

const BTC = 'sim:BTCUSDT';

function parsed(message: object): unknown {
  const result = parseControl(JSON.stringify(message));
  return result.ok ? result.control : { ...result.error.toJSON(), id: result.id };
}

describe('control messages', () => {
  it.each([
    [
      { op: 'ping', id: 6 },
      { op: 'ping', id: 6 },
    ],
    [{ op: 'ping' }, { op: 'ping', id: undefined }],
    [
      { op: 'subscribe', id: 1, channel: 'book', instrument: BTC },
      { op: 'subscribe', id: 1, instrument: BTC, channel: { channel: 'book' } },
    ],
    [
      { op: 'subscribe', id: 'a', channel: 'depth', instrument: BTC },
      {
        op: 'subscribe',
        id: 'a',
        instrument: BTC,
        channel: { channel: 'depth', depth: 20, intervalMs: 100 },
      },
    ],
    [
      { op: 'subscribe', id: 2, channel: 'depth', instrument: BTC, depth: 1, intervalMs: 0 },
      { op: 'subscribe', id: 2, instrument: BTC, channel: { channel: 'depth', depth: 1, intervalMs: 0 } },
    ],
    [
      { op: 'unsubscribe', id: 4, channel: 'bbo', instrument: BTC, source: 'venue' },
      { op: 'unsubscribe', id: 4, instrument: BTC, channel: { channel: 'bbo', source: 'venue' } },
    ],
    [
      { op: 'resync', id: 5, channel: 'trades', instrument: BTC, mode: 'of a later version' },
      { op: 'resync', id: 5, instrument: BTC, channel: { channel: 'trades' } },
    ],
  ])('reads %j', (message, control) => {
    expect(parsed(message)).toEqual(control);
  });

  it.each([
    [{ op: 'subscrib', id: 1 }, 'feed.unknown_op', 'op', 'Write subscribe.'],
    [{ id: 1 }, 'feed.unknown_op', 'op', 'Use one of subscribe, unsubscribe, resync, ping.'],
    [
      { op: 'subscribe', channel: 'books', instrument: BTC },
      'feed.unknown_channel',
      'subscribe.channel',
      'Write book.',
    ],
    [
      { op: 'resync', channel: 'book' },
      'feed.bad_field',
      'resync.instrument',
      'Name an instrument of /v1/instruments.',
    ],
    [
      { op: 'subscribe', channel: 'book', instrument: 7 },
      'feed.bad_field',
      'subscribe.instrument',
      undefined,
    ],
    [
      { op: 'subscribe', channel: 'depth', instrument: BTC, depth: 0 },
      'feed.bad_field',
      'subscribe.depth',
      undefined,
    ],
    [
      { op: 'subscribe', channel: 'depth', instrument: BTC, depth: 101 },
      'feed.bad_field',
      'subscribe.depth',
      undefined,
    ],
    [
      { op: 'subscribe', channel: 'depth', instrument: BTC, depth: 1.5 },
      'feed.bad_field',
      'subscribe.depth',
      undefined,
    ],
    [
      { op: 'subscribe', channel: 'depth', instrument: BTC, depth: '5' },
      'feed.bad_field',
      'subscribe.depth',
      undefined,
    ],
    [
      { op: 'subscribe', channel: 'depth', instrument: BTC, intervalMs: 60_001 },
      'feed.bad_field',
      'subscribe.intervalMs',
      undefined,
    ],
    [
      { op: 'subscribe', channel: 'bbo', instrument: BTC, source: 'venu' },
      'feed.bad_field',
      'subscribe.source',
      'Write venue.',
    ],
    [{ op: 'ping', id: 2 ** 60 }, 'feed.bad_field', 'id', 'Number your messages from 1.'],
    [{ op: 'ping', id: { a: 1 } }, 'feed.bad_field', 'id', undefined],
    [{ op: 'ping', id: 'x'.repeat(65) }, 'feed.bad_field', 'id', undefined],
    [[1, 2], 'feed.bad_json', 'message', undefined],
  ])('refuses %j with %s', (message, code, where, fix) => {
    const error = parsed(message);
    expect(error).toMatchObject({ code, where });
    if (fix !== undefined) expect(error).toMatchObject({ fix });
  });

  it('keeps the id of a message that is wrong elsewhere', () => {
    expect(parsed({ op: 'nonsense', id: 17 })).toMatchObject({ id: 17, code: 'feed.unknown_op' });
  });

  it('shows at most 80 characters of what came', () => {
    const result = parseControl('x'.repeat(4000));
    expect(result.ok ? '' : result.error.got.length).toBeLessThan(120);
  });

  it('gives a message or a typed error for any text', () => {
    const text = fc.oneof(
      fc.string(),
      fc.json(),
      fc
        .record({
          op: fc.constantFrom('subscribe', 'ping', 'resync', 1, null),
          channel: fc.anything(),
          instrument: fc.anything(),
          id: fc.anything(),
        })
        .map((value) => JSON.stringify(value)),
    );
    fc.assert(
      fc.property(text, (message) => {
        const result = parseControl(message);
        return result.ok || (/^feed\.\w+$/.test(result.error.code) && result.error.fix !== '');
      }),
    );
  });

  it('names depth and bbo subscriptions by their settings', () => {
    expect(channelKey({ channel: 'depth', depth: 5, intervalMs: 0 })).toBe('depth/5/0');
    expect(channelKey({ channel: 'bbo', source: 'venue' })).toBe('bbo/venue');
    expect(channelKey({ channel: 'book' })).toBe('book');
  });
});
