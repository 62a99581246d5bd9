// @ts-check
/**
 * A server of the benchmarks of the feed: `node bench/feed/server.mjs KIND [SHAPE]`. Records come in on one port, frames go out on
 * another; both are printed as one line of JSON. It ends with its standard input.
 *
 * Kinds: `bare` publishes prebuilt frames by uWebSockets.js and keeps no book, and answers a subscription by nothing else or, of
 * several books, by a prebuilt image, which is the control; `loop` publishes by a loop over the clients of `ws`; `frames` is this
 * package's server alone, given frames; `whole` is engine and server, given the venue's bytes. In all of them a record is read
 * in the same way, and causes one frame. SHAPE is JSON: `books` and `levels` of books beside those records, `rate` of their changes
 * a second, `alongside` changes of them with each record, `config` as that of `serve`, `descriptors` that the process has. A
 * SIGHUP makes it read its certificate and its keys anew.
 */

import { once } from 'node:events';
import { bareServer, loopServer, messagesIn } from '../../dist/bench/control-servers.js';
import { configFrom } from '../../dist/config.js';
import { STREAM } from '../../dist/engine.js';
import { FeedServer } from '../../dist/publish/server.js';
import { TickTimer } from '../../dist/tick-timer.js';
import { change, engineFor, framesOf, records, SYMBOL, wholeBook } from './records.mjs';

/** Between changes that come by a rate. */
const CHANGES_MS = 10;

/**
 * @typedef {object} Shape
 * @property {number} [books]
 * @property {number} [levels] a side of each
 * @property {number} [rate] changes a second of all of them together
 * @property {number} [alongside] changes of them with each record
 * @property {import('../../dist/config.js').ConfigInput} [config]
 * @property {number} [descriptors]
 *
 * @typedef {object} Served
 * @property {number} port
 * @property {(record: Uint8Array) => void} take
 */

/** @param {Shape} shape @returns {Promise<Served>} */
async function bare({ books = 0, levels = 0 }) {
  const made = framesOf(records());
  const image = books === 0 ? undefined : framesOf([wholeBook(SYMBOL, levels)])[0];
  const { port, publish } = await bareServer(image);
  return { port, take: inTurn(made, publish) };
}

/** @returns {Promise<Served>} */
async function loop() {
  const { port, publish } = await loopServer();
  return { port, take: inTurn(framesOf(records()), publish) };
}

/**
 * Each record has the next of the frames published.
 * @param {readonly Buffer[]} frames @param {(frame: Uint8Array) => void} publish
 */
function inTurn(frames, publish) {
  let at = 0;
  return () => publish(/** @type {Buffer} */ (frames[at++ % frames.length]));
}

/**
 * Frames in one memory, as the engine gives them: hands out one after the other. All are multiples of 8 bytes.
 * @param {readonly Buffer[]} frames
 */
function packed(frames) {
  const memory = new Uint8Array(Buffer.concat(frames));
  const sizes = frames.map(({ length }) => length);
  let at = 0;
  let offset = 0;
  return (/** @type {(memory: Uint8Array, offset: number, size: number) => void} */ take) => {
    const size = sizes[at] ?? 0;
    take(memory, offset, size);
    at = (at + 1) % sizes.length;
    offset = at === 0 ? 0 : offset + size;
  };
}

/** @param {Shape} shape @param {boolean} isGivenFrames @returns {Promise<Served>} */
async function depthwire({ books = 0, levels = 0, rate = 0, alongside = 0, config = {} }, isGivenFrames) {
  const given = isGivenFrames ? packed(framesOf(records())) : undefined;
  /** @type {{ server?: FeedServer }} */
  const wiring = {};
  const complete = configFrom({
    ...config,
    server: { port: 0, idleTimeoutSeconds: 0, ...config.server },
    limits: { clientsMax: 20_000, ...config.limits },
  });
  const { historyBytes, historyStreamBytes, historyMs } = complete.limits;
  const further = Array.from({ length: books }, (_, at) => `B${at}USDT`);
  const { engine, ids, source } = engineFor(
    {
      onFrameBytes: (id, stream, ring, offset, size) =>
        wiring.server?.onFrameBytes(id, stream, ring, offset, size),
    },
    [SYMBOL, ...further],
    { historyBytes, historyStreamBytes, historyMs },
  );
  engine.ingest(source, /** @type {Buffer} */ (records()[0]));
  for (const symbol of further) engine.ingest(source, wholeBook(symbol, levels));
  const served = new Set(ids);
  const instruments = engine.instruments().filter(({ id }) => served.has(id));
  const server = new FeedServer(engine, instruments, complete, new Map());
  wiring.server = server;
  const port = await server.listen();
  process.on('SIGHUP', () => {
    server.reloadCertificate();
    void server.reloadKeys();
  });
  let changes = 0;
  const changeNext = () => {
    const symbol = /** @type {string} */ (further[changes % books]);
    engine.ingest(source, change(symbol, levels, Math.floor(changes++ / books)));
  };
  if (rate > 0 && books > 0)
    setInterval(() => {
      for (let due = (rate * CHANGES_MS) / 1000; due > 0; due--) changeNext();
    }, CHANGES_MS);
  const timer = new TickTimer((lateMs) => {
    engine.tick();
    return server.tick(lateMs);
  });
  server.hurry = () => timer.hurry();
  const [busy] = /** @type {[number]} */ (ids);
  const take = given
    ? () => given((memory, offset, size) => server.onFrameBytes(busy, STREAM.book, memory, offset, size))
    : (/** @type {Uint8Array} */ record) => {
        engine.ingest(source, record);
        for (let due = alongside; due > 0; due--) changeNext();
      };
  return { port, take };
}

const [kind = '', shape = '{}'] = process.argv.slice(2);
/** @type {Readonly<Record<string, (shape: Shape) => Promise<Served>>>} */
const KINDS = {
  bare,
  loop,
  frames: (given) => depthwire(given, true),
  whole: (given) => depthwire(given, false),
};
const serve = KINDS[kind];
if (serve === undefined) throw new Error(`kinds: ${Object.keys(KINDS).join(', ')}`);
const { port, take } = await serve(JSON.parse(shape));
const input = messagesIn(take);
await once(input, 'listening');
const inputPort = /** @type {import('node:net').AddressInfo} */ (input.address()).port;
console.log(JSON.stringify({ feed: port, input: inputPort }));
process.stdin.resume().on('end', () => process.exit());
