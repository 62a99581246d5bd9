import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTransport } from '../src/publish/transport/open-transport.js';
import type { CloseCause, Session, Transport, TransportName } from '../src/publish/transport.js';
import { closeOf, frameOf, handshakeOf, OPCODE, RawClient } from './support/raw-websocket.js';
import { HANDLERS, OPTIONS } from './support/transport.js';

/** Longest message that a session of the test takes; four times as much is the transport's own limit. */
const CONTROL_BYTES_MAX = 65_536;
const PAYLOAD_BYTES_MAX = CONTROL_BYTES_MAX * 4;

const { continuation, text, binary, close, ping, pong } = OPCODE;

/** What a connection must do: go on after it has echoed these texts, or end with a code and be counted by a cause. */
type Outcome =
  | { readonly goesOn: readonly string[]; readonly pongs?: readonly string[] }
  | { readonly ends: number; readonly cause: CloseCause; readonly heard?: readonly string[] };

/**
 * A violation of the protocol ends the connection and reaches no session. `ws` says why with this code;
 * uWebSockets cuts without one, which a client sees as 1006.
 */
function violation(code: 1002 | 1007 | 1009): Outcome {
  return { ends: code, cause: code === 1009 ? 'transport_too_big' : 'protocol' };
}

function goesOn(...texts: readonly string[]): Outcome {
  return { goesOn: texts };
}

/** The client closed, and its code is the one that it gets back. */
function answered(code: number): Outcome {
  return { ends: code, cause: 'client' };
}

interface Case {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly outcome: Outcome;
  /** Bytes that go out at a time; all at once where it is missing. */
  readonly step?: number;
  /** Where uWebSockets is more lenient or more strict, and what it does then. */
  readonly uws?: Outcome;
}

const all = Buffer.concat;
const x = (size: number): string => 'x'.repeat(size);
const bytes = (...values: readonly number[]): Uint8Array => Uint8Array.from(values);
const textCase = (size: number): Case => ({
  name: `a text of ${size} bytes`,
  bytes: frameOf(text, x(size)),
  outcome: goesOn(x(size)),
});
const utf8Case = (name: string, payload: Uint8Array): Case => ({
  name: `text with ${name}`,
  bytes: frameOf(text, payload),
  outcome: violation(1007),
});
const TEXTS = ['κόσμε', '\u{10FFFF}\u{1F600}', '\uFFFE\uFFFF', '\u0000\u007F\u0080\u07FF\u0800', '\uFEFFx'];
const SMILE = Buffer.from('a\u{1F600}b');

const FRAMING: readonly Case[] = [
  ...[0, 1, 125, 126, 127, 128, 4096, 65_535, 65_536].map(textCase),
  {
    name: 'a text that comes byte by byte',
    bytes: frameOf(text, x(130)),
    step: 1,
    outcome: goesOn(x(130)),
  },
  {
    name: 'three texts in one segment',
    bytes: all([frameOf(text, 'a'), frameOf(text, 'b'), frameOf(text, 'c')]),
    outcome: goesOn('a', 'b', 'c'),
  },
  {
    name: 'a length in more bits than it needs',
    bytes: frameOf(text, 'abc', { lengthBits: 64 }),
    outcome: goesOn('abc'),
  },
  {
    name: 'a mask of zeros',
    bytes: frameOf(text, 'abc', { mask: [0, 0, 0, 0] }),
    outcome: goesOn('abc'),
  },
  {
    name: 'a binary message, which only a server may send',
    bytes: frameOf(binary, x(10)),
    outcome: { ends: 4400, cause: 'bad_request' },
  },
  {
    name: 'a text above the limit of the session',
    bytes: frameOf(text, x(CONTROL_BYTES_MAX + 1)),
    outcome: { ends: 1009, cause: 'control_too_big' },
  },
  {
    name: 'a text above the limit of the transport',
    bytes: frameOf(text, x(PAYLOAD_BYTES_MAX + 1)),
    outcome: violation(1009),
  },
  {
    name: 'a stated length of 2^62 bytes',
    bytes: frameOf(text, x(10), { stated: 1n << 62n }),
    outcome: violation(1009),
  },
  {
    name: 'a stated length of 2^63 bytes',
    bytes: frameOf(text, x(10), { stated: 1n << 63n }),
    outcome: violation(1009),
  },
];

const PINGS: readonly Case[] = [
  { name: 'a ping without payload', bytes: frameOf(ping), outcome: { goesOn: [], pongs: [''] } },
  { name: 'a ping with 125 bytes', bytes: frameOf(ping, x(125)), outcome: { goesOn: [], pongs: [x(125)] } },
  {
    name: 'a ping that comes byte by byte',
    bytes: frameOf(ping, 'slowly'),
    step: 1,
    outcome: { goesOn: [], pongs: ['slowly'] },
  },
  {
    name: 'a hundred pings in one segment',
    bytes: all(Array.from({ length: 100 }, (_, at) => frameOf(ping, String(at)))),
    outcome: { goesOn: [], pongs: Array.from({ length: 100 }, (_, at) => String(at)) },
  },
  { name: 'a pong that nobody asked for', bytes: frameOf(pong, 'why'), outcome: goesOn() },
  { name: 'a ping with 126 bytes', bytes: frameOf(ping, x(126)), outcome: violation(1002) },
  { name: 'a ping in fragments', bytes: frameOf(ping, 'x', { fin: false }), outcome: violation(1002) },
  { name: 'a pong with 126 bytes', bytes: frameOf(pong, x(126)), outcome: violation(1002) },
];

const RESERVED: readonly Case[] = [
  ...[1, 2, 3, 4, 5, 6, 7].map((reserved) => ({
    name: `reserved bits ${reserved} of a text`,
    bytes: frameOf(text, 'x', { reserved }),
    outcome: violation(1002),
  })),
  { name: 'a reserved bit of a ping', bytes: frameOf(ping, 'x', { reserved: 4 }), outcome: violation(1002) },
  { name: 'a reserved bit of a close', bytes: frameOf(close, '', { reserved: 1 }), outcome: violation(1002) },
  ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode) => ({
    name: `reserved opcode ${opcode}`,
    bytes: frameOf(opcode, 'x'),
    outcome: violation(1002),
  })),
];

const PING_TEXT = JSON.stringify({ op: 'ping', id: 1 });

/**
 * uWebSockets does not look at the bit that says whether a frame is masked: it takes the first four bytes for a mask and
 * waits for as many more. So it ends at the next frame what `ws` ends at once; neither tells a session of it.
 */
const UNMASKED: readonly Case[] = [
  {
    name: 'two texts without a mask',
    bytes: all([
      frameOf(text, PING_TEXT, { mask: undefined }),
      frameOf(text, PING_TEXT, { mask: undefined }),
    ]),
    outcome: violation(1002),
  },
  {
    name: 'a text without a mask before one with it',
    bytes: all([frameOf(text, 'abc', { mask: undefined }), frameOf(text, 'probe')]),
    outcome: violation(1002),
  },
  {
    name: 'a long text without a mask that comes byte by byte, and another',
    bytes: all([frameOf(text, x(300), { mask: undefined }), frameOf(text, 'probe')]),
    step: 1,
    outcome: violation(1002),
  },
];

const FRAGMENTS: readonly Case[] = [
  {
    name: 'a text in two fragments',
    bytes: all([frameOf(text, 'ab', { fin: false }), frameOf(continuation, 'cd')]),
    outcome: goesOn('abcd'),
  },
  {
    name: 'a text in fragments of which some are empty',
    bytes: all([
      frameOf(text, '', { fin: false }),
      frameOf(continuation, '', { fin: false }),
      frameOf(continuation, 'ab', { fin: false }),
      frameOf(continuation, ''),
    ]),
    outcome: goesOn('ab'),
  },
  {
    name: 'a text in fragments that come byte by byte',
    bytes: all([frameOf(text, 'ab', { fin: false }), frameOf(ping, 'p'), frameOf(continuation, 'cd')]),
    step: 1,
    outcome: { goesOn: ['abcd'], pongs: ['p'] },
  },
  {
    name: 'a ping between two fragments',
    bytes: all([frameOf(text, 'ab', { fin: false }), frameOf(ping, 'p'), frameOf(continuation, 'cd')]),
    outcome: { goesOn: ['abcd'], pongs: ['p'] },
  },
  {
    name: 'a close between two fragments',
    bytes: all([frameOf(text, 'ab', { fin: false }), closeOf(1000), frameOf(continuation, 'cd')]),
    outcome: answered(1000),
  },
  { name: 'a continuation of nothing', bytes: frameOf(continuation, 'x'), outcome: violation(1002) },
  {
    name: 'a continuation that is not the last, of nothing',
    bytes: frameOf(continuation, 'x', { fin: false }),
    outcome: violation(1002),
  },
  {
    name: 'a text within a fragmented text',
    bytes: all([frameOf(text, 'ab', { fin: false }), frameOf(text, 'cd')]),
    outcome: violation(1002),
  },
  {
    name: 'a continuation after the last fragment',
    bytes: all([
      frameOf(text, 'ab', { fin: false }),
      frameOf(continuation, 'cd'),
      frameOf(continuation, 'ef'),
    ]),
    outcome: { ends: 1002, cause: 'protocol', heard: ['abcd'] },
  },
  {
    name: 'fragments that are together above the limit of the session',
    bytes: all([frameOf(text, x(CONTROL_BYTES_MAX), { fin: false }), frameOf(continuation, 'x')]),
    outcome: { ends: 1009, cause: 'control_too_big' },
  },
  {
    name: 'fragments that are together above the limit of the transport',
    bytes: all([frameOf(text, x(PAYLOAD_BYTES_MAX), { fin: false }), frameOf(continuation, 'x')]),
    outcome: violation(1009),
  },
];

const UTF8: readonly Case[] = [
  ...TEXTS.map((sample) => ({
    name: `the text ${JSON.stringify(sample)}`,
    bytes: frameOf(text, sample),
    outcome: goesOn(sample),
  })),
  {
    name: 'a character that is split between fragments',
    bytes: all([
      frameOf(text, SMILE.subarray(0, 3), { fin: false }),
      frameOf(continuation, SMILE.subarray(3)),
    ]),
    outcome: goesOn('a\u{1F600}b'),
  },
  utf8Case('a continuation byte alone', bytes(0x61, 0x80)),
  utf8Case('a character that is cut off', bytes(0x61, 0xce)),
  utf8Case('a slash in two bytes', bytes(0xc0, 0xaf)),
  utf8Case('a slash in three bytes', bytes(0xe0, 0x80, 0xaf)),
  utf8Case('a slash in four bytes', bytes(0xf0, 0x80, 0x80, 0xaf)),
  utf8Case('half of a surrogate pair', bytes(0xed, 0xa0, 0x80)),
  utf8Case('a surrogate pair in six bytes', bytes(0xed, 0xa0, 0x81, 0xed, 0xb0, 0x80)),
  utf8Case('a character above U+10FFFF', bytes(0xf4, 0x90, 0x80, 0x80)),
  utf8Case('a character of five bytes', bytes(0xf8, 0x88, 0x80, 0x80, 0x80)),
  utf8Case('a byte that is never used', bytes(0x61, 0xff)),
  {
    name: 'text that is wrong in its second fragment',
    bytes: all([frameOf(text, 'ok', { fin: false }), frameOf(continuation, bytes(0xc0, 0xaf))]),
    outcome: violation(1007),
  },
];

const CLOSES: readonly Case[] = [
  { name: 'a close without a code', bytes: frameOf(close), outcome: answered(1005) },
  ...[1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 4000, 4999].map((code) => ({
    name: `a close with code ${code}`,
    bytes: closeOf(code),
    outcome: answered(code),
  })),
  // uWebSockets knows no codes of libraries; it answers them as it answers wrong ones.
  ...[3000, 3999].map((code) => ({
    name: `a close with code ${code}`,
    bytes: closeOf(code),
    outcome: answered(code),
    uws: { ends: 1005, cause: 'protocol' } as const,
  })),
  ...[0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535].map((code) => ({
    name: `a close with code ${code}, which none may send`,
    bytes: closeOf(code),
    outcome: violation(1002),
    uws: { ends: 1005, cause: 'protocol' } as const,
  })),
  { name: 'a close with a long reason', bytes: closeOf(4000, x(123)), outcome: answered(4000) },
  { name: 'a close that is too long', bytes: closeOf(4000, x(124)), outcome: violation(1002) },
  {
    name: 'a close with half a code',
    bytes: frameOf(close, bytes(3)),
    outcome: violation(1002),
    uws: answered(1005),
  },
  {
    name: 'a close with a reason that is no UTF-8',
    bytes: closeOf(1000, bytes(0xc0, 0xaf)),
    outcome: violation(1007),
    uws: { ends: 1005, cause: 'protocol' },
  },
  {
    name: 'a text after the close',
    bytes: all([closeOf(1000), frameOf(text, 'late')]),
    outcome: answered(1000),
  },
  { name: 'a close in fragments', bytes: frameOf(close, '', { fin: false }), outcome: violation(1002) },
];

interface HandshakeCase {
  readonly name: string;
  readonly request: string;
  /** Status, and what else the head of the answer says. */
  readonly status: number;
  readonly says?: RegExp;
}

const header = (name: string, value: string | undefined): string => handshakeOf({ [name]: value });

const HANDSHAKES: readonly HandshakeCase[] = [
  {
    name: 'of the RFC',
    request: handshakeOf(),
    status: 101,
    says: /sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=/i,
  },
  {
    name: 'with other letter cases and several tokens',
    request: handshakeOf({ Upgrade: 'h2c, WebSocket', Connection: 'keep-alive, upgrade' }),
    status: 101,
  },
  {
    name: 'with our protocol among others',
    request: header('Sec-WebSocket-Protocol', 'mqtt, depthwire.v1'),
    status: 101,
    says: /sec-websocket-protocol: depthwire\.v1(\r|$)/i,
  },
  {
    name: 'that offers compression gets none',
    request: header('Sec-WebSocket-Extensions', 'permessage-deflate; client_max_window_bits'),
    status: 101,
    says: /^(?!(.|\s)*sec-websocket-extensions)/i,
  },
  { name: 'with another protocol alone', request: header('Sec-WebSocket-Protocol', 'mqtt'), status: 400 },
  { name: 'without a protocol', request: header('Sec-WebSocket-Protocol', undefined), status: 400 },
  ...['8', '12', '14', '13, 8', 'thirteen', undefined].map((version) => ({
    name: `with version ${version ?? 'left out'}`,
    request: header('Sec-WebSocket-Version', version),
    status: 426,
    says: /sec-websocket-version: 13(\r|$)/i,
  })),
  ...['', 'short', 'dGhlIHNhbXBsZSBub25jZ===', '?GhlIHNhbXBsZSBub25jZQ==', `${'A'.repeat(100)}==`].map(
    (key) => ({
      name: `with the key ${JSON.stringify(key.slice(0, 30))}`,
      request: header('Sec-WebSocket-Key', key),
      status: 400,
    }),
  ),
  { name: 'without a key', request: header('Sec-WebSocket-Key', undefined), status: 400 },
  { name: 'without Upgrade', request: header('Upgrade', undefined), status: 426 },
  { name: 'for another protocol', request: header('Upgrade', 'h2c'), status: 426 },
  { name: 'without Connection', request: header('Connection', undefined), status: 426 },
  { name: 'whose connection stays as it is', request: header('Connection', 'keep-alive'), status: 426 },
  { name: 'by POST', request: handshakeOf({}, 'POST /v1/feed HTTP/1.1'), status: 405 },
  { name: 'at another path', request: handshakeOf({}, 'GET /v1/feeds HTTP/1.1'), status: 404 },
  { name: 'without Host', request: header('Host', undefined), status: 400 },
  { name: 'with a header of 5 KiB', request: header('X-Long', x(5120)), status: 431 },
  { name: 'that is no HTTP', request: 'GET /v1/feed HTTP/1.1\r\n\u0000: x\r\n\r\n', status: 400 },
];

/** The last: listeners that share a port, as gateways do. */
const STANDS: readonly (readonly [name: TransportName, listeners: number])[] = [
  ['uws', 1],
  ['ws', 1],
  ['uws', 2],
];

describe.each(STANDS)('over %s by %i', (name, listeners) => {
  const transports: Transport[] = [];
  let port = 0;
  /** The one client that behaves, on the same server all the time. */
  let good: RawClient;
  const ends: (readonly [number, CloseCause])[] = [];
  const heard: string[] = [];

  beforeAll(async () => {
    const isPortShared = listeners > 1;
    const options = { ...OPTIONS, controlBytesMax: CONTROL_BYTES_MAX, isPortShared };
    const open = (): Promise<Transport> =>
      openTransport(
        name,
        { ...options, backpressureBytesMax: 1 << 20 },
        {
          ...HANDLERS,
          onRequest: ({ path, method }) => ({
            status:
              path !== '/v1/feed' ? '404 Not Found' : method === 'get' ? '426 Upgrade Required' : '405 No',
            headers: {},
            body: '',
          }),
          refuse: (_request, protocols) =>
            protocols.includes('depthwire.v1')
              ? undefined
              : { status: '400 Bad Request', headers: {}, body: '' },
          onOpen: (connection): Session => {
            connection.subscribe('feed');
            return {
              onText: (message) => {
                heard.push(message);
                connection.sendText(message);
              },
              onBinary: () => connection.end(4400, 'bad_request', 'binary'),
              onOversize: () => connection.end(1009, 'control_too_big', 'too long'),
              onPing() {},
              onClose: (code, cause) => ends.push([code, cause]),
            };
          },
        },
      );
    for (let listener = 0; listener < listeners; listener++) {
      const transport = await open();
      transports.push(transport);
      port = await transport.listen('127.0.0.1', port);
    }
    good = await RawClient.open(port);
  });

  afterAll(() => {
    good.destroy();
    for (const transport of transports) transport.close();
  });

  /** The good client gets what is published, in order, whatever the others have done. */
  async function expectGood(label: string): Promise<void> {
    const before = good.frames.length;
    for (const transport of transports) transport.publish('feed', Buffer.from(label));
    await good.until(() => good.frames.length > before, 'frame at the good client');
    expect(good.frames.slice(before).map(({ payload }) => String(payload))).toEqual([label]);
    good.frames.length = 0;
  }

  async function play({ bytes: sent, step = sent.length, outcome, uws }: Case, label: string): Promise<void> {
    ends.length = 0;
    heard.length = 0;
    const client = await RawClient.open(port);
    for (let at = 0; at < sent.length; at += step) {
      client.send(sent.subarray(at, at + step));
      if (step < sent.length) await new Promise(setImmediate);
    }
    const due = name === 'uws' ? (uws ?? outcome) : outcome;
    if ('goesOn' in due) {
      client.send(frameOf(text, 'probe'));
      await client.until(() => client.texts.includes('probe'), 'answer to the probe');
      expect(client.texts).toEqual([...due.goesOn, 'probe']);
      const pongs = client.frames.filter(({ opcode }) => opcode === pong);
      expect(pongs.map(({ payload }) => String(payload))).toEqual(due.pongs ?? []);
      expect(ends).toEqual([]);
      client.destroy();
      await client.until(() => ends.length > 0, 'end of the session');
      await expectGood(label);
      return;
    }
    const isCut =
      name === 'uws' && uws === undefined && ['protocol', 'transport_too_big'].includes(due.cause);
    expect(await client.ended()).toBe(isCut ? 1006 : due.ends);
    await client.until(() => ends.length > 0, 'end of the session');
    const code = ['protocol', 'transport_too_big'].includes(due.cause) ? 1006 : due.ends;
    expect(ends).toEqual([[code, due.cause]]);
    expect(heard).toEqual(due.heard ?? []);
    await expectGood(label);
  }

  describe.each([
    ['framing', FRAMING],
    ['pings and pongs', PINGS],
    ['reserved bits and opcodes', RESERVED],
    ['frames without a mask', UNMASKED],
    ['fragments', FRAGMENTS],
    ['UTF-8', UTF8],
    ['closing', CLOSES],
  ] as const)('%s', (category, cases) => {
    it.each(cases.map((each) => [each.name, each] as const))('%s', async (label, each) => {
      await play(each, `${category}: ${label}`);
    });
  });

  describe('the handshake', () => {
    it.each(HANDSHAKES.map((each) => [each.name, each] as const))('%s', async (_name, each) => {
      const client = new RawClient(port);
      client.send(each.request);
      await client.until(() => client.head !== '', 'answer');
      expect(client.head).toMatch(new RegExp(`^HTTP/1\\.1 ${each.status} `));
      if (each.says !== undefined) expect(client.head).toMatch(each.says);
      client.destroy();
      await expectGood('handshake');
    });
  });
});
