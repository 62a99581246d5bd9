/** Something that was to happen later. */
export interface Timer {
  cancel(): void;
}

/** Time, so that tests can drive it. */
export interface Clock {
  /** Runs on evenly, in ms since some moment. */
  nowMs(): number;
  /** Ms since 1970, as the machine's clock is set. */
  wallMs(): number;
  /** Calls once, in a later turn and not before its time. */
  after(ms: number, call: () => void): Timer;
}

/** The longest time that Node's timers take. */
const TIMER_MS_MAX = 2 ** 31 - 1;

export const SYSTEM_CLOCK: Clock = {
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
  after: (ms, call) => {
    const dueMs = performance.now() + ms;
    let timer: NodeJS.Timeout;
    // Node's timers may be early by a part of a millisecond, and do not reach further than some weeks.
    const wait = (): void => {
      const restMs = dueMs - performance.now();
      timer = setTimeout(() => (performance.now() < dueMs ? wait() : call()), Math.min(restMs, TIMER_MS_MAX));
    };
    wait();
    return { cancel: () => clearTimeout(timer) };
  },
};
