import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { BookSubscription, Feed } from '../src/wire/index.js';
import { linesOf, textOf } from './support/damage.js';
import { simulatedRecording } from './support/recording.js';
import { hasRecordings, RECORDED, RECORDED_SETS, type RecordedSet } from './support/recordings.js';
import { ServedRecording, until } from './support/served-recording.js';
import { digestOfLocal, SpotOracle } from './support/spot-oracle.js';

const folder = mkdtempSync(join(tmpdir(), 'depthwire-end-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** What is served, and what its book must come to. */
type Served = Pick<RecordedSet, 'files' | 'instrument' | 'applied' | 'digest'>;

const simulated = linesOf(simulatedRecording('BTCUSDT', 60_000));
const simulatedFile = join(folder, 'simulated');
writeFileSync(simulatedFile, textOf(simulated));
const { applied, digest } = SpotOracle.of(simulated);
const TWIN: Served = { files: [simulatedFile], instrument: 'sim:BTCUSDT', applied, digest };

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
  await using served = await ServedRecording.start(set.files, set.instrument);
  const { engine, source } = served.serving;
  const feeds = [served.client(), served.client()] as const;
  const early = feeds[0].book(set.instrument);
  const earlyFirstSeq = firstSeqOf(early);
  const joinAt = set.applied >> 1;
  let late: BookSubscription | undefined;
  let lateFirstSeq = (): number => 0;
  let restedAt = 0n;
  served.gate(() => {
    if (early.granted === undefined) return false;
    if (late !== undefined) return lateFirstSeq() > 0;
    const { seq } = engine.book(served.id);
    if (BigInt(early.book.seq) < seq) return false;
    if (early.book.seq < joinAt) return true;
    restedAt = seq;
    late = feeds[1].book(set.instrument);
    lateFirstSeq = firstSeqOf(late);
    return false;
  });
  await source.ended;
  const { seq, state } = engine.book(served.id);
  expect(state).toBe('synced');
  expect(engine.digest(served.id)).toBe(set.digest);

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

/** What a client sees of a loop: images and states, and the digest of what it holds when the boundary comes. */
async function loopsAreExact(set: Served): Promise<void> {
  await using served = await ServedRecording.start(set.files, set.instrument, { loop: true });
  const feed = served.client();
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
    seen.push(state === 'syncing' ? `syncing at ${digestOfLocal(subscription.book)}` : state);
  });
  const rounds = (): number => seen.filter((what) => what.startsWith('syncing')).length;
  served.gate(() => subscription.granted !== undefined && rounds() < 2);
  await until(() => rounds() >= 2, 'end of a second round');
  const round = ['image at 1', 'synced', `syncing at ${set.digest}`];
  expect(seen).toEqual([...round, ...round]);
  expect(epochs[1]).toBeGreaterThan(epochs[0] ?? 0n);
  expect(updatesWhileNotSynced).toBe(0);
  expectSound(feed);
}

/** Lines as a recorder writes them that notes addresses, which say whose a snapshot is. By time. */
function captured(recordings: Readonly<Record<string, readonly string[]>>): string {
  const all = Object.entries(recordings).flatMap(([symbol, lines]) =>
    lines.map((line) => {
      const [ns = '', frame = ''] = line.trimEnd().split(/ (.*)/s);
      const seconds = `${ns.slice(0, -9)}.${ns.slice(-9)}`;
      const isAnswer = frame.startsWith('{"lastUpdateId"');
      const address = isAnswer ? `https://venue.example/api/v3/depth?symbol=${symbol}&limit=1000 -> ` : '';
      return { ns: BigInt(ns), text: `${address}${seconds}: ${frame}\n` };
    }),
  );
  return all
    .toSorted((one, other) => Number(one.ns - other.ns))
    .map(({ text }) => text)
    .join('');
}

const mixedFile = join(folder, 'mixed');
const other = linesOf(simulatedRecording('ETHUSDT', 60_000));
writeFileSync(mixedFile, captured({ BTCUSDT: simulated, ETHUSDT: other }));

const sets = RECORDED_SETS.map((set) => [set.title, set] as const);

describe('a replay over a socket', () => {
  it.skipIf(!hasRecordings).each(sets)(
    `of %s ends exact at two clients, one of which joined in its middle ${RECORDED}`,
    (_title, set) => twoClientsEndExact(set),
  );

  it('of simulated data ends exact at two clients, one of which joined in its middle', () =>
    twoClientsEndExact(TWIN));

  it('of one instrument among several ends exact, the others’ lines left out', () =>
    twoClientsEndExact({ ...TWIN, files: [mixedFile] }));

  it.skipIf(!hasRecordings).each(sets)(
    `of %s in a loop ends each round with the same book, in a new epoch ${RECORDED}`,
    (_title, set) => loopsAreExact(set),
  );

  it('survives a pause that a live venue would be called silent for', async () => {
    const half = simulated.length >> 1;
    const late = (line: string): string =>
      line.replace(/^\d+/, (ns) => String(BigInt(ns) + 3_600_000_000_000n));
    const file = join(folder, 'paused');
    writeFileSync(file, textOf([...simulated.slice(0, half), ...simulated.slice(half).map(late)]));
    await using served = await ServedRecording.start([file], TWIN.instrument);
    const { engine, source } = served.serving;
    await source.ended;
    expect(engine.book(served.id).state).toBe('synced');
    expect(engine.digest(served.id)).toBe(digest);
  });

  it('ends with a depth view at the book’s top, however long its interval was', async () => {
    await using served = await ServedRecording.start([simulatedFile], TWIN.instrument);
    const { engine, source } = served.serving;
    const feed = served.client();
    const view = feed.depth(TWIN.instrument, { depth: 5, intervalMs: 1000 });
    const book = feed.book(TWIN.instrument);
    served.gate(() => view.granted !== undefined && book.granted !== undefined);
    await source.ended;
    const { seq } = engine.book(served.id);
    await until(() => book.book.seq === Number(seq), `book at ${seq}`);
    const top = JSON.stringify(book.book.depth(5));
    await until(() => JSON.stringify(view.book.depth(5)) === top, `view at ${top}`);
    expect(view.state).toBe('synced');
  });

  it('of simulated data in a loop ends each round with the same book, in a new epoch', () =>
    loopsAreExact(TWIN));
});
