// @ts-check
/** Clients that do what they must not, at a bounded rate each, and how each of them has to be answered. */
import { setTimeout as pause } from 'node:timers/promises';
import { keyNow, keyPair, token } from './access.mjs';
import { bearer, frameOf, handshakeOf, OPCODE, RawClient, textOf } from './raw-client.mjs';
import { VENUE } from './records.mjs';

const TICK_MS = 10;
/** Longest that an answer is waited for behind the last attempt. */
const ANSWER_MS_MAX = 3000;
/** When those come that come at once: in the middle of what is measured. */
const AT_ONCE_MS = 1200;

/**
 * @typedef {object} Kind
 * @property {number} [perSecond] attempts
 * @property {number} [atOnce] attempts
 * @property {RegExp} expected what each of them comes to, as `RawClient.outcome` says it
 * @property {(client: RawClient, number: number) => void} play behind the connection
 * @property {number} [descriptors] of the server
 */

/** Shakes hands, and sends something behind it. @param {(number: number) => string | Uint8Array} bytes @returns {Kind['play']} */
const behind = (bytes) => async (client, number) => {
  client.send(handshakeOf(bearer(token('abuse'))));
  await client.answered;
  client.send(bytes(number));
};

/** Shakes hands in a wrong way. @param {(number: number) => Readonly<Record<string, string | undefined>>} headers @returns {Kind['play']} */
const asking = (headers) => (client, number) => client.send(handshakeOf(headers(number)));

/** @template Value @param {readonly Value[]} values @param {number} number */
const turn = (values, number) => /** @type {Value} */ (values[number % values.length]);

/** @param {number} count @param {(at: number) => Uint8Array} make */
const several = (count, make) => Buffer.concat(Array.from({ length: count }, (_, at) => make(at)));

const subscription = (/** @type {string} */ instrument, id = 1) => ({
  op: 'subscribe',
  id,
  channel: 'book',
  instrument,
});
/** Of many clients, which are to cost what their coming costs: a channel that is silent. */
const SILENT = textOf({ ...subscription(`${VENUE}:BTCUSDT`), channel: 'trades' });
const BOOK = textOf(subscription(`${VENUE}:BTCUSDT`));

/** A violation of the protocol: `ws` says its code, uWebSockets cuts. @param {number} code */
const violation = (code) => new RegExp(`^(1006|${code})$`);

const FORGER = keyPair('forger');
/** @type {readonly (() => string | undefined)[]} */
const BAD_TOKENS = [
  () => undefined,
  () => token('late', { issuedAt: Math.floor(Date.now() / 1000) - 86_400 }),
  () => token('forged', { by: { ...FORGER, keyId: keyNow().keyId } }),
  () => {
    const [, claims] = token('unsigned').split('.');
    return `${Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url')}.${claims}.`;
  },
];

/** Each wrong in its own way. */
const SHAPES = [
  '',
  '{',
  'null',
  '[]',
  '"subscribe"',
  '{}',
  '{"op":7}',
  '{"op":"subscribe"}',
  '{"op":"subscribe","id":"1","channel":"book","instrument":"a:b"}',
  '{"op":"subscribe","id":-1,"channel":"book","instrument":"a:b"}',
  '{"op":"subscribe","id":1,"channel":"books","instrument":"a:b"}',
  '{"op":"subscribe","id":1,"channel":"book","instrument":["a:b"]}',
  '{"op":"subscribe","id":1,"channel":"depth","instrument":"a:b","depth":1e99}',
  `{"op":${'['.repeat(1000)}`,
  '{"op":"ping","id":1,"__proto__":{"id":2}}',
];

/** @type {Readonly<Record<string, Kind>>} */
export const ABUSES = {
  'half-open': { perSecond: 100, expected: /^(waiting|cut)$/, play() {} },
  'slow-headers': {
    atOnce: 100,
    expected: /^(waiting|cut)$/,
    play(client) {
      const bytes = handshakeOf();
      let at = 0;
      const timer = setInterval(() => client.send(bytes.charAt(at++)), 1000);
      void client.ended.then(() => clearInterval(timer));
    },
  },
  'long-headers': {
    perSecond: 100,
    expected: /^431$/,
    play: asking(() => ({ 'X-Long': 'x'.repeat(5120) })),
  },
  oversize: { perSecond: 50, expected: /^1009$/, play: behind(() => frameOf(OPCODE.text, 'x'.repeat(5000))) },
  fragmented: {
    perSecond: 20,
    expected: /^1009$/,
    play: behind(() =>
      several(5000, (at) => frameOf(at === 0 ? OPCODE.text : OPCODE.continuation, 'x', { fin: at === 4999 })),
    ),
  },
  'ping-flood': {
    perSecond: 10,
    expected: /^4429$/,
    play: behind(() => several(5000, () => frameOf(OPCODE.ping))),
  },
  'bad-utf8': {
    perSecond: 50,
    expected: violation(1007),
    play: behind(() => frameOf(OPCODE.text, Buffer.of(0xc3, 0x28))),
  },
  reserved: {
    perSecond: 50,
    expected: violation(1002),
    play: behind((number) =>
      turn([frameOf(OPCODE.text, '{}', { reserved: 4 }), frameOf(3, 'x'), frameOf(11, 'x')], number),
    ),
  },
  unmasked: {
    perSecond: 50,
    expected: violation(1002),
    // uWebSockets takes what follows for the mask, so it is the second one that it ends at.
    play: behind(() => several(2, () => frameOf(OPCODE.text, '{"op":"ping","id":1}', { isMasked: false }))),
  },
  'bad-handshake': {
    perSecond: 100,
    expected: /^(426|400)$/,
    play: asking((number) =>
      turn([{ 'Sec-WebSocket-Version': '8' }, { 'Sec-WebSocket-Key': 'short' }], number),
    ),
  },
  'subscribe-flood': { perSecond: 10, expected: /^4429$/, play: behind(() => several(2000, () => BOOK)) },
  'unknown-topics': {
    perSecond: 20,
    expected: /^4400$/,
    play: behind(() => several(90, (at) => textOf(subscription(`nowhere:X${at}`, at)))),
  },
  'wrong-origin': {
    perSecond: 100,
    expected: /^403$/,
    play: asking(() => ({ Origin: 'https://elsewhere.example' })),
  },
  'bad-tokens': {
    perSecond: 100,
    expected: /^401$/,
    play: asking((number) => {
      const bad = turn(BAD_TOKENS, number)();
      return bad === undefined ? {} : bearer(bad);
    }),
  },
  probing: {
    perSecond: 20,
    expected: /^4403$/,
    async play(client) {
      /** @type {import('./access.mjs').Entitlements} */
      const entitlements = { allow: [{ channels: ['trades'], instruments: ['kraken:*'] }] };
      client.send(handshakeOf(bearer(token('prober', { entitlements }))));
      await client.answered;
      client.send(several(90, (at) => textOf(subscription(`${VENUE}:B${at}USDT`, at))));
    },
  },
  'slow-reads': {
    atOnce: 5,
    expected: /^open$/,
    async play(client) {
      client.send(handshakeOf(bearer(token('slow'))));
      await client.answered;
      client.send(BOOK);
      client.socket.pause();
      const timer = setInterval(() => client.socket.read(1), 1000);
      void client.ended.then(() => clearInterval(timer));
    },
  },
  reconnects: { atOnce: 1000, expected: /^open$/, play: behind(() => SILENT) },
  descriptors: {
    atOnce: 300,
    expected: /^(open|503|cut|1006)$/,
    play: behind(() => SILENT),
    descriptors: 256,
  },
  'wrong-messages': {
    perSecond: 50,
    expected: /^4400$/,
    play: behind(() => several(SHAPES.length, (at) => frameOf(OPCODE.text, SHAPES[at]))),
  },
};

/** @param {import('./rig.mjs').Server} server @param {{ what?: string }} options */
export async function abuse({ feed }, { what = '' }) {
  const { perSecond = 0, atOnce = 0, expected, play } = /** @type {Kind} */ (ABUSES[what]);
  /** @type {RawClient[]} */
  const clients = [];
  const attempt = () => {
    const client = new RawClient(feed);
    clients.push(client);
    void play(client, clients.length);
  };
  const startMs = performance.now();
  const timer = setInterval(() => {
    const elapsedMs = performance.now() - startMs;
    const due = Math.floor((elapsedMs * perSecond) / 1000) + (elapsedMs >= AT_ONCE_MS ? atOnce : 0);
    while (clients.length < due) attempt();
  }, TICK_MS);
  return async () => {
    clearInterval(timer);
    while (clients.length < Math.max(1, atOnce)) attempt();
    const untilMs = performance.now() + ANSWER_MS_MAX;
    while (clients.some(({ outcome }) => !expected.test(outcome)) && performance.now() < untilMs)
      await pause(TICK_MS);
    /** @type {Record<string, number>} */
    const outcomes = {};
    for (const { outcome } of clients) outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    for (const { socket } of clients) socket.destroy();
    const wrong = Object.keys(outcomes).filter((outcome) => !expected.test(outcome));
    return {
      wrong: wrong.map(
        (outcome) => `${outcomes[outcome]} of ${clients.length}: ${outcome}, not ${expected.source}`,
      ),
      attempts: clients.length,
      outcomes,
    };
  };
}
