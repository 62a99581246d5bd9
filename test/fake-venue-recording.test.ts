import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { RecordingContents } from '#native';
import { recordedOffers } from '../src/cli/fake-recordings.js';
import { openEngine } from '../src/engine.js';
import type { FakeVenueOptions } from '../src/fake-venue/fake-venue.js';
import { FakeVenue } from '../src/fake-venue/fake-venue.js';
import type { Playback } from '../src/fake-venue/recorded-market.js';
import { EVERYTHING_NS } from '../src/ingest/source.js';
import { capture } from './support/capture.js';
import { ask, fakeUrl, PlainClient, until } from './support/fake-venue.js';
import { fakeVenueCommand } from './support/fake-venue-command.js';
import { LiveRig } from './support/live-rig.js';
import { simulatedRecording } from './support/recording.js';
import { DATA_FOLDER, hasRecordings, RECORDED } from './support/recordings.js';

const BINANCE = 'wss://data-stream.binance.vision/stream';
const DEPTH = 'https://data-api.binance.vision/api/v3/depth';

const folder = mkdtempSync(join(tmpdir(), 'depthwire-recorded-'));
afterAll(() => rmSync(folder, { recursive: true }));

const closing: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

let files = 0;
function file(content: string): string {
  files += 1;
  const path = join(folder, `recording-${files}`);
  writeFileSync(path, content);
  return path;
}

const SPOT = simulatedRecording('BTCUSDT', 3000);
/** What stands in its lines. */
const FRAMES = SPOT.trimEnd()
  .split('\n')
  .map((line) => line.slice(line.indexOf(' ') + 1));
const spot = file(SPOT);

/** A fake venue that tells a recording. */
async function told(
  recording: string,
  options: { speed?: number; loop?: boolean } & Omit<FakeVenueOptions, 'products'> = {},
): Promise<FakeVenue> {
  const { speed = 50, loop = false, ...more } = options;
  const products = await recordedOffers([{ product: undefined, path: recording }], {
    speed,
    lastsMs: 0,
    loop,
  });
  const venue = new FakeVenue({ products, ...more });
  await venue.listen();
  closing.push(() => venue.stop());
  return venue;
}

async function subscribed(venue: FakeVenue, streams: readonly string[]): Promise<PlainClient> {
  const client = await new PlainClient(fakeUrl(venue, BINANCE)).open();
  closing.push(() => client.close());
  if (client.failed === undefined) client.say({ method: 'SUBSCRIBE', params: streams, id: 9 });
  return client;
}

const STREAMS = ['btcusdt@depth@100ms', 'btcusdt@trade', 'btcusdt@bookTicker'];
const isAnswer = (frame: string): boolean => frame.startsWith('{"lastUpdateId"');
/** Without the venue's answer to the subscription. */
const heard = (client: PlainClient): readonly string[] =>
  client.heard.filter((frame) => frame !== '{"result":null,"id":9}');

describe('a recording that a client hears', () => {
  it('comes whole and in order, from its first frame on, and then the connection is closed', async () => {
    const venue = await told(spot);
    const client = await subscribed(venue, STREAMS);
    await until(() => client.closed !== undefined);
    expect(client.closed?.code).toBe(1001);
    expect(heard(client)).toEqual(FRAMES.filter((frame) => !isAnswer(frame)));
    expect(venue.breaches()).toEqual([]);
  });

  it('takes the time that it took, divided by the speed', async () => {
    const venue = await told(spot, { speed: 6 });
    const startMs = performance.now();
    const client = await subscribed(venue, STREAMS);
    await until(() => client.closed !== undefined);
    expect(performance.now() - startMs).toBeGreaterThan(450);
  });

  it('begins anew on each connection', async () => {
    const venue = await told(spot, { speed: 5 });
    const one = await subscribed(venue, STREAMS);
    await until(() => heard(one).length > 20);
    const other = await subscribed(venue, STREAMS);
    await until(() => heard(other).length > 20);
    expect(heard(other).slice(0, 20)).toEqual(heard(one).slice(0, 20));
  });

  it('is of the streams that were subscribed', async () => {
    const venue = await told(spot);
    const client = await subscribed(venue, ['btcusdt@trade']);
    await until(() => client.closed !== undefined);
    expect(heard(client)).toEqual(FRAMES.filter((frame) => frame.includes('"e":"trade"')));
    const stranger = await subscribed(await told(spot, { speed: 1000 }), ['ethusdt@trade']);
    await stranger.hears('"id":9');
    expect(heard(stranger)).toEqual([]);
  });

  it('answers requests with the book that was recorded last', async () => {
    const lines = SPOT.trimEnd().split('\n');
    const half = lines.length >> 1;
    const second = '{"lastUpdateId":99999999999,"bids":[["1","1"]],"asks":[["2","1"]]}';
    const [atNs] = lines[half]?.split(' ') ?? [];
    lines.splice(half, 0, `${atNs} ${second}`);
    const venue = await told(file(lines.join('\n')), { speed: 3 });
    const id = async (): Promise<number> => {
      const { body } = await ask(fakeUrl(venue, `${DEPTH}?symbol=BTCUSDT&limit=1000`));
      return (JSON.parse(body.toString()) as { readonly lastUpdateId: number }).lastUpdateId;
    };
    const first = Number(/"lastUpdateId":(\d+)/.exec(SPOT)?.[1]);
    expect(await id(), 'while nobody hears it').toBe(first);
    const client = await subscribed(venue, STREAMS);
    await until(() => heard(client).length > 10);
    expect(await id()).toBe(first);
    await until(() => heard(client).length > half);
    expect(await id()).toBe(99_999_999_999);
    const other = await ask(fakeUrl(venue, `${DEPTH}?symbol=ETHUSDT&limit=1000`));
    expect([other.status, other.body.toString()]).toEqual([400, '{"code":-1121,"msg":"Invalid symbol."}']);
  });

  it('is over for good, or told again to those who come back', async () => {
    const [once, looped] = [await told(spot), await told(spot, { loop: true })];
    for (const venue of [once, looped]) {
      const client = await subscribed(venue, STREAMS);
      await until(() => client.closed !== undefined);
    }
    const late = await subscribed(once, STREAMS);
    expect(late.failed?.message).toMatch(/503/);
    const again = await subscribed(looped, STREAMS);
    await until(() => heard(again).length > 5);
    const [frame = ''] = FRAMES;
    const number = Number(/"u":(\d+)/.exec(frame)?.[1]);
    expect(heard(again)[0]).toBe(frame.replace(String(number), String(number + 1_000_000_000)));
  });

  it('is not told from its middle: a book that is left and asked for again ends the connection', async () => {
    const venue = await told(spot, { speed: 3 });
    const client = await subscribed(venue, STREAMS);
    await client.hears('"depthUpdate"');
    client.say({ method: 'UNSUBSCRIBE', params: ['btcusdt@trade'], id: 1 });
    client.say({ method: 'SUBSCRIBE', params: ['btcusdt@trade'], id: 2 });
    await client.hears('{"result":null,"id":2}');
    expect(client.closed).toBeUndefined();
    client.say({ method: 'UNSUBSCRIBE', params: ['btcusdt@depth@100ms'], id: 3 });
    client.say({ method: 'SUBSCRIBE', params: ['btcusdt@depth@100ms'], id: 4 });
    await until(() => client.closed !== undefined);
    expect(client.closed).toMatchObject({ code: 1001, reason: expect.stringContaining('beginning') });
  });

  it('has the faults of any venue', async () => {
    const venue = await told(spot, { faults: [{ kind: 'drop', channel: 'book', at: 2 }] });
    const client = await subscribed(venue, STREAMS);
    await until(() => client.closed !== undefined);
    const updates = FRAMES.filter((frame) => frame.includes('"depthUpdate"'));
    expect(heard(client)).toEqual(FRAMES.filter((frame) => !isAnswer(frame) && frame !== updates[1]));
  });
});

/** A connector of a product between a recording and an engine. */
async function rigOf(
  path: string,
  options: { readonly speed: number; readonly depth?: number; readonly loop?: boolean },
): Promise<LiveRig> {
  const { speed, loop = false, ...more } = options;
  const [offered] = await recordedOffers([{ product: undefined, path }], { speed, lastsMs: 0, loop });
  if (offered?.playback === undefined) throw new Error('nothing is offered');
  const { product, codes, playback } = offered;
  const rig = await LiveRig.start(product.name, codes, { playback, ...more });
  closing.push(() => rig.stop());
  return rig;
}

/** What replaying the file makes of the book. */
function replayed(text: string, name: string): { readonly digest: string; readonly seq: bigint } {
  const engine = openEngine(
    { startId: 1, silenceMs: 0, replay: true, outputBytes: 16 << 20 },
    { onFrame: () => {}, onAsk: () => {}, onSay: () => {}, onFault: () => {} },
  );
  const id = engine.addInstrument(name);
  const source = engine.openSource(name.split(':')[0] ?? '', [id]);
  engine.ingestRecording(source, Buffer.from(text), EVERYTHING_NS, true);
  const { venueSeq } = engine.book(id);
  const digest = engine.digest(id);
  engine.close();
  return { digest, seq: venueSeq };
}

describe('a connector that hears a recording', () => {
  it('joins it to the recorded snapshot, to the book that replaying it gives', async () => {
    const rig = await rigOf(spot, { speed: 3 });
    const { digest, seq } = replayed(SPOT, 'binance:BTCUSDT');
    await until(() => rig.engine.book(rig.id('BTCUSDT')).venueSeq === seq);
    expect(rig.engine.digest(rig.id('BTCUSDT'))).toBe(digest);
    expect(rig.venue.breaches()).toEqual([]);
  });

  it.each([
    ['kraken', ['BTC/USD', 'ETH/USD'], { depth: 10 }],
    ['bitfinex', ['tBTCUSD', 'tETHUSD'], {}],
  ] as const)(
    'of %s finds every checksum right, and hears it again after its end',
    async (product, codes, more) => {
      const rig = await rigOf(file(capture({ product, codes, durationMs: 4000 })), {
        speed: 2,
        loop: true,
        ...more,
      });
      await rig.synced();
      await until(() => rig.connector.status().some(({ reconnects }) => reconnects > 0));
      const before = rig.engine.stats().checksumsChecked;
      await until(() => rig.engine.stats().checksumsChecked > before + 5);
      await rig.synced();
      const { checksumsChecked, checksumsMatched, contradictions } = rig.engine.stats();
      expect([checksumsMatched, contradictions]).toEqual([checksumsChecked, 0]);
      expect(rig.venue.breaches()).toEqual([]);
    },
  );

  it('goes on with numbers that never go back, where books are joined by them', async () => {
    const rig = await rigOf(spot, { speed: 3, loop: true });
    const { seq } = replayed(SPOT, 'binance:BTCUSDT');
    const { trades } = rig.engine.stats();
    await until(() => rig.engine.book(rig.id('BTCUSDT')).venueSeq > seq);
    await rig.synced();
    expect(rig.engine.stats()).toMatchObject({ crossed: 0, contradictions: 0, decodeErrors: 0 });
    expect(rig.engine.stats().trades).toBeGreaterThanOrEqual(trades);
  });

  it.skipIf(!hasRecordings)(`of Kraken finds the checksums of a real one right ${RECORDED}`, async () => {
    const rig = await rigOf(join(DATA_FOLDER, 'kraken/kraken_btcusd_sample.cbcap'), { speed: 20, depth: 25 });
    await until(() => rig.venue.lines().length > 0);
    await until(() => rig.venue.lines().length === 0);
    await until(() => rig.engine.stats().checksumsChecked === 2052);
    expect(rig.engine.stats().checksumsMatched).toBe(2052);
  });
});

describe('what is read of a recording', () => {
  it('is of the first of several connections that tell the same', async () => {
    const frame = (conn: string, ts: number, u: number): string => {
      const data = `{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":1,"s":"BTCUSDT","U":${u},"u":${u},"b":[],"a":[]}}`;
      return `${JSON.stringify({ t: 'recv', conn, ts, data })}\n`;
    };
    const text = `{"t":"header","format":2}\n${frame('B', 10, 1)}${frame('A', 10.5, 1)}${frame('B', 11, 2)}`;
    const playback = await playbackOf(file(text));
    expect(playback.frames.instruments[0]?.frames.map(({ atMs }) => atMs)).toEqual([0, 1000]);
    expect(playback.frames).toMatchObject({ frames: 2, lastMs: 1000 });
  });

  it('tells how fine the numbers of its instruments are', async () => {
    const playback = await playbackOf(spot);
    expect(playback.frames.instruments[0]).toMatchObject({ code: 'BTCUSDT', priceDigits: 2 });
  });

  it('needs room for a whole frame', () => {
    const contents = new RecordingContents('binance', Buffer.from('BTCUSDT'));
    expect(() => contents.read(new Uint8Array(1), true, new Uint8Array(100))).toThrow(
      expect.objectContaining({ code: 'simulator.buffer_too_small' }),
    );
    expect(() => new RecordingContents('nyse', new Uint8Array())).toThrow(
      expect.objectContaining({ code: 'instrument.unknown_venue' }),
    );
  });
});

async function playbackOf(path: string): Promise<Playback> {
  const [offered] = await recordedOffers([{ product: undefined, path }], {
    speed: 1,
    lastsMs: 0,
    loop: false,
  });
  if (offered?.playback === undefined) throw new Error('nothing is offered');
  return offered.playback;
}

describe('depthwire fake-venue --recording', () => {
  it('prints what it tells and where', async () => {
    const { code, out } = await fakeVenueCommand(folder, '--recording', spot, '--speed', '2.5', '--loop');
    expect(code).toBe(0);
    expect(out).toMatch(/^venue {4}binance {2}BTCUSDT$/m);
    expect(out).toMatch(/^recorded binance {2}\d+ frames in \d\.\d s, at speed 2\.5, again for/m);
    expect(out).toMatch(/--url wss:\/\/data-stream\.binance\.vision=ws:\/\/127\.0\.0\.1:\d+\//);
    expect(out).not.toContain('kraken');
    const slow = await fakeVenueCommand(folder, '--recording', spot, '--speed', '100', '--lasts', '6');
    expect(slow.out).toMatch(/at speed 0\.\d+, once$/m);
    const both = await fakeVenueCommand(folder, '--recording', `binance=${spot}`, '--venue', 'kraken');
    expect(both.out).toMatch(/^venue {4}kraken/m);
  });

  const junk = file('this is no recording, whatever its length: '.repeat(20));
  it.each([
    ['what is none', [junk], /recording\.unknown_format/],
    ['what is not there', [join(folder, 'absent')], /recording\.missing/],
    [
      'a recording of another product',
      [`kraken=${spot}`],
      /fake\.recording.*fix: {6}Write --recording binance=/s,
    ],
    ['a product without a socket', [`nasdaq=${spot}`], /heard over sockets \(fake\.venue\)/],
    ['a product that is none', [`krakn=${spot}`], /Write --recording kraken=FILE/],
    ['a product that is simulated too', [spot, '--venue', 'binance'], /fake\.venue.*both/s],
  ] as const)('refuses %s', async (_what, [recording = '', ...args], error) => {
    const { code, err } = await fakeVenueCommand(folder, '--recording', recording, ...args);
    expect(code).not.toBe(0);
    expect(err).toMatch(error);
  });

  it.each(['0', '-1', 'fast', 'Infinity'])('refuses the speed %s', async (speed) => {
    expect((await fakeVenueCommand(folder, '--recording', spot, '--speed', speed)).err).toMatch(/above 0/);
  });
});
