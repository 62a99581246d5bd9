import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import {
  DepthwireError,
  EVERYTHING_NS,
  type FeedSource,
  openEngine,
  RecordingReader,
  Simulator,
  serveFeed,
  simulatedVenue,
  unzstd,
} from '../src/index.js';
import { connect } from '../src/wire/index.js';

const EXAMPLE = fileURLToPath(new URL('../examples/sim-btcusdt.txt.gz', import.meta.url));
const CONFIG = { server: { port: 0 } } as const;

/** The first book of a subscription that is synced. */
async function firstSynced(url: string, name: string) {
  const feed = connect(url);
  try {
    for await (const book of feed.book(name)) {
      if (book.state === 'synced' && book.bestBid !== undefined) return { seq: book.seq, bid: book.bestBid };
    }
  } finally {
    feed.close();
  }
  throw new Error('the feed ended');
}

describe('a server in the process that embeds it', () => {
  it('serves the simulator, its page and the books of its own engine', async () => {
    await using served = await serveFeed({ source: simulatedVenue(7), config: CONFIG });
    expect(served.instruments.map(({ name }) => name)).toContain('sim:BTCUSDT');
    const seen = await firstSynced(`${served.url}v1/feed`.replace('http', 'ws'), 'sim:BTCUSDT');
    expect(seen.bid.price).toBeGreaterThan(0);
    const page = await fetch(served.url);
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    const id = served.instruments.find(({ name }) => name === 'sim:BTCUSDT')?.id ?? -1;
    expect(served.engine.depth(id, 3).bids).toHaveLength(3);
    expect(await (await fetch(`${served.url}health`)).json()).toMatchObject({ status: 'ok' });
  });

  it('serves what it is handed, and tells its faults', async () => {
    const recording = gunzipSync(await readFile(EXAMPLE));
    let connection = -1;
    const faults: unknown[] = [];
    const source: FeedSource = {
      open(engine) {
        const id = engine.addInstrument('sim:BTCUSDT');
        connection = engine.openSource('sim', [id]);
        return [id];
      },
    };
    const served = await serveFeed({
      ...{ source, config: CONFIG, replay: true, page: false },
      onFault: (error) => faults.push(error),
    });
    expect((await fetch(served.url)).status).toBe(503);
    served.engine.ingestRecording(connection, recording, EVERYTHING_NS, true);
    const seen = await firstSynced(`${served.url}v1/feed`.replace('http', 'ws'), 'sim:BTCUSDT');
    expect(seen.bid.price).toBe(6_182_069);
    served.engine.ingest(connection, Buffer.from('{"broken'));
    expect(faults).toEqual([expect.any(DepthwireError)]);
    const first = served.close();
    expect(served.close()).toBe(first);
    await first;
    expect(() => served.engine.stats()).toThrow(expect.objectContaining({ code: 'addon.closed' }));
    await expect(fetch(served.url)).rejects.toThrow();
  });

  it('leaves nothing behind where it cannot begin', async () => {
    const refuse = { open: () => [], config: { server: { port: -1 } } };
    await expect(serveFeed({ source: refuse, config: refuse.config })).rejects.toThrow(
      expect.objectContaining({ code: expect.stringMatching(/^config\./) as string }),
    );
    const failing: FeedSource = {
      open() {
        throw new Error('no market');
      },
    };
    await expect(serveFeed({ source: failing, config: CONFIG })).rejects.toThrow('no market');
  });

  it('says when its source has ended or failed', async () => {
    const faults: unknown[] = [];
    const failure = sleep(1).then(() => Promise.reject(new Error('gone')));
    await using served = await serveFeed({
      source: { open: () => [], ended: failure },
      config: CONFIG,
      onFault: (error) => faults.push(error),
    });
    await failure.catch(() => {});
    await sleep(1);
    expect([served.server.sourceState, String(faults)]).toEqual(['failed', 'Error: gone']);
  });
});

describe('the exported tools', () => {
  it('read a recording into an engine', async () => {
    const engine = openEngine(
      { startId: 1, replay: true, outputBytes: 8 << 20 },
      { onFrame() {}, onAsk() {}, onSay() {}, onFault() {} },
    );
    const id = engine.addInstrument('sim:BTCUSDT');
    const source = engine.openSource('sim', [id]);
    const reader = new RecordingReader([EXAMPLE]);
    while (await reader.fill())
      reader.use(engine.ingestRecording(source, reader.pending, EVERYTHING_NS, reader.isFileEnd));
    expect(engine.book(id)).toMatchObject({ state: 'synced', bestBid: '61820.69', bestAsk: '61820.7' });
    engine.close();
  });

  it('make the frames of a market', () => {
    const simulator = new Simulator(7, 1_700_000_000_000);
    const out = new Uint8Array(1 << 20);
    expect(simulator.next(1_700_000_001_000, out)).toBeGreaterThan(0);
    simulator.close();
  });

  it('undo zstd in pieces of any size, and say where it is damaged or cut', async () => {
    // A frame of one raw block of random bytes, and an empty frame behind it.
    const content = randomBytes(50_000);
    const head = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58]);
    const block = Buffer.alloc(3);
    block.writeUIntLE((content.byteLength << 3) | 1, 0, 3);
    const empty = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58, 0x01, 0x00, 0x00]);
    const packed = Buffer.concat([head, block, content, empty]);
    for (const size of [1, 7, 4096, packed.byteLength]) {
      const pieces = Array.from({ length: Math.ceil(packed.byteLength / size) }, (_, at) =>
        packed.subarray(at * size, (at + 1) * size),
      );
      const out: Buffer[] = [];
      for await (const part of unzstd(pieces)) out.push(Buffer.from(part));
      expect(Buffer.concat(out).equals(content)).toBe(true);
    }
    const read = async (bytes: Uint8Array) => {
      for await (const _ of unzstd([bytes]));
    };
    await expect(read(packed.subarray(0, 20_000))).rejects.toMatchObject({ code: 'zstd.truncated' });
    await expect(read(Buffer.from('no zstd at all'))).rejects.toMatchObject({ code: 'addon.zstd' });
    await expect(read(new Uint8Array())).resolves.toBeUndefined();
  });
});
