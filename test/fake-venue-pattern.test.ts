import { expect, it } from 'vitest';
import { named } from '../src/fake-venue/instruments.js';
import { AddressPattern, Pattern } from '../src/fake-venue/pattern.js';
import { SubscriptionReader } from '../src/fake-venue/subscriptions.js';
import { VENUE_FACTS } from '../src/ingest/venues/index.js';

it.each<[string, string, string, unknown, unknown]>([
  [
    'an array of texts, in any order and with more members',
    '{"op":"subscribe","args":[{args}],"id":{id}}',
    '"book.{depth}.{symbol}"',
    { id: 9, extra: true, args: ['book.10.A', 'book.1.B-C', 'other'], op: 'subscribe' },
    {
      common: { id: '9' },
      items: [
        { depth: '10', symbol: 'A' },
        { depth: '1', symbol: 'B-C' },
      ],
      others: ['other'],
    },
  ],
  [
    'a depth, which is a number',
    '{"op":"subscribe","args":[{args}]}',
    '"book{depth}:{symbol}"',
    { op: 'subscribe', args: ['book10:A', 'bookL2:A', 'bookL2_25:A'] },
    { common: {}, items: [{ depth: '10', symbol: 'A' }], others: ['bookL2:A', 'bookL2_25:A'] },
  ],
  [
    'an array of objects',
    '{"op":"subscribe","args":[{args}]}',
    '{"channel":"books","instId":"{symbol}"}',
    {
      op: 'subscribe',
      args: [
        { instId: 'A', channel: 'books' },
        { instId: 'B', channel: 'trades' },
      ],
    },
    { common: {}, items: [{ symbol: 'A' }], others: [{ instId: 'B', channel: 'trades' }] },
  ],
  [
    'an array of objects that name no instrument',
    '{"op":"subscribe","args":[{args}]}',
    '{"channel":"status","kind":"SPOT"}',
    { op: 'subscribe', args: [{ channel: 'status', kind: 'SPOT' }, { channel: 'status' }] },
    { common: {}, items: [{}], others: [{ channel: 'status' }] },
  ],
  [
    'members of the message itself',
    '{"event":"subscribe",{args},"len":"{depth}"}',
    '"symbol":"t{code}"',
    { event: 'subscribe', symbol: 'tAB', len: '25' },
    { common: { code: 'AB', depth: '25' }, items: [{ code: 'AB' }], others: [] },
  ],
  [
    'a list in a text',
    '{"topic":"/level2:{args}","id":"{id}"}',
    '{symbol}',
    { topic: '/level2:A-B,C-D', id: 'x1' },
    { common: { symbol: 'A-B,C-D', id: 'x1' }, items: [{ symbol: 'A-B' }, { symbol: 'C-D' }], others: [] },
  ],
  [
    'an array of which one place is an argument',
    '{"payload":[{args},"100ms"]}',
    '"{symbol}"',
    { payload: ['A', '100ms'] },
    { common: { symbol: 'A' }, items: [{ symbol: 'A' }], others: [] },
  ],
  [
    'a member that is only a part may be absent',
    '{"params":{"symbol":[{args}],"depth":{depth}},"id":{id}}',
    '"{symbol}"',
    { params: { symbol: ['A'] } },
    { common: {}, items: [{ symbol: 'A' }], others: [] },
  ],
])('%s', (_name, template, arg, message, match) => {
  expect(new Pattern(template, arg).match(message)).toEqual(match);
});

it.each<[unknown]>([
  [null],
  [7],
  ['text'],
  [[]],
  [{ op: 'unsubscribe', args: ['a'] }],
  [{ op: 'subscribe', args: [] }],
  [{ op: 'subscribe', args: 'a' }],
  [{ op: 'subscribe', args: [{ a: {} }] }],
])('%j is another message', (message) => {
  const match = new Pattern('{"op":"subscribe","args":[{args}]}', '"a.{symbol}"').match(message);
  expect(match?.items ?? []).toEqual([]);
});

it('what the facts say is read back, whatever the venue', () => {
  const codes = ['AAA-BBB-SWAP', 'CCC-DDD-SWAP'];
  for (const socket of VENUE_FACTS.flatMap(({ products }) => products.flatMap(({ sockets }) => sockets))) {
    const reader = new SubscriptionReader(socket);
    for (const stream of socket.streams) {
      const parts: Readonly<Record<string, string>> = {
        id: '5',
        depth: String(stream.depths[0]?.levels ?? 1),
      };
      const filled = (text: string, code: string): string =>
        text.replace(/\{([a-z]+)\}/g, (whole, part: string) => {
          const of: Readonly<Record<string, string>> = {
            symbol: code,
            code,
            lower: code.toLowerCase(),
            base: code.slice(0, 3),
            family: code.slice(0, 7),
          };
          return of[part] ?? parts[part] ?? (part === 'args' ? whole : '7');
        });
      const args = codes.flatMap((code) => stream.args.map((arg) => filled(arg, code)));
      const said = [...new Set(args)].slice(0, stream.argsMax);
      for (const verb of ['subscribe', 'unsubscribe'] as const) {
        const template = stream[verb];
        if (template === null) continue;
        const message = JSON.parse(filled(template, '').replace('{args}', () => said.join(','))) as unknown;
        const reading = reader.read(message);
        expect(reading?.verb, JSON.stringify(message)).toBe(verb);
        const own = reading?.asked.filter((asked) => asked.stream === stream) ?? [];
        expect(own.length, JSON.stringify(message)).toBeGreaterThanOrEqual(said.length);
        const meant = new Set(own.flatMap((asked) => named(asked.said, codes)));
        const isOfAll = stream.args.every((arg) => !/\{[a-z]+\}/.test(arg));
        expect(meant.size, JSON.stringify(message)).toBe(isOfAll ? 0 : said.length === 1 ? 1 : codes.length);
      }
    }
  }
});

it('an address is read back', () => {
  const pattern = new AddressPattern('https://host/api/book/{symbol}?limit={levels}&type=full');
  const match = (path: string) => pattern.match(new URL(path, 'http://other'));
  expect(match('/api/book/A%2FB?type=full&limit=5&more=1')).toEqual({ symbol: 'A/B', levels: '5' });
  expect(match('/api/book/AB?limit=5&type=full')).toEqual({ symbol: 'AB', levels: '5' });
  expect(match('/api/book/AB?type=part&limit=5')).toBeUndefined();
  expect(match('/api/books/AB?type=full&limit=5')).toBeUndefined();
});
