import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { channelKey } from '../src/publish/channels.js';
import { parseControl } from '../src/publish/control.js';

const BTC = 'sim:BTCUSDT';

function parsed(message: object): unknown {
  const result = parseControl(JSON.stringify(message));
  return result.ok ? result.control : { ...result.error.toJSON(), id: result.id };
}

/** A subscription to one instrument, as it is read. */
function subscribe(id: unknown, channel: object, more: object = {}): object {
  return {
    op: 'subscribe',
    id,
    channel,
    instruments: [BTC],
    isSingle: true,
    mode: undefined,
    resume: new Map(),
    ...more,
  };
}

describe('control messages', () => {
  it.each([
    [
      { op: 'ping', id: 6 },
      { op: 'ping', id: 6 },
    ],
    [{ op: 'ping' }, { op: 'ping', id: undefined }],
    [{ op: 'subscribe', id: 1, channel: 'book', instrument: BTC }, subscribe(1, { channel: 'book' })],
    [
      { op: 'subscribe', id: 'a', channel: 'depth', instrument: BTC },
      subscribe('a', { channel: 'depth', depth: 20, intervalMs: 100 }),
    ],
    [
      { op: 'subscribe', channel: 'depth', instrument: BTC, depth: 1, intervalMs: 0, grouping: '0.5' },
      subscribe(undefined, { channel: 'depth', depth: 1, intervalMs: 0, grouping: '0.5' }),
    ],
    [
      { op: 'subscribe', channel: 'trading', instruments: [BTC, 'deribit:BTC-*', BTC], mode: 'strict' },
      subscribe(
        undefined,
        { channel: 'trading' },
        { instruments: [BTC, 'deribit:BTC-*'], isSingle: false, mode: 'strict' },
      ),
    ],
    [
      { op: 'subscribe', channel: 'liquidations', instrument: 'k?aken:*' },
      subscribe(undefined, { channel: 'liquidations' }, { instruments: ['k?aken:*'], isSingle: false }),
    ],
    [
      { op: 'subscribe', channel: 'book', instrument: BTC, resume: { epoch: '7', seq: '9' } },
      subscribe(
        undefined,
        { channel: 'book' },
        { resume: new Map([[BTC, { epoch: 7n, seq: 9n, by: 'net' }]]) },
      ),
    ],
    [
      {
        op: 'subscribe',
        channel: 'orders',
        instruments: [BTC],
        resume: [{ instrument: BTC, epoch: '18446744073709551615', seq: '0', by: 'net' }],
      },
      subscribe(
        undefined,
        { channel: 'orders' },
        { isSingle: false, resume: new Map([[BTC, { epoch: 2n ** 64n - 1n, seq: 0n, by: 'range' }]]) },
      ),
    ],
    [
      { op: 'unsubscribe', id: 4, channel: 'bbo', instrument: BTC, source: 'venue' },
      {
        op: 'unsubscribe',
        id: 4,
        instruments: [BTC],
        isSingle: true,
        channel: { channel: 'bbo', source: 'venue' },
      },
    ],
    [
      { op: 'resync', id: 5, channel: 'trades', instrument: BTC, mode: 'of a later version' },
      { op: 'resync', id: 5, instruments: [BTC], isSingle: true, channel: { channel: 'trades' } },
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
    ...[
      { instruments: [] },
      { instruments: [7] },
      { instruments: BTC },
      { instruments: [BTC], instrument: BTC },
    ].map((names): [object, string, string, undefined] => [
      { op: 'subscribe', channel: 'book', ...names },
      'feed.bad_field',
      'subscribe.instruments',
      undefined,
    ]),
    ...[5, '0', '1e3', '-1', ''].map((grouping): [object, string, string, undefined] => [
      { op: 'subscribe', channel: 'depth', instrument: BTC, grouping },
      'feed.bad_field',
      'subscribe.grouping',
      undefined,
    ]),
    [
      { op: 'subscribe', channel: 'trades', instrument: BTC, mode: 'conflate' },
      'feed.bad_field',
      'subscribe.mode',
      'Leave the mode out.',
    ],
    [
      { op: 'subscribe', channel: 'book', instrument: BTC, mode: 'stric' },
      'feed.bad_field',
      'subscribe.mode',
      'Write strict.',
    ],
    ...[
      7,
      { epoch: 1, seq: '1' },
      { epoch: '1' },
      { epoch: '18446744073709551616', seq: '1' },
      { epoch: '-1', seq: '1' },
    ].map((resume): [object, string, string, undefined] => [
      { op: 'subscribe', channel: 'book', instrument: BTC, resume },
      'feed.bad_field',
      'subscribe.resume',
      undefined,
    ]),
    [
      { op: 'subscribe', channel: 'book', instruments: [BTC], resume: [{ epoch: '1', seq: '1' }] },
      'feed.bad_field',
      'subscribe.resume[0]',
      undefined,
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
          instruments: fc.anything(),
          mode: fc.anything(),
          resume: fc.anything(),
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
