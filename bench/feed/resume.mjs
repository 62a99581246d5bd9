// @ts-check
/**
 * A reader that comes back: bytes that bring it to the present beside the bytes that it missed, which another reader counts.
 *
 * `node bench/feed/resume.mjs [--books N] [--seconds S] [--rate N]`, after `npm run build`. Prints one line of JSON; ends with 1 when
 * an image came, or more than 1.1 times what was missed.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { WebSocket } from 'ws';
import { FrameReader } from '../../dist/wire/index.js';
import { VENUE } from './records.mjs';
import { startServer } from './rig.mjs';

const RATIO_MAX = 1.1;
const BOOK = 1;
const IMAGE = 1;

const { values } = parseArgs({
  options: {
    books: { type: 'string', default: '100' },
    seconds: { type: 'string', default: '5' },
    rate: { type: 'string', default: '5000' },
  },
});
const [books, seconds, rate] = [values.books, values.seconds, values.rate].map(Number);

/**
 * A reader of all books that counts.
 * @typedef {object} Reader
 * @property {WebSocket} socket
 * @property {Map<number, { epoch: string, seq: number }>} places by instrument
 * @property {Map<string, number>} by how subscriptions were brought, counted
 * @property {number} bytes of frames
 * @property {number} images
 */

/** @param {number} port @param {readonly object[]} subscriptions @returns {Promise<Reader>} */
async function read(port, subscriptions) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/v1/feed`, 'depthwire.v1');
  /** @type {Reader} */
  const reader = { socket, places: new Map(), by: new Map(), bytes: 0, images: 0 };
  const frames = new FrameReader();
  let answered = 0;
  const wanted = subscriptions.length;
  await new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.on('open', () => {
      for (const subscription of subscriptions) socket.send(JSON.stringify(subscription));
    });
    socket.on('message', (/** @type {Buffer} */ data, isBinary) => {
      if (isBinary) {
        reader.bytes += data.byteLength;
        frames.reset(data);
        while (frames.next()) {
          if (frames.stream !== BOOK) continue;
          if (frames.kind === IMAGE) reader.images += 1;
          reader.places.set(frames.instrument, { epoch: String(frames.epoch), seq: Number(frames.seq) });
        }
        return;
      }
      const message = JSON.parse(data.toString());
      if (message.op === 'error') reject(new Error(JSON.stringify(message)));
      if (message.op !== 'subscribed') return;
      const by = message.resume?.by ?? 'none';
      reader.by.set(by, 1 + (reader.by.get(by) ?? 0));
      answered += 1;
      if (answered === wanted) resolve(undefined);
    });
  });
  return reader;
}

const server = await startServer('whole', { books, levels: 50, rate });
const names = Array.from({ length: books ?? 0 }, (_, at) => `${VENUE}:B${at}USDT`);
const subscriptions = names.map((instrument, id) => ({ op: 'subscribe', id, channel: 'book', instrument }));
const control = await read(server.feed, subscriptions);
const away = await read(server.feed, subscriptions);
await pause(1000);
const ids = new Map();
const answer = await fetch(`http://127.0.0.1:${server.feed}/v1/instruments`);
for (const { name, id } of (await answer.json()).instruments) ids.set(name, id);
// Both counts begin at the same places: those where the one that leaves stands.
const left = new Map(away.places);
away.socket.terminate();
const missedFrom = control.bytes;
await pause((seconds ?? 0) * 1000);
const missed = control.bytes - missedFrom;
const back = await read(
  server.feed,
  subscriptions
    .map((subscription) => ({ ...subscription, resume: left.get(ids.get(subscription.instrument)) }))
    .map(({ resume, ...rest }) => ({
      ...rest,
      resume: resume && { epoch: resume.epoch, seq: String(resume.seq), by: 'range' },
    })),
);
const ratio = back.bytes / missed;
const row = {
  name: 'resume',
  ok: back.images === 0 && ratio <= RATIO_MAX,
  books,
  seconds,
  missedBytes: missed,
  resumedBytes: back.bytes,
  ratio: Math.round(ratio * 1000) / 1000,
  images: back.images,
  by: Object.fromEntries(back.by),
};
console.log(JSON.stringify(row));
process.exit(row.ok ? 0 : 1);
