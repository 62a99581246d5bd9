import type { Clock, Timer } from '../../src/ingest/clock.js';

/** Time that passes when a test says so. */
export class ManualClock implements Clock {
  #nowMs = 0;
  #timers: { readonly atMs: number; readonly call: () => void }[] = [];
  readonly #startMs: number;

  constructor(startMs = 1_764_340_827_000) {
    this.#startMs = startMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return this.#startMs + this.#nowMs;
  }

  after(ms: number, call: () => void): Timer {
    const timer = { atMs: this.#nowMs + ms, call };
    this.#timers.push(timer);
    return {
      cancel: () => {
        this.#timers = this.#timers.filter((other) => other !== timer);
      },
    };
  }

  /** Lets time pass, timer by timer. */
  pass(ms: number): void {
    const untilMs = this.#nowMs + ms;
    for (;;) {
      const [due] = this.#timers.filter(({ atMs }) => atMs <= untilMs).sort((a, b) => a.atMs - b.atMs);
      if (due === undefined) break;
      this.#timers = this.#timers.filter((other) => other !== due);
      this.#nowMs = Math.max(this.#nowMs, due.atMs);
      due.call();
    }
    this.#nowMs = untilMs;
  }

  /** The same, in steps between which what was caused elsewhere (sockets, promises) takes its turn. */
  async passSlowly(ms: number, stepMs = 50): Promise<void> {
    for (let passed = 0; passed < ms; passed += stepMs) {
      this.pass(Math.min(stepMs, ms - passed));
      await turn();
    }
  }

  get timers(): number {
    return this.#timers.length;
  }
}

/** Lets sockets and promises take their turn. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Waits until something is so; sockets of this machine take some turns. Throws what was waited for after `ms`. */
export async function until(isSo: () => boolean, what: string, ms = 5000): Promise<void> {
  const endMs = performance.now() + ms;
  while (!isSo()) {
    if (performance.now() > endMs) throw new Error(`waited ${ms} ms for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
