import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LatencyMeter } from '../src/wire/latency.js';

/** The server's clock is so far ahead. */
const OFFSET = 5_000_000;

describe('latency between two clocks', () => {
  it('says nothing before a ping is answered and a frame has come', () => {
    const meter = new LatencyMeter();
    meter.record(OFFSET, 10);
    expect(meter.summary(10)).toBeUndefined();
    meter.pinged(0, 10, OFFSET + 5);
    expect(meter.summary(10)).toBeUndefined();
    meter.record(OFFSET + 10, 14);
    expect(meter.summary(14)).toMatchObject({ samples: 1 });
    meter.reset();
    expect(meter.summary(14)).toBeUndefined();
  });

  it('has an error that grows with the age of the ping, and shrinks with a better one', () => {
    const meter = new LatencyMeter();
    const errorAt = (nowMs: number): number => {
      // It took longer than the bounds reach, so it says nothing of them.
      meter.record(nowMs + OFFSET, nowMs + 60);
      const { samples, errorMs } = meter.summary(nowMs + 60) ?? { samples: 0, errorMs: Number.NaN };
      expect(samples).toBeGreaterThan(0);
      return errorMs;
    };
    meter.pinged(0, 10, OFFSET + 5);
    expect(errorAt(4)).toBeCloseTo(5, 1);
    expect(errorAt(100_000)).toBeCloseTo(5 + 20, 1);
    meter.pinged(200_000, 200_001, OFFSET + 200_000.5);
    expect(meter.summary(200_001)?.offsetMs).toBeCloseTo(OFFSET, 1);
  });

  it('knows earlier frames better by a later ping, which says what the offset was', () => {
    const meter = new LatencyMeter();
    // The way there took 50 ms, as while a page loads.
    meter.pinged(0, 50, OFFSET + 50);
    meter.record(OFFSET + 52, 60);
    expect(meter.summary(60)?.errorMs).toBeGreaterThan(20);
    meter.pinged(1000, 1002, OFFSET + 1001);
    const summary = meter.summary(1002);
    expect(summary?.errorMs).toBeLessThan(1.5);
    expect(Math.abs((summary?.p50Ms ?? 99) - 8)).toBeLessThan(1.5);
  });

  it('is never below 0: a frame that came before it was sent says that the clocks stand otherwise', () => {
    const meter = new LatencyMeter();
    // All of the way there took 10 ms, the way back none: the middle is 5 ms off.
    meter.pinged(0, 10, OFFSET + 10);
    meter.record(OFFSET + 20, 20);
    const summary = meter.summary(20);
    expect(summary?.minMs).toBeGreaterThanOrEqual(0);
    expect(Math.abs((summary?.p50Ms ?? 99) - 0)).toBeLessThanOrEqual((summary?.errorMs ?? 0) + 1e-9);
  });

  it('drops what was measured when a clock is set', () => {
    const meter = new LatencyMeter();
    meter.pinged(0, 10, OFFSET + 5);
    meter.record(OFFSET + 20, 30);
    meter.pinged(1000, 1010, OFFSET + 60_000 + 1005);
    expect(meter.summary(1010)).toBeUndefined();
    meter.record(OFFSET + 60_000 + 1020, 1024);
    expect(meter.summary(1024)?.p50Ms).toBeLessThan(20);
  });

  it('holds the truth within its error, whatever the ways and the drift', () => {
    const ways = fc.record({
      there: fc.double({ min: 0, max: 50, noNaN: true }),
      back: fc.double({ min: 0, max: 50, noNaN: true }),
      frame: fc.double({ min: 0, max: 50, noNaN: true }),
      pause: fc.double({ min: 0, max: 5_000, noNaN: true }),
    });
    fc.assert(
      fc.property(
        fc.array(ways, { minLength: 1, maxLength: 60 }),
        fc.double({ min: -1e-4, max: 1e-4, noNaN: true }),
        (turns, drift) => {
          const meter = new LatencyMeter();
          const serverAt = (ms: number): number => OFFSET + ms * (1 + drift);
          let now = 0;
          for (const { there, back, frame, pause } of turns) {
            meter.pinged(now, now + there + back, serverAt(now + there));
            now += there + back + pause;
            const one = new LatencyMeter();
            Object.assign(one, { low: Reflect.get(meter, 'low'), high: Reflect.get(meter, 'high') });
            Object.assign(one, { atMs: Reflect.get(meter, 'atMs') });
            for (const each of [meter, one]) each.record(serverAt(now), now + frame);
            const { p50Ms, errorMs } = one.summary(now + frame) ?? { p50Ms: Number.NaN, errorMs: 0 };
            expect(p50Ms).toBeGreaterThanOrEqual(0);
            expect(Math.abs(p50Ms - frame)).toBeLessThanOrEqual(errorMs + 1e-6);
            now += frame;
          }
        },
      ),
    );
  });
});
