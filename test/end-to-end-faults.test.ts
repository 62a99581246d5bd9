import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { channel } from '../src/wire/index.js';
import { dropped, healed, linesOf, placeOf, textOf } from './support/damage.js';
import { simulatedRecording } from './support/recording.js';
import { ServedRecording, until } from './support/served-recording.js';
import { digestOfLocal, messageOf, SpotOracle } from './support/spot-oracle.js';

const folder = mkdtempSync(join(tmpdir(), 'depthwire-faults-'));
afterAll(() => rmSync(folder, { recursive: true }));

const NAME = 'sim:BTCUSDT';

it('a gap of the venue reaches clients as stale, and no update until the image of a new epoch', async () => {
  const lines = linesOf(simulatedRecording('BTCUSDT', 30_000));
  const oracle = SpotOracle.of(lines);
  const lost = placeOf(lines, 'depth', 100);
  const revealed = placeOf(lines, 'depth', 101);
  const later = placeOf(lines, 'depth', 120);
  const heals = placeOf(lines, 'depth', 150);
  // The replay rests between files: within the gap, and before the snapshot that ends it.
  const damaged = dropped(healed(lines, heals, lines.slice(0, heals)), lost);
  const parts = [damaged.slice(0, later), damaged.slice(later, heals - 1), damaged.slice(heals - 1)];
  expect(parts[2]?.[0]).toContain('"lastUpdateId"');
  const files = parts.map((part, index) => {
    const path = join(folder, `part-${index}`);
    writeFileSync(path, textOf(part));
    return path;
  });

  await using served = await ServedRecording.start(files, NAME);
  const { engine, source, port } = served.serving;
  const feed = served.client();
  const subscription = feed.book(NAME);
  const status = feed.subscribe(channel.status, NAME);
  const trades = feed.subscribe(channel.trades, NAME);
  const joining = served.client();

  const events: string[] = [];
  const epochs: bigint[] = [];
  const note = (event: string): void => {
    if (events.at(-1) !== event) events.push(event);
  };
  let updatesBeforeImage = 0;
  let mayUpdate = true;
  subscription.on('update', (book) => {
    const isImage = book.epoch !== epochs.at(-1);
    if (isImage) epochs.push(book.epoch);
    if (!mayUpdate && !isImage) updatesBeforeImage += 1;
    mayUpdate = true;
    note(isImage ? `image at ${book.seq}` : 'update');
  });
  subscription.on('state', ({ state, reason }) => {
    mayUpdate = state === 'synced';
    note(`${state} ${reason}`);
  });
  const gapsOfTrades: string[] = [];
  trades.on('gap', ({ reason }) => gapsOfTrades.push(reason));
  let tradesWhileStale = 0;
  trades.on('update', () => {
    if (subscription.state === 'stale') tradesWhileStale += 1;
  });

  /** States and epochs as a loop sees them, each once. */
  const looped: string[] = [];
  let heldWhileStale = '';
  const loop = (async () => {
    for await (const book of subscription) {
      const seen = `${book.state} ${epochs.indexOf(book.epoch)}`;
      if (looped.at(-1) !== seen) looped.push(seen);
      if (book.state === 'stale') heldWhileStale = digestOfLocal(book);
    }
  })();

  let resting = false;
  let goOn = false;
  served.gate(() => {
    if (looped.length === 0 || trades.granted === undefined || status.granted === undefined) return false;
    if (looped.at(-1) !== 'stale 0') return true;
    resting = true;
    return goOn;
  });

  await until(() => resting, 'rest within the gap');
  expect(engine.book(served.id)).toMatchObject({ state: 'stale', reason: 'gap' });
  expect(status.status).toMatchObject({
    state: 'stale',
    reason: 'gap',
    expected: BigInt(messageOf(lines[lost] ?? '').U),
    received: BigInt(messageOf(lines[revealed] ?? '').U),
  });
  // The last content stays readable, exact at its own sequence.
  expect(heldWhileStale).toBe(SpotOracle.of(lines.slice(0, lost)).digest);
  const answer = (await (await fetch(`http://127.0.0.1:${port}/v1/book/${NAME}`)).json()) as object;
  expect(answer).toMatchObject({ state: 'stale', reason: 'gap', epoch: String(epochs[0]) });
  const joined = joining.book(NAME);
  const joinedSeqs: number[] = [];
  joined.on('update', ({ seq }) => joinedSeqs.push(seq));
  await until(() => joined.reason === 'gap', 'status of the gap');
  expect(joined.granted).toMatchObject({ state: 'stale', reason: 'gap' });
  expect(joinedSeqs).toEqual([]);
  goOn = true;

  await source.ended;
  const { seq, epoch } = engine.book(served.id);
  for (const { book } of [subscription, joined]) {
    await until(() => book.epoch === epoch && BigInt(book.seq) === seq, `book at ${seq}`);
    expect(book.state).toBe('synced');
    expect(digestOfLocal(book)).toBe(engine.digest(served.id));
    expect(digestOfLocal(book)).toBe(oracle.digest);
  }
  expect(joinedSeqs[0]).toBe(1);
  expect(events).toEqual([
    'syncing none',
    'image at 1',
    'synced none',
    'update',
    'stale gap',
    'image at 1',
    'synced none',
    'update',
  ]);
  expect(updatesBeforeImage).toBe(0);
  expect(epochs).toEqual([epochs[0], (epochs[0] ?? 0n) + 1n]);
  expect(tradesWhileStale).toBeGreaterThan(0);
  expect(engine.stats()).toMatchObject({ gaps: 1, resyncs: 1 });
  // The feed itself lost nothing, so the client had nothing to ask for. A new epoch is told to who counts trades.
  expect(gapsOfTrades).toEqual(['reset', 'reset']);
  expect(feed.counters).toMatchObject({ gaps: 2, checkFailures: 0, resyncs: 0, reconnects: 0 });
  subscription.close();
  await loop;
  expect(looped).toEqual(['syncing -1', 'synced 0', 'stale 0', 'synced 1']);
});
