import { afterEach, describe, expect, it } from 'vitest';
import { Simulator } from '#native';
import { type Engine, openEngine, type StageTimes } from '../src/engine.js';
import { serveFeed, simulatedVenue } from '../src/index.js';
import { stagesSchema } from '../src/publish/http-schemas.js';
import { OpenMetrics } from '../src/publish/open-metrics.js';
import { writeStages } from '../src/publish/stage-metrics.js';
import { StageReport } from '../src/publish/stages.js';
import { connect } from '../src/wire/index.js';
import { type Family, readOpenMetrics } from './support/open-metrics.js';
import { startServer, type TestServer } from './support/server.js';

const START_MS = 1_700_000_000_000;
const STAGES = ['decoded', 'sequenced', 'applied', 'encoded', 'published', 'whole'];

const running: TestServer[] = [];
afterEach(async () => {
  for (const server of running.splice(0)) await server.stop();
});

/** An engine that follows a simulated market of four instruments, whose frames are handed in by `messages`. */
function rig(stagesEvery?: number, replay = false) {
  const simulator = new Simulator(3, START_MS);
  const buffer = new Uint8Array(1 << 20);
  const faults: string[] = [];
  const asks: { instrument: number; ticket: number }[] = [];
  const engine = openEngine(
    { startId: 1, replay, outputBytes: 1 << 22, stagesEvery },
    {
      onFrame() {},
      onAsk: ({ instrument, ticket }) => asks.push({ instrument, ticket }),
      onSay() {},
      onFault: ({ code }) => faults.push(code),
    },
  );
  const symbols = new Map(
    engine
      .instruments()
      .filter(({ venue }) => venue === 'sim')
      .map(({ id, symbol }) => [id, symbol]),
  );
  const source = engine.openSource('sim', [...symbols.keys()]);
  let nowMs = START_MS;
  const answer = (): void => {
    for (const { instrument, ticket } of asks.splice(0)) {
      const bytes = simulator.snapshot(symbols.get(instrument) ?? '', 1000, buffer);
      engine.ingestSnapshot(instrument, ticket, buffer.slice(0, bytes));
    }
  };
  const messages = (count: number): void => {
    for (let left = count; left > 0; ) {
      const bytes = simulator.next(nowMs, buffer);
      if (bytes === 0) {
        nowMs += 10;
        engine.tick();
        answer();
        continue;
      }
      engine.ingest(source, buffer.subarray(0, bytes));
      answer();
      left -= 1;
    }
  };
  return { engine, source, messages, faults };
}

function told(engine: Engine): StageTimes {
  const times = engine.stageTimes();
  if (times === null) throw new Error('nothing is stamped');
  return times;
}

/** A stage of all messages. */
function of(times: StageTimes, stage: string) {
  const found = times.all.find((one) => one.stage === stage);
  if (found === undefined) throw new Error(stage);
  return found;
}

describe('stages of messages, by the addon', () => {
  it.each([1, 16, 100])('are stamped of one in %d, and add up', (every) => {
    const { engine, messages, faults } = rig(every);
    messages(10_000);
    const stamped = Math.floor(10_000 / every);
    const times = told(engine);
    expect(faults).toEqual([]);
    expect(times).toMatchObject({ every, stamped, unread: 0 });
    expect(['tsc', 'system']).toContain(times.clock);
    expect(times.all.map(({ stage }) => stage)).toEqual(STAGES);
    for (const stage of ['decoded', 'encoded', 'whole']) expect(of(times, stage).count).toBe(stamped);
    const { count } = of(times, 'sequenced');
    expect(count).toBeLessThan(stamped);
    expect(of(times, 'applied').count).toBeLessThanOrEqual(count);
    const parts = ['decoded', 'sequenced', 'applied', 'encoded'].map((stage) => of(times, stage).sumNs);
    expect(parts.reduce((sum, ns) => sum + ns, 0)).toBe(of(times, 'whole').sumNs);
    for (const { count: own, quantilesNs, maxNs, sumNs } of times.all) {
      if (own === 0) continue;
      expect([...quantilesNs].sort((a, b) => a - b)).toEqual(quantilesNs);
      expect(quantilesNs.at(-1)).toBeLessThanOrEqual(maxNs);
      expect(sumNs).toBeLessThanOrEqual(maxNs * own);
    }
    for (const { stage, counts } of times.counts) {
      expect(counts).toHaveLength(times.boundsNs.length + 1);
      expect(counts.reduce((sum, one) => sum + one, 0)).toBe(of(times, stage).count);
    }
    const own = times.instruments.map(
      ({ stages }) => stages.find(({ stage }) => stage === 'whole')?.count ?? 0,
    );
    expect(own.reduce((sum, one) => sum + one, 0)).toBe(stamped);
    engine.close();
  });

  it('are none where nobody asks for them, and the books and counters are the same', () => {
    const [plain, stamped] = [rig(), rig(1)];
    for (const { messages } of [plain, stamped]) messages(5_000);
    expect(plain.engine.stageTimes()).toBeNull();
    plain.engine.published();
    const digests = ({ engine }: typeof plain) =>
      engine
        .instruments()
        .filter(({ venue }) => venue === 'sim')
        .map(({ id }) => engine.digest(id));
    expect(digests(stamped)).toEqual(digests(plain));
    const { latency: _, mending: __, ...counted } = stamped.engine.stats();
    expect(plain.engine.stats()).toMatchObject(counted);
    for (const { engine } of [plain, stamped]) engine.close();
  });

  it('are published once, when that is said', () => {
    const { engine, messages } = rig(4);
    messages(2_000);
    expect(of(told(engine), 'published').count).toBe(0);
    engine.published();
    const { count } = of(told(engine), 'published');
    expect(count).toBeGreaterThan(100);
    expect(count).toBeLessThanOrEqual(500);
    engine.published();
    expect(of(told(engine), 'published').count).toBe(count);
    expect(told(engine).unpublished).toBe(0);
    engine.close();
  });

  it('of messages that cannot be read are counted, and those behind them are as ever', () => {
    const { engine, source, messages, faults } = rig(1);
    messages(1_000);
    for (let at = 0; at < 50; at++) {
      engine.ingest(source, new TextEncoder().encode('{"e":"depthUpdate","s":"BTCUSDT","U":'));
      messages(1);
    }
    expect(faults).toHaveLength(50);
    const times = told(engine);
    expect(times).toMatchObject({ stamped: 1_100, unread: 50 });
    expect(of(times, 'whole').count).toBe(1_050);
    engine.close();
  });

  it('are of what is received, not of recordings', () => {
    const { engine, source } = rig(1, true);
    const frame =
      '1700000000000 {"e":"trade","E":1700000000000,"s":"BTCUSDT","t":1,"p":"1","q":"1","T":1,"m":true}\n';
    engine.ingestRecording(source, new TextEncoder().encode(frame), 2n ** 63n, true);
    expect(told(engine)).toMatchObject({ stamped: 0 });
    engine.close();
  });

  it.each([-1, 0.5, 1_000_001])('are not of one in %d', (stagesEvery) => {
    expect(() => rig(stagesEvery)).toThrow(expect.objectContaining({ code: 'addon.not_an_integer' }));
  });
});

/** Families of a server's `/metrics`. */
async function families(url: string): Promise<ReadonlyMap<string, Family>> {
  return readOpenMetrics(await (await fetch(new URL('/metrics', url))).text());
}

describe('stages of messages, by a server', () => {
  it('stand in /metrics and /v1/stages once they are published', async () => {
    const config = { server: { port: 0 }, metrics: { stages: true, stagesEvery: 2 } } as const;
    await using served = await serveFeed({ source: simulatedVenue(7), config });
    const feed = connect(`${served.url}v1/feed`.replace('http', 'ws'));
    let frames = 0;
    for await (const book of feed.book('sim:BTCUSDT')) {
      frames += book.state === 'synced' ? 1 : 0;
      if (frames > 8) break;
    }
    feed.close();
    const answer = await fetch(`${served.url}v1/stages`);
    const all = stagesSchema.parse(await answer.json());
    expect(all).toMatchObject({ every: 2, unread: 0, unpublished: 0, instrumentsMax: 128 });
    expect(all.stages.map(({ stage }) => stage)).toEqual(STAGES);
    for (const { count, p50Ns, p9999Ns, maxNs } of all.stages) {
      expect(count).toBeGreaterThan(0);
      expect(p50Ns).toBeLessThanOrEqual(p9999Ns);
      expect(p9999Ns).toBeLessThanOrEqual(maxNs);
      expect(maxNs).toBeLessThan(10_000_000_000);
    }
    expect(all.instruments.length).toBeGreaterThan(1);
    const one = stagesSchema.parse(
      await (await fetch(`${served.url}v1/stages?instrument=sim:BTCUSDT`)).json(),
    );
    expect(one.instruments.map(({ instrument }) => instrument)).toEqual(['sim:BTCUSDT']);
    const unknown = await fetch(`${served.url}v1/stages?instrument=sim:NONE`);
    expect([unknown.status, await unknown.json()]).toMatchObject([
      404,
      { error: { code: 'feed.unknown_instrument' } },
    ]);
    const known = await families(served.url);
    expect(known.get('depthwire_stage_seconds')?.samples.length).toBe(5 * (26 + 2));
    expect(known.get('depthwire_message_seconds')?.samples.length).toBeLessThanOrEqual(4 * 7);
  });

  it('are nowhere when they are off, and the answer says how they are had', async () => {
    const server = await startServer();
    running.push(server);
    const answer = await fetch(`${server.url}/v1/stages`);
    const told = stagesSchema.parse(await answer.json());
    expect(told).toMatchObject({ every: 0, stages: [], fix: expect.stringContaining('--stages') });
    expect(
      [...(await families(server.url)).keys()].filter((name) => /stage|stamp|message_seconds/.test(name)),
    ).toEqual([]);
    expect(server.native.calls).not.toContain('published');
  });

  it('have none that is published where other processes have the clients', () => {
    const { engine, messages } = rig(1);
    messages(500);
    const stages = new StageReport(() => engine.stageTimes(), false).stages(0);
    if (stages === undefined) throw new Error('nothing is stamped');
    const out = new OpenMetrics();
    writeStages(out, stages, () => undefined);
    const written = readOpenMetrics(out.end());
    const samples = written.get('depthwire_stage_seconds')?.samples ?? [];
    expect(new Set(samples.map(({ labels }) => labels.get('stage')))).toEqual(
      new Set(['decoded', 'sequenced', 'applied', 'encoded']),
    );
    expect(written.has('depthwire_stamped_unpublished')).toBe(false);
    engine.close();
  });

  it('are asked for at most four times a second', () => {
    let asked = 0;
    const report = new StageReport(() => {
      asked += 1;
      return null;
    }, true);
    for (const nowMs of [0, 100, 249, 250, 499]) report.stages(nowMs);
    expect(asked).toBe(2);
  });
});
