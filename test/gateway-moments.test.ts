import { expect, it } from 'vitest';
import { configFrom } from '../src/config.js';
import { STREAM } from '../src/engine.js';
import { EVERYTHING } from '../src/publish/auth/grant.js';
import { Backlog } from '../src/publish/backlog.js';
import type { CatchUp } from '../src/publish/catch-up.js';
import { Fanout } from '../src/publish/fanout.js';
import type { FeedEngine, Standing } from '../src/publish/feed-engine.js';
import type { Hub } from '../src/publish/hub.js';
import { Metrics } from '../src/publish/metrics.js';
import { Subscriber } from '../src/publish/subscriber.js';
import type { Connection } from '../src/publish/transport.js';
import { FakeNative, frame, labels } from './support/fake-engine.js';

const EPOCH = 5n;
const STREAMS = [STREAM.book, STREAM.bbo, STREAM.trades] as const;

/**
 * An engine of another process: between any two questions each stream goes on by a frame, and what was published before an
 * answer is with its members when that comes.
 */
class MovingEngine implements FeedEngine {
  readonly #native = new FakeNative();
  readonly #seqs = new Map<string, bigint>();
  readonly fanout = new Fanout({
    publish: (name, message) => {
      for (const reader of this.topics.get(name) ?? []) reader.sendFrames(message);
    },
  });
  /** Who has subscribed to which name, as a transport knows it. */
  readonly topics = new Map<string, Set<StrictReader>>();

  get catalogue() {
    return this.#native.catalogue;
  }

  image(id: number, stream: number): CatchUp {
    const standing = this.standing(id, stream);
    const frames = frame(`image ${id}/${stream} ${standing.place.seq}`);
    return { by: 'image', frames, standing, isImageless: false };
  }

  bring(id: number, stream: number, from: { readonly seq: bigint }): CatchUp {
    const standing = this.standing(id, stream);
    const { seq } = standing.place;
    return {
      by: 'range',
      frames: frame(`range ${id}/${stream} ${from.seq}-${seq}`),
      standing,
      isImageless: false,
    };
  }

  places(streams: readonly { readonly instrument: number; readonly stream: number }[]) {
    this.goOn();
    return streams.map(({ instrument, stream }) => this.#place(instrument, stream));
  }

  standing(id: number, stream: number): Standing {
    this.goOn();
    const { state, reason } = this.#native.book(id);
    return { place: this.#place(id, stream), state, reason, instrument: this.#native.instrument(id) };
  }

  instrument(id: number) {
    this.goOn();
    return this.#native.instrument(id);
  }

  openView(): number {
    throw new Error('no views here');
  }
  closeView(): void {}
  openOrders(): number {
    throw new Error('no orders here');
  }
  closeOrders(): void {}

  nowNs(): bigint {
    return 1n;
  }

  goOn(): void {
    for (const { id } of this.#native.catalogue)
      for (const stream of STREAMS) {
        const key = `${id}/${stream}`;
        const seq = (this.#seqs.get(key) ?? 0n) + 1n;
        this.#seqs.set(key, seq);
        const bytes = frame(`delta ${key} ${seq}`);
        this.fanout.add(id, stream, bytes, 0, bytes.byteLength);
      }
    this.fanout.flush();
  }

  #place(id: number, stream: number) {
    return { epoch: EPOCH, seq: this.#seqs.get(`${id}/${stream}`) ?? 0n };
  }
}

/** A client's streams by what it is sent, which fails where a frame is not the next one. */
class StrictReader implements Connection {
  readonly held = new Map<string, bigint>();
  readonly acknowledged = new Set<string>();
  buffered = 0;
  frames = 0;
  readonly #topics: MovingEngine['topics'];

  constructor(topics: MovingEngine['topics']) {
    this.#topics = topics;
  }

  sendText(text: string): void {
    const message = JSON.parse(text) as Record<string, unknown>;
    const key = `${String(message.instrumentId)}/${String(message.stream)}`;
    if (message.op === 'subscribed') {
      this.acknowledged.add(key);
      const { resume, seq } = message as { resume?: { to: string }; seq: string };
      // Of a resumption the acknowledgement and what it announces are of one moment.
      if (resume !== undefined) expect(seq).toBe(resume.to);
    }
  }

  sendFrames(bytes: Uint8Array): void {
    for (const text of labels(bytes)) {
      this.frames += 1;
      const [kind = '', key = '', rest = ''] = text.split(' ');
      expect(this.acknowledged).toContain(key);
      const held = this.held.get(key);
      if (kind === 'image') this.held.set(key, BigInt(rest));
      else if (kind === 'range') {
        const [from = '', to = ''] = rest.split('-');
        if (held !== undefined) expect(from).toBe(String(held));
        this.held.set(key, BigInt(to));
      } else {
        // A stream that was never brought begins with what brings it.
        expect(`${key} ${held}`).toBe(`${key} ${BigInt(rest) - 1n}`);
        this.held.set(key, BigInt(rest));
      }
    }
  }

  subscribe(name: string): void {
    this.#topics.set(name, (this.#topics.get(name) ?? new Set()).add(this));
  }
  unsubscribe(name: string): void {
    this.#topics.get(name)?.delete(this);
  }
  bufferedBytes(): number {
    return this.buffered;
  }
  end(code: number): void {
    throw new Error(`closed with ${code}`);
  }
  cut(): void {
    throw new Error('cut');
  }
}

it('what a client is told and what it gets follow each other, though the engine goes on between any two questions', () => {
  const engine = new MovingEngine();
  const { limits, server } = configFrom({
    limits: { controlPerSecond: 100_000, controlBurst: 100_000, badMessagesMax: 1000 },
  });
  const clients = new Set<Subscriber>();
  const hub: Hub = {
    engine,
    fanout: engine.fanout,
    backlog: new Backlog(
      clients,
      limits,
      () => engine.fanout.bytes,
      () => {},
    ),
    wishing: new Set(),
    metrics: new Metrics(),
    limits,
    heartbeatMs: server.heartbeatMs,
    instruments: new Map(engine.catalogue.map((one) => [one.name, one])),
    version: '0',
    isReplay: false,
  };
  let nowMs = performance.now();
  let seed = 3;
  const chance = (below: number): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((seed / 2 ** 32) * below);
  };
  const names = [...hub.instruments.keys()];
  const channels = ['book', 'bbo', 'trades'];
  const readers = Array.from({ length: 4 }, () => {
    const reader = new StrictReader(engine.topics);
    const subscriber = new Subscriber(reader, hub, () => {}, EVERYTHING, nowMs);
    clients.add(subscriber);
    return { reader, subscriber };
  });
  for (let step = 0; step < 4000; step++) {
    const chosen = readers[chance(readers.length)];
    if (chosen === undefined) throw new Error('a reader');
    const { reader, subscriber } = chosen;
    const channel = channels[chance(3)];
    const instrument = names[chance(names.length)] ?? '';
    const say = (message: object): void => subscriber.onText(JSON.stringify(message));
    const dice = chance(10);
    if (dice < 3) say({ op: 'subscribe', id: step, channel, instrument });
    else if (dice < 5) {
      const id = hub.instruments.get(instrument)?.id ?? 0;
      const stream = STREAMS[channels.indexOf(channel ?? '')] ?? 0;
      const held = reader.held.get(`${id}/${stream}`);
      if (held !== undefined)
        say({
          op: 'subscribe',
          id: step,
          channel,
          instrument,
          resume: { epoch: String(EPOCH), seq: String(held) },
        });
    } else if (dice < 6) say({ op: 'unsubscribe', id: step, channel, instrument });
    else if (dice < 7) say({ op: 'resync', id: step, channel, instrument });
    else if (dice < 8) reader.buffered = reader.buffered === 0 ? limits.backpressureSoftBytes + 1 : 0;
    else engine.goOn();
    nowMs += 40;
    for (const each of readers) each.subscriber.poll(nowMs);
  }
  expect(Math.min(...readers.map(({ reader }) => reader.frames))).toBeGreaterThan(1000);
});
