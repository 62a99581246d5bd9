import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { type Serving, startServing } from '../src/cli/serve.js';
import { type ConfigInput, configFrom } from '../src/config.js';
import { type BookSubscription, connect, type Feed } from '../src/wire/index.js';
import { linesOf, textOf } from './support/damage.js';
import { simulatedRecording } from './support/recording.js';
import { hasRecordings, RECORDED, RECORDED_SETS } from './support/recordings.js';
import { digestOfLocal, SpotOracle } from './support/spot-oracle.js';

const folder = mkdtempSync(join(tmpdir(), 'depthwire-end-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Ends what a test has opened, in turn, also when it has failed. */
const endings: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

/** What is served, and what its book must come to. */
interface Served {
  readonly files: readonly string[];
  readonly instrument: string;
  readonly applied: number;
  readonly digest: string;
  readonly overrides?: ConfigInput['instruments'];
}

const simulated = linesOf(simulatedRecording('BTCUSDT', 60_000));
const simulatedFile = join(folder, 'simulated');
writeFileSync(simulatedFile, textOf(simulated));
const oracle = SpotOracle.of(simulated);
const TWIN: Served = {
  files: [simulatedFile],
  instrument: 'sim:BTCUSDT',
  applied: oracle.applied,
  digest: oracle.digest,
  overrides: [{ name: 'sim:BTCUSDT' }],
};

/** Serves a recording at full speed. What the replay would do wrong is an error of the test. */
async function serve(set: Served, loop: boolean): Promise<Serving> {
  const config = configFrom({
    port: 0,
    drainMs: 300,
    instruments: [...(set.overrides ?? [])],
    replay: { files: [...set.files], speed: 'max', loop },
    limits: { slowMs: 60_000 },
  });
  const serving = await startServing(config, new Map(), (line) => {
    throw new Error(line);
  });
  endings.push(() => serving.stop('test is over'));
  return serving;
}

/** Lets the replay go on only while `gate` is open: between two chunks it asks whether a reader is behind. */
function gateOf(serving: Serving, gate: () => boolean): void {
  const pressed = serving.server.pressed.bind(serving.server);
  vi.spyOn(serving.server, 'pressed').mockImplementation(() => !gate() || pressed());
}

async function until(condition: () => boolean, what: string): Promise<void> {
  for (const late = performance.now() + 25_000; !condition(); await pause(1)) {
    if (performance.now() > late) throw new Error(`no ${what}`);
  }
}

function idOf({ engine }: Serving, name: string): number {
  return engine.instruments().find((instrument) => instrument.name === name)?.id ?? 0;
}

function feedOf({ port }: Serving): Feed {
  const feed = connect(`ws://127.0.0.1:${port}/v1/feed`);
  endings.push(() => feed.close());
  return feed;
}

/** The sequence of the first content that a subscription ever held, which is its image's. */
function firstSeqOf(subscription: BookSubscription): () => number {
  let first = 0;
  subscription.on('update', ({ seq }) => {
    first ||= seq;
  });
  return () => first;
}

function expectSound(feed: Feed): void {
  expect(feed.counters).toMatchObject({ gaps: 0, checkFailures: 0, resyncs: 0, reconnects: 0 });
  // The image's check is one; the others came with the check frames.
  expect(feed.counters.checks).toBeGreaterThan(1);
}

/**
 * One client from the first frame on, one that joins while the replay rests behind the chunk that brought the first
 * client to half of all updates. Both must end with the engine's book.
 */
async function twoClientsEndExact(set: Served): Promise<void> {
  const serving = await serve(set, false);
  const { engine, source } = serving;
  const id = idOf(serving, set.instrument);
  const feeds = [feedOf(serving), feedOf(serving)] as const;
  const early = feeds[0].book(set.instrument);
  const joinAt = set.applied >> 1;
  let late: BookSubscription | undefined;
  let lateFirstSeq = (): number => 0;
  let restedAt = 0n;
  gateOf(serving, () => {
    if (early.granted === undefined) return false;
    if (late !== undefined) return lateFirstSeq() > 0;
    const { seq } = engine.book(id);
    if (BigInt(early.book.seq) < seq) return false;
    if (early.book.seq < joinAt) return true;
    restedAt = seq;
    late = feeds[1].book(set.instrument);
    lateFirstSeq = firstSeqOf(late);
    return false;
  });
  const earlyFirstSeq = firstSeqOf(early);
  await source.ended;
  const { seq, state } = engine.book(id);
  expect(state).toBe('synced');
  expect(engine.digest(id)).toBe(set.digest);

  expect(earlyFirstSeq()).toBe(1);
  expect(lateFirstSeq()).toBe(Number(restedAt));
  expect(lateFirstSeq()).toBeGreaterThanOrEqual(joinAt);
  expect(lateFirstSeq()).toBeLessThan(Number(seq));
  for (const subscription of [early, late]) {
    await until(() => subscription?.book.seq === Number(seq), `book at ${seq}`);
    expect(subscription?.state).toBe('synced');
    expect(subscription && digestOfLocal(subscription.book)).toBe(set.digest);
  }
  for (const feed of feeds) expectSound(feed);
}

/** What a client sees of a loop: its states with the epoch and the digest that it holds at that moment. */
async function loopsAreExact(set: Served): Promise<void> {
  const serving = await serve(set, true);
  const feed = feedOf(serving);
  const subscription = feed.book(set.instrument);
  const seen: string[] = [];
  const epochs: bigint[] = [];
  let updatesWhileNotSynced = 0;
  subscription.on('update', (book) => {
    if (book.state !== 'synced') updatesWhileNotSynced += 1;
    if (book.epoch === epochs.at(-1)) return;
    epochs.push(book.epoch);
    seen.push(`image at ${book.seq}`);
  });
  subscription.on('state', ({ state }) => {
    if (epochs.length === 0) return;
    // What is held when the boundary comes is the end of a round.
    seen.push(state === 'syncing' ? `syncing at ${digestOfLocal(subscription.book)}` : state);
  });
  const ends = (): number => seen.filter((what) => what.startsWith('syncing')).length;
  gateOf(serving, () => subscription.granted !== undefined && ends() < 2);
  await until(() => ends() >= 2, 'second end');
  expect(seen.slice(0, 6)).toEqual([
    'image at 1',
    'synced',
    `syncing at ${set.digest}`,
    'image at 1',
    'synced',
    `syncing at ${set.digest}`,
  ]);
  expect(epochs.length).toBe(2);
  expect(epochs[1]).toBeGreaterThan(epochs[0] ?? 0n);
  expect(updatesWhileNotSynced).toBe(0);
  expectSound(feed);
}

const sets = RECORDED_SETS.map((set) => [set.title, set] as const);

describe('a replay over a socket', () => {
  it.skipIf(!hasRecordings).each(sets)(
    `of %s ends exact at two clients, one of which joined in its middle ${RECORDED}`,
    async (_title, set) => twoClientsEndExact(set),
  );

  it('of simulated data ends exact at two clients, one of which joined in its middle', async () =>
    twoClientsEndExact(TWIN));

  it.skipIf(!hasRecordings).each(sets)(
    `of %s in a loop ends each round with the same book, in a new epoch ${RECORDED}`,
    async (_title, set) => loopsAreExact(set),
  );

  it('of simulated data in a loop ends each round with the same book, in a new epoch', async () =>
    loopsAreExact(TWIN));
});
