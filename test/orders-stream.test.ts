import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { configFrom } from '../src/config.js';
import { type EngineListener, openEngine } from '../src/engine.js';
import { EVERYTHING_NS } from '../src/ingest/source.js';
import { FeedServer } from '../src/publish/server.js';
import { STREAM } from '../src/wire/generated/constants.js';
import { channel, connect } from '../src/wire/index.js';
import { fault } from './support/layered.js';

/** Where the header of a frame begins, and offsets behind it. */
const HEADER = 40;
const [SEQ, PREV_SEQ, VENUE_SEQ, KIND] = [HEADER + 8, HEADER + 16, HEADER + 24, HEADER + 60];
/** Where the offset of the orders stands in a frame of changes, and in an image. */
const OF_CHANGES = 104;
const OF_IMAGE = 152;

/** What a frame says of orders, by the layout alone. */
function ordersOf(bytes: Uint8Array, field: number) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const vector = field + view.getUint32(field, true);
  const orders = Array.from({ length: view.getUint32(vector, true) }, (_, index) => {
    const at = vector + 4 + 40 * index;
    return {
      id: view.getBigUint64(at, true),
      price: view.getBigInt64(at + 16, true),
      qty: view.getBigInt64(at + 24, true),
      place: view.getUint32(at + 32, true),
      action: view.getUint8(at + 36),
      side: view.getUint8(at + 37),
      cause: view.getUint8(at + 38),
      idKind: view.getUint8(at + 39),
    };
  });
  return {
    seq: view.getBigUint64(SEQ, true),
    prevSeq: view.getBigUint64(PREV_SEQ, true),
    kind: view.getUint8(KIND),
    orders,
  };
}

const framed = (hex: string): string => (hex.length / 2).toString(16).padStart(4, '0') + hex;
const head = (type: string): string =>
  `${Buffer.from(type).toString('hex')}${'0001'}${'0000'}${'000000000001'}`;
const id = (reference: number): string => reference.toString(16).padStart(16, '0');
const add = (reference: number): string =>
  framed(`${head('A')}${id(reference)}42${'00000064'}${'4142434420202020'}${'000f4240'}`);
const execute = (reference: number, shares: number): string =>
  framed(`${head('E')}${id(reference)}${shares.toString(16).padStart(8, '0')}${id(99)}`);
const remove = (reference: number): string => framed(`${head('D')}${id(reference)}`);
const start = framed(
  `${Buffer.from('S').toString('hex')}${'00'.repeat(10)}${Buffer.from('O').toString('hex')}`,
);

function market(onFrame: EngineListener['onFrame'] = () => {}) {
  const frames: ReturnType<typeof ordersOf>[] = [];
  const engine = openEngine(
    { startId: 1, silenceMs: 0, replay: true, outputBytes: 4 << 20 },
    {
      onFrame(instrument, stream, bytes) {
        onFrame(instrument, stream, bytes);
        const isImage = bytes[KIND] === 1;
        if (stream === STREAM.orders) frames.push(ordersOf(bytes, isImage ? OF_IMAGE : OF_CHANGES));
      },
      onAsk() {},
      onSay() {},
      onFault(error) {
        throw error;
      },
    },
  );
  const instrument = engine.addInstrument('nasdaq:ABCD');
  const source = engine.openSource('nasdaq', [instrument]);
  const say = (...messages: readonly string[]): number =>
    engine.ingestRecording(source, Buffer.from(messages.join(''), 'hex'), EVERYTHING_NS);
  const image = new Uint8Array(1 << 16);
  return {
    engine,
    instrument,
    frames,
    say,
    image: () => image.slice(0, engine.image(instrument, STREAM.orders, image)),
  };
}

describe('the stream of orders', () => {
  it('tells each order from the image on, and nothing while nobody has opened it', () => {
    const { engine, instrument, frames, say, image } = market();
    say(start, add(7), add(8));
    expect(frames).toEqual([]);
    expect(image()).toHaveLength(0);
    expect(engine.openOrders(instrument)).toBe(STREAM.orders);
    const joined = ordersOf(image(), OF_IMAGE);
    const resting = {
      price: 1_000_000n,
      qty: 100n,
      place: 0xffffffff,
      action: 1,
      side: 1,
      cause: 0,
      idKind: 1,
    };
    expect(joined).toMatchObject({
      kind: 1,
      orders: [
        { id: 7n, ...resting },
        { id: 8n, ...resting },
      ],
    });
    say(add(9), execute(7, 30), remove(8));
    const { seq } = joined;
    const changed = { ...resting, place: 0 };
    expect(frames).toEqual([
      { kind: 7, seq: seq + 1n, prevSeq: seq, orders: [{ id: 9n, ...resting, cause: 1 }] },
      {
        kind: 7,
        seq: seq + 2n,
        prevSeq: seq + 1n,
        orders: [{ id: 7n, ...changed, qty: 70n, action: 2, cause: 3 }],
      },
      { kind: 7, seq: seq + 3n, prevSeq: seq + 2n, orders: [{ id: 8n, ...changed, qty: 0n, action: 4 }] },
    ]);
    expect(ordersOf(image(), OF_IMAGE).orders.map((order) => [order.id, order.qty])).toEqual([
      [7n, 70n],
      [9n, 100n],
    ]);
    expect(engine.order(instrument, 9n)).toMatchObject({ ordersAhead: 1, qtyAhead: 70n });
    expect(engine.order(instrument, '9')).toBeNull();
    engine.closeOrders(instrument);
    say(add(10));
    expect(frames).toHaveLength(3);
  });

  it('begins where the venue is, whenever somebody opens it', () => {
    let bookAt = 0n;
    const venueSeqOf = (bytes: Uint8Array): bigint =>
      new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(VENUE_SEQ, true);
    const { engine, instrument, say, image } = market((_id, stream, bytes) => {
      if (stream === STREAM.book) bookAt = venueSeqOf(bytes);
    });
    say(start, add(7), add(8));
    for (const message of [add(9), add(10)]) {
      engine.openOrders(instrument);
      expect([venueSeqOf(image()), bookAt > 0n]).toEqual([bookAt, true]);
      engine.closeOrders(instrument);
      say(message);
    }
  });

  it('is refused where the venue names no orders', () => {
    const { engine } = market();
    const levels = engine.addInstrument('binance:BTCUSDT');
    engine.openSource('binance', [levels]);
    expect(fault(() => engine.openOrders(levels))).toMatchObject({ code: 'engine.no_orders' });
  });
});

describe('orders of a server', () => {
  it('are the queues of the engine for a client, and closed when nobody has them', async () => {
    const wiring: { server?: FeedServer } = {};
    const { engine, instrument, say, image } = market((id, stream, frame) =>
      wiring.server?.onFrame(id, stream, frame),
    );
    say(start, add(7), add(8));
    const levels = engine.addInstrument('binance:BTCUSDT');
    engine.openSource('binance', [levels]);
    const server = new FeedServer(
      engine,
      engine.instruments(),
      configFrom({ server: { port: 0 } }),
      new Map(),
    );
    wiring.server = server;
    const feed = connect(`ws://127.0.0.1:${await server.listen()}/v1/feed`);
    const { orders } = feed.subscribe(channel.orders, 'nasdaq:ABCD');
    const refused = new Promise((resolve) =>
      feed.subscribe(channel.orders, 'binance:BTCUSDT').on('error', resolve),
    );
    feed.on('error', () => {});
    expect(await refused).toMatchObject({ code: 'feed.no_orders' });
    const until = async (test: () => boolean): Promise<void> => {
      for (let turn = 0; !test() && turn < 200; turn++) {
        server.tick();
        await pause(10);
      }
      expect(test()).toBe(true);
    };
    await until(() => orders.state === 'synced');
    expect([orders.ordersAhead(7n), orders.ordersAhead(8n)]).toEqual([0, 1]);
    say(add(9), execute(7, 30), remove(8));
    await until(() => orders.ordersAhead(9n) === 1);
    expect(engine.order(instrument, 9n)).toMatchObject({ ordersAhead: 1, qtyAhead: 70n });
    expect([orders.qtyAhead(9n), orders.ordersAhead(8n)]).toEqual([70, undefined]);
    await feed.close();
    await until(() => image().length === 0);
    await server.drain('test is over');
    engine.close();
  });
});
