import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { venues } from '../src/engine.js';
import { until } from './support/fake-venue.js';
import { bookOf, codesOf, LIVE_BOTH, LIVE_KEYED, LIVE_PRODUCTS, LiveRig } from './support/live-rig.js';

/** Lost frames where a loss shows in a later one only if that has to do with what was lost. */
const LATER_LOST = 20;

/** Levels a side that such venues' checksums cover: what was lost behind them shows when it comes among them. */
const CHECKED_LEVELS = 10;

/**
 * Each product that has a room, facts and a dialect, over real sockets against the fake venue, which holds it to its limits.
 * Products beside each other, as most of it is waiting.
 */
describe.concurrent.each(LIVE_PRODUCTS)('%s', (product) => {
  const codes = codesOf(product, 4);
  const [first = '', second = ''] = codes;
  const spec = venues().find(({ name }) => name === product);
  // Without a number and a checksum, a message that only changes a quantity is lost unseen.
  const showsLoss = spec?.detects === 'next' || spec?.hasChecksum === true;

  describe.sequential('a connection', () => {
    let rig: LiveRig;
    beforeAll(async () => {
      rig = await LiveRig.start(product, codes.slice(0, 3));
    });
    afterAll(() => rig.stop());
    afterEach(() => expect(rig.venue.breaches()).toEqual([]));

    it('subscribes, and its books are the venue’s own', async () => {
      await rig.expectTrue();
      expect(rig.venue.lines()).toHaveLength(1);
    });

    if (showsLoss)
      it('that loses a frame has its books mended', async () => {
        const channel = bookOf(rig.product);
        const lost = spec?.detects === 'next' ? 1 : LATER_LOST;
        for (let at = 1; at <= lost; at += 1) rig.venue.faults.add({ kind: 'drop', at, channel });
        const total = (): number =>
          [...rig.ids.values()].reduce((sum, id) => sum + rig.engine.book(id).losses, 0);
        await until(() => rig.venue.faults.happened.get('drop') === lost && total() > 0);
        await rig.expectTrue(spec?.detects === 'next' ? undefined : CHECKED_LEVELS);
        expect(total()).toBeGreaterThan(0);
      });

    it('that breaks leaves its books stale at once, and is made again', async () => {
      rig.venue.cutAll();
      await until(() => rig.waiting().length === 3);
      expect(rig.faults.at(-1)).toMatchObject({ code: 'live.connection' });
      await rig.expectTrue();
      expect(rig.connector.status().map(({ reconnects }) => reconnects)).toEqual([1]);
    });

    it('takes another instrument, and leaves one, while the others go on', async () => {
      const [, , third = '', fourth = ''] = codes;
      const before = rig.engine.book(rig.id(first));
      rig.venue.market(product)?.list(fourth);
      rig.add([fourth]);
      rig.remove(third);
      await rig.synced();
      await until(() => rig.venue.hearings(third).length === 0);
      await rig.expectTrue();
      expect(rig.engine.book(rig.id(first))).toMatchObject({ epoch: before.epoch, losses: before.losses });
      expect(rig.connector.status().map(({ reconnects }) => reconnects)).toEqual([1]);
    });
  });

  describe.sequential('with its time running faster', () => {
    let rig: LiveRig | undefined;
    afterEach(async () => {
      await rig?.stop();
      rig = undefined;
    });

    it('beats as the venue wants it, and is left alone', async () => {
      const quick = { beat: { everyMs: 600, deadMs: 2000 } };
      rig = await LiveRig.start(product, [first], { quick });
      await rig.synced();
      await pause(3000);
      await rig.expectTrue();
      expect(rig.connector.status().map(({ reconnects }) => reconnects)).toEqual([0]);
      expect(rig.faults.map(({ code, got }) => `${code} ${got}`)).toEqual([]);
      expect(
        rig.venue.ledger.requests.filter(({ kind }) => kind === 'message').length,
      ).toBeGreaterThanOrEqual(4);
    });

    it('notices a connection that is open and silent', async () => {
      rig = await LiveRig.start(product, [first, second], {
        quick: { beat: { everyMs: 600, deadMs: 2000 } },
      });
      await rig.synced();
      const silentMs = performance.now();
      rig.venue.faults.add({ kind: 'stall', at: 1 });
      const of = rig;
      await until(() => of.faults.some(({ got }) => got.startsWith('silent')));
      expect(performance.now() - silentMs).toBeLessThan(4000);
      expect(of.waiting()).toHaveLength(2);
      await of.expectTrue();
    });

    it('has a successor before the venue ends it, and no book is stale for a moment', async () => {
      rig = await LiveRig.start(product, [first, second], { quick: { lifeMs: 20_000 } });
      const of = rig;
      if (of.product.sockets[0]?.limits.lifeMs === null) return;
      await of.synced();
      const losses = (): readonly number[] => [...of.ids.values()].map((id) => of.engine.book(id).losses);
      const before = losses();
      await until(() => of.venue.lines().length === 2, 25_000);
      await until(() => of.venue.lines().length === 1);
      await pause(500);
      expect(losses()).toEqual(before);
      expect(of.faults.map(({ got }) => got)).toEqual([]);
      await of.expectTrue();
    }, 60_000);
  });

  describe.sequential('a venue that refuses', () => {
    let rig: LiveRig | undefined;
    afterEach(async () => {
      await rig?.stop();
      rig = undefined;
    });

    it('connections is asked again, and not before it says so', async () => {
      rig = await LiveRig.start(product, [first], { faults: [{ kind: 'connect-refused', at: 1, ms: 2000 }] });
      const of = rig;
      await until(() => of.venue.ledger.requests.filter(({ kind }) => kind === 'connect').length === 1);
      await pause(1500);
      expect(of.venue.ledger.requests.filter(({ kind }) => kind === 'connect')).toHaveLength(1);
      expect(of.faults.at(-1)?.got).toContain('HTTP status 503');
    });

    it('requests is left alone for as long as it says', async () => {
      rig = await LiveRig.start(product, [first, second], {
        faults: [{ kind: 'answer-429', at: 1, ms: 2000 }],
      });
      await rig.expectTrue();
      const requests = rig.venue.ledger.requests.filter(({ kind }) => kind === 'http');
      if (rig.product.snapshot === null) {
        expect(requests).toEqual([]);
        return;
      }
      const [refused, next] = requests;
      const between = requests.filter(({ atMs }) => atMs < (refused?.atMs ?? 0) + 1900);
      expect(between.length).toBeLessThanOrEqual(2);
      expect(next).toBeDefined();
      expect(requests.at(-1)?.atMs ?? 0).toBeGreaterThan((refused?.atMs ?? 0) + 1900);
    });

    const answers = [
      'answer-500',
      'answer-html',
      'answer-truncate',
      'answer-cut',
      'answer-other',
      'answer-old',
      'answer-refused',
    ] as const;
    it('a book its snapshot, or sends a wrong one, has it right in the end', async () => {
      const faults = answers.map((kind, at) => ({ kind, at: 2 * at + 1 }));
      rig = await LiveRig.start(product, [first, second], { faults });
      if (rig.product.snapshot === null) return;
      await rig.synced(60_000);
      await rig.expectTrue();
    }, 90_000);
  });

  if (LIVE_BOTH.includes(product))
    it('hears books of orders as well, and has one mended that loses a frame', async () => {
      const rig = await LiveRig.start(product, [first, second], { channels: ['orders'] });
      try {
        await rig.expectTrue();
        rig.venue.faults.add({ kind: 'drop', at: 1, channel: 'orders' });
        await until(() => rig.engine.book(rig.id(first)).losses + rig.engine.book(rig.id(second)).losses > 0);
        await rig.expectTrue();
        expect(rig.venue.breaches()).toEqual([]);
      } finally {
        await rig.stop();
      }
    });

  const keyed = LIVE_KEYED.find(({ name }) => name === product);
  if (keyed === undefined) return;
  describe.sequential('with a key', () => {
    let rig: LiveRig | undefined;
    afterEach(async () => {
      await rig?.stop();
      rig = undefined;
    });

    it('logs in, and what it hears is the venue’s own', async () => {
      rig = await LiveRig.start(product, [first, second], { channels: keyed.channels, hasKey: true });
      await rig.expectTrue();
      expect(rig.venue.breaches()).toEqual([]);
    });

    it('that the venue does not take says so, and does not insist', async () => {
      const faults = [{ kind: 'login-refused', at: 1, every: 1 }] as const;
      rig = await LiveRig.start(product, [first], { channels: keyed.channels, hasKey: true, faults });
      const of = rig;
      await until(() => of.faults.length > 0);
      await pause(1500);
      expect(of.venue.faults.happened.get('login-refused')).toBeLessThanOrEqual(3);
      expect(of.state(first)).toBe('syncing');
    });
  });
});
