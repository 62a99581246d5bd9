import { describe, expect, it } from 'vitest';
import { Backoff } from '../src/ingest/backoff.js';
import { Budget } from '../src/ingest/budget.js';
import { ClockSkew } from '../src/ingest/clock-skew.js';
import { ConnectGate } from '../src/ingest/connect-gate.js';
import type { HttpAnswer } from '../src/ingest/http-client.js';
import { Pacer } from '../src/ingest/pacer.js';
import { retryAfterMs } from '../src/ingest/retry-after.js';
import { SlidingWindow } from '../src/ingest/sliding-window.js';
import { type BudgetFacts, type SocketLimits, UNLIMITED } from '../src/ingest/venues/facts.js';
import { ManualClock, turn } from './support/manual-clock.js';

const MINUTE_MS = 60_000;

/** The most uses in any window, counted as a venue may: every window that ends with a use. */
function mostIn(uses: readonly { readonly atMs: number; readonly cost: number }[], windowMs: number): number {
  const sums = uses.map(({ atMs }) =>
    uses
      .filter((use) => use.atMs > atMs - windowMs && use.atMs <= atMs)
      .reduce((sum, { cost }) => sum + cost, 0),
  );
  return Math.max(0, ...sums);
}

describe('pauses', () => {
  it('double to their limit, between a half and the whole, and begin anew', () => {
    const low = new Backoff(500, 4000, () => 0);
    expect(Array.from({ length: 6 }, () => low.next())).toEqual([250, 500, 1000, 2000, 2000, 2000]);
    const high = new Backoff(500, 4000, () => 1 - Number.EPSILON);
    expect(high.next()).toBeCloseTo(500);
    high.next();
    high.reset();
    expect(high.next()).toBeCloseTo(500);
  });

  it('are read from Retry-After, in seconds or as a date', () => {
    const wallMs = Date.parse('2026-01-02T03:04:05Z');
    const ms = (text: string | undefined) => retryAfterMs({ 'retry-after': text }, wallMs);
    expect([
      ms('120'),
      ms('0'),
      ms('Fri, 02 Jan 2026 03:05:05 GMT'),
      ms('Fri, 02 Jan 2026 03:00:00 GMT'),
    ]).toEqual([120_000, 0, 60_000, 0]);
    expect([ms(undefined), ms(''), ms('soon')]).toEqual([undefined, undefined, undefined]);
  });
});

describe('a rate', () => {
  it.each([
    { max: 5, windowMs: 1000, cost: 1 },
    { max: 6000, windowMs: MINUTE_MS, cost: 50 },
    { max: 200, windowMs: 1000, cost: 25 },
  ])('of $max in $windowMs ms is used up, and in no window exceeded', ({ max, windowMs, cost }) => {
    const window = new SlidingWindow({ max, windowMs });
    const uses: { atMs: number; cost: number }[] = [];
    let nowMs = 0;
    while (uses.length < 500) {
      const waitMs = window.waitMs(nowMs, cost);
      nowMs += waitMs;
      if (waitMs > 0) continue;
      window.use(nowMs, cost);
      uses.push({ atMs: nowMs, cost });
    }
    expect(mostIn(uses, windowMs)).toBe(max);
    const leastMs = (Math.ceil((500 * cost) / max) - 1) * windowMs;
    expect(nowMs / leastMs).toBeLessThan(1.26);
  });

  it('takes what others have used into account, and lets through alone what costs more than there is', () => {
    const window = new SlidingWindow({ max: 100, windowMs: 1000 });
    window.use(0, 30);
    window.learn(10, 90);
    expect(window.waitMs(10, 10)).toBe(0);
    expect(window.waitMs(10, 20)).toBe(1240);
    expect(window.waitMs(10, 500)).toBe(1250);
    expect(window.waitMs(2000, 500)).toBe(0);
  });
});

const FACTS: BudgetFacts = {
  weightMax: 100,
  windowMs: MINUTE_MS,
  usedHeader: 'X-USED',
  leftHeader: null,
  ban: { statuses: [418], pauseMs: 120_000 },
};

const answer = (status: number, headers: Record<string, string> = {}): HttpAnswer => ({
  status,
  headers,
  body: new Uint8Array(),
});

/** A venue that answers as it is told, and when it was asked. */
function asked(facts: BudgetFacts, answers: (at: number) => HttpAnswer) {
  const clock = new ManualClock();
  const budget = new Budget(facts, clock);
  const times: number[] = [];
  const done: number[] = [];
  const ask = (weight: number, name: number): void => {
    void budget
      .ask(weight, () => {
        times.push(clock.nowMs());
        return Promise.resolve(answers(times.length - 1));
      })
      .then((got) => {
        if (got !== undefined) done.push(name);
      });
  };
  return { clock, budget, times, done, ask };
}

describe('a budget of requests', () => {
  it('is used in the order of asking, up to the limit and not above it', async () => {
    const { clock, times, done, ask } = asked(FACTS, () => answer(200));
    for (let name = 0; name < 25; name++) ask(10, name);
    await clock.passSlowly(150_000, 1000);
    expect(done).toEqual(Array.from({ length: 25 }, (_, at) => at));
    expect(times.filter((atMs) => atMs === 0).length).toBeLessThanOrEqual(10);
    expect(
      mostIn(
        times.map((atMs) => ({ atMs, cost: 10 })),
        MINUTE_MS,
      ),
    ).toBeLessThanOrEqual(100);
    expect(times.at(-1)).toBeLessThan(2 * MINUTE_MS * 1.2);
  });

  it('counts a request from its sending to a window behind its answer, for as long as that takes', async () => {
    const clock = new ManualClock();
    const budget = new Budget(FACTS, clock);
    const made: { sentMs: number; answeredMs: number }[] = [];
    for (let name = 0; name < 25; name++) {
      void budget.ask(10, () => {
        const one = { sentMs: clock.nowMs(), answeredMs: Number.POSITIVE_INFINITY };
        made.push(one);
        return new Promise((resolve) => {
          clock.after(5000, () => {
            one.answeredMs = clock.nowMs();
            resolve(answer(200));
          });
        });
      });
    }
    await clock.passSlowly(200_000, 500);
    expect(made).toHaveLength(25);
    for (const { sentMs } of made) {
      const maybeInside = made.filter(
        (other) => other.sentMs <= sentMs && other.answeredMs > sentMs - MINUTE_MS,
      );
      expect(maybeInside.length * 10).toBeLessThanOrEqual(FACTS.weightMax);
    }
  });

  it('heeds what the venue says is used', async () => {
    const { clock, times, ask } = asked(FACTS, () => answer(200, { 'x-used': '95' }));
    ask(10, 0);
    await turn();
    ask(10, 1);
    await clock.passSlowly(50_000, 1000);
    expect(times).toHaveLength(1);
    await clock.passSlowly(20_000, 1000);
    expect(times).toHaveLength(2);
  });

  it('after 429 nothing is asked until the time that the venue says, then one, and the refused one again', async () => {
    const refuse = (at: number): HttpAnswer => (at < 2 ? answer(429, { 'retry-after': '30' }) : answer(200));
    const { clock, budget, times, done, ask } = asked(FACTS, refuse);
    for (let name = 0; name < 24; name++) ask(1, name);
    await turn();
    const first = times.length;
    expect(first).toBeLessThanOrEqual(16);
    expect(budget.pausedMs).toBe(30_000);
    await clock.passSlowly(29_900, 100);
    expect(times).toHaveLength(first);
    await clock.passSlowly(40_000, 100);
    expect(done).toHaveLength(24);
    expect(budget.counts.refused).toBe(2);
  });

  it('a ban stops every request, for as long as the facts say where the venue does not', async () => {
    const { clock, times, done, ask } = asked(FACTS, (at) => answer(at === 0 ? 418 : 200));
    ask(1, 0);
    await turn();
    for (let name = 1; name < 6; name++) ask(1, name);
    await clock.passSlowly(119_000, 1000);
    expect(times).toHaveLength(1);
    await clock.passSlowly(2000, 100);
    expect([...done].sort()).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('a venue that refuses for ever is asked ever more rarely', async () => {
    const { clock, times, ask } = asked(FACTS, () => answer(429));
    for (let name = 0; name < 50; name++) ask(1, name);
    await clock.passSlowly(24 * 60 * MINUTE_MS, 10_000);
    const tail = times.filter((atMs) => atMs > 0);
    expect(tail.length).toBeLessThan(35);
    expect(tail.length).toBeGreaterThan(10);
  });

  it('that is closed asks nothing and tells so', async () => {
    const { budget, times, ask } = asked(FACTS, () => answer(200));
    for (let name = 0; name < 20; name++) ask(20, name);
    budget.close();
    expect(budget.waiting).toBe(0);
    ask(1, 99);
    await turn();
    expect(times.length).toBeLessThanOrEqual(5);
  });
});

describe('connections to one host', () => {
  it('are made in order, no more at a time and no faster than it allows', () => {
    const clock = new ManualClock();
    const limits: SocketLimits = { ...UNLIMITED, connects: { max: 3, windowMs: 1000 }, connectionsMax: 5 };
    const gate = new ConnectGate(limits, clock);
    const made: { at: number; release: () => void }[] = [];
    const enter = () => gate.enter((pass) => made.push({ at: clock.nowMs(), release: () => pass.release() }));
    const waits = Array.from({ length: 8 }, enter);
    expect(made).toHaveLength(3);
    waits[6]?.cancel();
    clock.pass(10_000);
    expect(made).toHaveLength(5);
    made[0]?.release();
    made[0]?.release();
    expect(made).toHaveLength(6);
    for (const one of made.splice(0)) one.release();
    clock.pass(10_000);
    expect(made).toHaveLength(1);
  });
});

describe('messages of a connection', () => {
  it('keep every rate at once, beats go first, and a connection that is gone sends nothing', () => {
    const clock = new ManualClock();
    const sent: { atMs: number; cost: number; kind: string }[] = [];
    const rates: SocketLimits['rates'] = [
      { of: 'messages', max: 5, windowMs: 1000 },
      { of: 'requests', max: 20, windowMs: 60_000 },
      { of: 'subscriptions', max: 200, windowMs: 1000 },
    ];
    const pacer = new Pacer(rates, clock);
    const push = (kind: 'beat' | 'request', cost: number) =>
      pacer.push({ kind, cost, send: () => sent.push({ atMs: clock.nowMs(), cost, kind }) });
    for (let message = 0; message < 30; message++) push('request', 100);
    push('beat', 0);
    clock.pass(1000);
    expect(sent.slice(0, 3).map(({ kind }) => kind)).toEqual(['request', 'beat', 'request']);
    // Not in bursts, each of which a venue would have to work on.
    expect(sent.slice(0, 3).map(({ atMs }) => atMs)).toEqual([0, 0, 250]);
    clock.pass(59_000);
    expect(sent.filter(({ kind }) => kind === 'request')).toHaveLength(20);
    clock.pass(10_000);
    expect(sent.filter(({ kind }) => kind === 'request')).toHaveLength(30);
    expect(mostIn(sent, 1000)).toBeLessThanOrEqual(200);
    expect(
      mostIn(
        sent.map(({ atMs }) => ({ atMs, cost: 1 })),
        1000,
      ),
    ).toBeLessThanOrEqual(5);
    for (let message = 0; message < 30; message++) push('request', 0);
    pacer.stop();
    const before = sent.length;
    clock.pass(600_000);
    expect(sent).toHaveLength(before);
  });
});

describe('a beat', () => {
  const rates: SocketLimits['rates'] = [{ of: 'messages', max: 5, windowMs: 1000 }];

  it('never waits for subscriptions, and is within the limit with them', () => {
    const clock = new ManualClock();
    const sent: { atMs: number; cost: number; kind: string }[] = [];
    const pacer = new Pacer(rates, clock);
    const push = (kind: 'beat' | 'request') =>
      pacer.push({ kind, cost: 1, send: () => sent.push({ atMs: clock.nowMs(), cost: 1, kind }) });
    for (let message = 0; message < 40; message++) push('request');
    for (let beats = 1; beats <= 8; beats++) {
      const fromMs = clock.nowMs();
      push('beat');
      expect(sent.filter(({ atMs, kind }) => kind === 'beat' && atMs === fromMs)).toHaveLength(1);
      clock.pass(1300);
    }
    expect(mostIn(sent, 1000)).toBeLessThanOrEqual(5);
  });
});

describe("the venue's clock", () => {
  it('is known within bounds that each answer narrows, until a clock is set', () => {
    const skew = new ClockSkew();
    const dateMs = Date.parse('2026-01-02T03:04:05Z');
    const date = 'Fri, 02 Jan 2026 03:04:05 GMT';
    // Ours is 300 ms behind; the venue answers at .100, then at .900 of its second.
    skew.note(date, dateMs - 300 + 80, dateMs - 300 + 120);
    expect(skew.bounds).toEqual({ minMs: 180, maxMs: 1220 });
    skew.note(date, dateMs - 300 + 880, dateMs - 300 + 920);
    expect(skew.bounds).toEqual({ minMs: 180, maxMs: 420 });
    skew.note(undefined, 0, 0);
    skew.note('yesterday', 0, 0);
    expect(skew.bounds).toEqual({ minMs: 180, maxMs: 420 });
    skew.note(date, dateMs + 5000, dateMs + 5010);
    expect(skew.bounds).toEqual({ minMs: -5010, maxMs: -4000 });
  });
});
