import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { type Pace, TickTimer } from '../src/tick-timer.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A timer whose ticks are counted, and name the pace of `state`. */
function counted() {
  const state: { ticks: number; pace: Pace } = { ticks: 0, pace: 'rest' };
  const timer = new TickTimer(() => {
    state.ticks += 1;
    return state.pace;
  });
  const ticksIn = (ms: number): number => {
    const before = state.ticks;
    vi.advanceTimersByTime(ms);
    return state.ticks - before;
  };
  return { state, timer, ticksIn };
}

it('ticks at the pace that the tick before has named', () => {
  const { state, timer, ticksIn } = counted();
  state.pace = 'soon';
  expect(ticksIn(1000)).toBe(100);
  state.pace = 'steady';
  expect(ticksIn(10)).toBe(1);
  expect(ticksIn(1000)).toBe(20);
  state.pace = 'rest';
  expect(ticksIn(50)).toBe(1);
  expect(ticksIn(99)).toBe(0);
  expect(ticksIn(1001)).toBe(11);
  timer.stop();
});

it('ticks within 10 ms when it has to hurry, once where nothing waits by then', () => {
  const { timer, ticksIn } = counted();
  ticksIn(10);
  expect(ticksIn(95)).toBe(0);
  timer.hurry();
  timer.hurry();
  expect(ticksIn(9)).toBe(0);
  expect(ticksIn(1)).toBe(1);
  expect(ticksIn(99)).toBe(0);
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
      return 'soon';
    });
  });
  // 40 ms of 10 were taken by the one before.
  expect(late[1]).toBeGreaterThanOrEqual(29);
});
