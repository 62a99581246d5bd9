import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { TickTimer } from '../src/tick-timer.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A timer whose ticks are counted, and say what `waits` says. */
function counted() {
  const state = { ticks: 0, waits: false };
  const timer = new TickTimer(() => {
    state.ticks += 1;
    return state.waits;
  });
  const ticksIn = (ms: number): number => {
    const before = state.ticks;
    vi.advanceTimersByTime(ms);
    return state.ticks - before;
  };
  return { state, timer, ticksIn };
}

it('ticks every 10 ms while something waits, and every 50 ms while nothing does', () => {
  const { state, timer, ticksIn } = counted();
  state.waits = true;
  expect(ticksIn(1000)).toBe(100);
  state.waits = false;
  expect(ticksIn(10)).toBe(1);
  expect(ticksIn(49)).toBe(0);
  expect(ticksIn(1001)).toBe(21);
  timer.stop();
});

it('ticks within 10 ms when it has to hurry, once where nothing waits by then', () => {
  const { timer, ticksIn } = counted();
  ticksIn(10);
  expect(ticksIn(45)).toBe(0);
  timer.hurry();
  timer.hurry();
  expect(ticksIn(9)).toBe(0);
  expect(ticksIn(1)).toBe(1);
  expect(ticksIn(49)).toBe(0);
  timer.stop();
});

it('has no tick once it is stopped, whoever hurries', () => {
  const { timer, ticksIn } = counted();
  timer.stop();
  timer.hurry();
  expect(ticksIn(1000)).toBe(0);
});

it('tells how late it comes', async () => {
  vi.useRealTimers();
  const late: number[] = [];
  await new Promise<void>((resolve) => {
    const timer = new TickTimer((lateMs) => {
      late.push(lateMs);
      const untilMs = performance.now() + 40;
      while (late.length === 1 && performance.now() < untilMs);
      if (late.length === 2) {
        timer.stop();
        resolve();
      }
      return true;
    });
  });
  // 40 ms of 10 were taken by the one before.
  expect(late[1]).toBeGreaterThanOrEqual(29);
});
