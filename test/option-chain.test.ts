import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { startServing } from '../src/cli/serve.js';
import { configFrom } from '../src/config.js';
import { chainCodes } from '../src/fake-venue/codes.js';
import { connect, decimalText, OptionChain, type Signal, tickerNumber } from '../src/wire/index.js';
import { fakeVenue, until } from './support/fake-venue.js';

const OPTIONS = 44;

const closing: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** A chain of the fake venue, served. */
async function served(options: number, subscriptionsMax: number) {
  const codes = ['BTC-PERPETUAL', ...chainCodes(options, Date.now())];
  const venue = await fakeVenue({ deribit: codes });
  closing.push(() => venue.stop());
  const cacheDir = mkdtempSync(join(tmpdir(), 'depthwire-lists-'));
  closing.push(() => rmSync(cacheDir, { recursive: true }));
  const urls = Object.fromEntries(venue.hosts().map(({ venue: own, fake }) => [own, fake]));
  const config = configFrom({
    server: { port: 0, drainMs: 100 },
    limits: { subscriptionsMax },
    catalogue: { cacheDir },
    sources: { deribit: { instruments: ['*'], urls } },
  });
  const serving = await startServing(config, new Map(), () => {}, {});
  closing.push(() => serving.stop('test is over'));
  await until(() => serving.server.books().synced === codes.length, 60_000);
  const feed = connect(`http://127.0.0.1:${serving.port}`);
  closing.push(() => feed.close());
  return { venue, serving, feed };
}

const number = (row: Signal | undefined): number =>
  row === undefined ? Number.NaN : Number(decimalText(row.value, row.exponent));

it('codes of a chain are calls and puts of strikes around the money, each once, and end in the future', () => {
  const now = Date.UTC(2026, 11, 1);
  const codes = chainCodes(2000, now);
  expect(new Set(codes).size).toBe(2000);
  expect(codes.slice(0, 4)).toEqual([
    'BTC-4DEC26-63000-C',
    'BTC-4DEC26-63000-P',
    'BTC-4DEC26-62000-C',
    'BTC-4DEC26-62000-P',
  ]);
  expect(codes.at(-1)).toMatch(/^BTC-16APR27-\d+-P$/);
});

it('one subscription is a table by expiry and strike, with the venue’s volatilities and greeks and our own', {
  timeout: 90_000,
}, async () => {
  const { feed, venue } = await served(OPTIONS, 1000);
  const chain = new OptionChain(feed, 'deribit:BTC-*', { intervalMs: 100, signals: true });
  closing.push(() => chain.close());
  const all = () => chain.expiries.flatMap(({ rows }) => rows.flatMap(({ call, put }) => [call, put]));
  await until(() => {
    const options = all();
    const whole = options.filter((one) => one?.book?.state === 'synced' && one.ticker?.ticker !== undefined);
    return whole.length === OPTIONS && options.every((one) => one?.signals?.signals !== undefined);
  }, 30_000);
  // The perpetual fits, and is in no row.
  expect(chain.expiries).toHaveLength(1);
  const [expiry] = chain.expiries;
  if (expiry === undefined) throw new Error('no expiry');
  const strikes = expiry.rows.map(({ strike }) => strike);
  expect(strikes).toEqual([...strikes].sort((a, b) => a - b));
  expect(strikes).toHaveLength(OPTIONS / 2);
  const { forward = 0, smile, atTheMoney, riskReversal25, butterfly25 } = chain.measures(expiry);
  expect(forward).toBeGreaterThan(62_000);
  expect(smile).toHaveLength(OPTIONS / 2);
  expect(atTheMoney).toBeGreaterThan(0.5);
  expect(atTheMoney).toBeLessThan(0.54);
  expect(riskReversal25).toBeLessThan(0);
  expect(butterfly25).toBeGreaterThan(0);
  // What the dialect says of its book and what the core makes of that: apart by the moments at which they are told.
  // One that nobody bids for has no mid.
  for (const one of all()) {
    const { bid, ask } = one?.book?.top() ?? {};
    if (bid === undefined || ask === undefined)
      expect(one?.signals?.signal('mid_iv'), one?.instrument).toBeUndefined();
  }
  const near = expiry.rows.filter(({ strike }) => Math.abs(strike - forward) < 3000);
  expect(near.length).toBeGreaterThan(3);
  // Each is told at its own moments, and one that nobody bids for at the moment has no mid: as soon as all are there.
  const sides = near.flatMap(({ call, put }) => [call, put]);
  const apart = (name: 'delta' | 'mid_iv', field: 'deltaE9' | 'markIvE9') =>
    sides.map((one) =>
      Math.abs(number(one?.signals?.signal(name)) - (tickerNumber(one, field) ?? Number.NaN)),
    );
  let gaps: readonly number[] = [];
  await until(() => {
    gaps = [...apart('delta', 'deltaE9'), ...apart('mid_iv', 'markIvE9')];
    return gaps.every((gap) => Number.isFinite(gap));
  }, 20_000);
  expect(Math.max(...gaps), String(gaps)).toBeLessThan(0.03);
  expect(venue.breaches()).toEqual([]);
  // A book that is lost is seen to be so.
  await venue.stop();
  await until(() => all().every((one) => one?.book?.state === 'stale'), 20_000);
  expect(all().every((one) => one?.signals?.state !== 'synced')).toBe(true);
});

it('a server that allows too few subscriptions says so', { timeout: 60_000 }, async () => {
  const { feed } = await served(8, 12);
  const chain = new OptionChain(feed, 'deribit:BTC-*');
  closing.push(() => chain.close());
  const codes: string[] = [];
  chain.on('error', ({ code }) => codes.push(code));
  await until(() => codes.length > 0, 10_000);
  expect(codes).toContain('feed.subscriptions_full');
});
