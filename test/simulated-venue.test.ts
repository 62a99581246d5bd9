import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, expect, it, vi } from 'vitest';
import { SimulatedVenue } from '../src/ingest/simulated-venue.js';
import { FakeNative, fakeEngine } from './support/fake-engine.js';

afterEach(() => void vi.useRealTimers());

it.each([
  ['back', -3_600_000],
  ['forward', 3_600_000],
])('goes on when the wall clock steps %s an hour', async (_way, stepMs) => {
  const startMs = Date.now();
  const asked: number[] = [];
  const market = {
    symbols: () => ['BTCUSDT'],
    next: (nowMs: number) => {
      asked.push(nowMs);
      return 0;
    },
    snapshot: () => 0,
  };
  const venue = new SimulatedVenue(market, startMs);
  venue.open({ ...fakeSink(), nextNs: 0n });
  venue.start();
  await pause(60);
  vi.useFakeTimers({ toFake: ['Date'], now: startMs + stepMs });
  const before = asked.length;
  await pause(60);
  await venue.stop();
  expect(before).toBeGreaterThan(0);
  expect(asked.length).toBeGreaterThan(before);
  const steps = asked.slice(1).map((nowMs, at) => nowMs - (asked[at] ?? 0));
  expect(Math.min(...steps)).toBeGreaterThanOrEqual(0);
  expect((asked.at(-1) ?? 0) - startMs).toBeGreaterThanOrEqual(100);
  expect(Math.max(...asked) - startMs).toBeLessThan(60_000);
});

function fakeSink() {
  const engine = fakeEngine({}, new FakeNative());
  return {
    instruments: () => engine.instruments(),
    openSource: (venue: string, instruments: readonly number[]) => engine.openSource(venue, instruments),
    openRecorded: () => -1,
    ingest: () => {},
    ingestSnapshot: () => {},
    snapshotFailed: () => {},
    ingestRecording: () => 0,
    resetSource: () => {},
    hold: () => {},
    release: () => {},
    recordedNs: 0n,
    sourceFailed: () => {},
    sourceEnded: () => {},
    expectOthers: () => {},
  };
}
