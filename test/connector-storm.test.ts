import { setTimeout as pause } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { until } from './support/fake-venue.js';
import { leastRecovery } from './support/least-time.js';
import { codesOf, LIVE_PRODUCTS, LiveRig } from './support/live-rig.js';

const BOOKS = 200;
/** Limits of a minute are those of six seconds, so that the test is short: the order of things does not depend on it. */
const FASTER = 10;
/** Longer than the least time by this factor … */
const FACTOR_MAX = 1.2;
/** … and by what no limit asks for: the first pause of a lost connection, its handshake, and how long updates are waited for. */
const PAUSE_MS = 2000;
/** So much of a market's time passes: two hundred whole ones would be what is measured. */
const PACE = 0.25;
/** Levels of a snapshot. */
const LEVELS = 1000;

it.each(LIVE_PRODUCTS)(
  `${BOOKS} books of %s lose their connections at once, and are had again as fast as its limits allow`,
  async (name) => {
    const codes = codesOf(name, BOOKS);
    const rig = await LiveRig.start(name, codes, { quick: { limits: FASTER }, pace: PACE });
    try {
      const { facts, product, venue } = rig;
      const stream = product.sockets
        .flatMap(({ streams }) => streams)
        .find(({ channels }) => channels.includes('book'));
      if (stream === undefined) throw new Error(`${name} has no books`);
      const recovery = leastRecovery(facts, product, stream, BOOKS, LEVELS);
      await rig.synced(60_000);
      // What the beginning used of the limits is forgotten.
      const windows = [
        ...Object.values(facts.budgets),
        ...product.sockets.flatMap(({ limits }) => limits.connects ?? []),
      ];
      await pause(Math.max(1000, ...windows.map(({ windowMs }) => windowMs)));
      const before = venue.ledger.requests.length;
      venue.cutAll();
      const cutMs = performance.now();
      await until(() => rig.waiting().length === BOOKS, 20_000);
      await rig.synced(90_000);
      const tookMs = performance.now() - cutMs;
      const requests = venue.ledger.requests.slice(before);
      const count = (kind: string): number => requests.filter((request) => request.kind === kind).length;
      const bound = FACTOR_MAX * recovery.leastMs + PAUSE_MS;
      process.stdout.write(
        `${name}: ${BOOKS} books again after ${Math.round(tookMs)} ms; least ${Math.round(recovery.leastMs)} ms by ` +
          `${recovery.connections} connections, ${recovery.messages} messages, weight ${recovery.weight} ` +
          `(limits ${FASTER} times as fast; bound ${Math.round(bound)} ms); made ${count('connect')} connections, ` +
          `${count('message')} messages, ${count('http')} requests; beyond a limit ${venue.breaches().length}\n`,
      );
      expect(venue.breaches()).toEqual([]);
      expect(count('connect')).toBe(recovery.connections);
      expect(tookMs).toBeLessThan(bound);
      await rig.expectTrue();
    } finally {
      await rig.stop();
    }
  },
  240_000,
);
