import { describe, expect, it } from 'vitest';
import { Ending } from '../src/cli/ending.js';

/** An end whose time is driven. */
function rig() {
  const codes: number[] = [];
  const limits: number[] = [];
  const timers: { readonly atMs: number; readonly then: () => void }[] = [];
  const time = { ms: 1000 };
  const ending = new Ending({
    exit: (code) => codes.push(code),
    limit: (stopMs) => limits.push(stopMs),
    nowMs: () => time.ms,
    later: (ms, then) => timers.push({ atMs: time.ms + ms, then }),
  });
  const pass = (ms: number): void => {
    time.ms += ms;
    for (const { atMs, then } of timers) if (atMs <= time.ms) then();
  };
  return { ending, codes, limits, pass };
}

describe('the end of a command', () => {
  it('is asked for once, with the reason, and comes when its time is over', () => {
    const { ending, codes, pass } = rig();
    expect(ending.signal.aborted).toBe(false);
    ending.stop('SIGTERM', 143);
    expect([ending.signal.aborted, ending.signal.reason]).toEqual([true, 'SIGTERM']);
    pass(2499);
    expect(codes).toEqual([]);
    pass(1);
    expect(codes).toEqual([143]);
  });

  it('comes at once when asked for again, but not by the same key press over another way', () => {
    const { ending, codes, pass } = rig();
    ending.stop('SIGINT', 130);
    pass(299);
    ending.stop('SIGINT', 130);
    expect(codes).toEqual([]);
    pass(1);
    ending.stop('SIGTERM', 143);
    expect(codes).toEqual([143]);
  });

  it('takes as long as the command says, where no JavaScript runs too', () => {
    const { ending, codes, limits, pass } = rig();
    ending.allow(9000);
    expect(limits).toEqual([2500, 9000]);
    ending.stop('SIGTERM', 143);
    pass(8999);
    expect(codes).toEqual([]);
    pass(1);
    expect(codes).toEqual([143]);
  });
});
