import type { Replayed, ReplayStanding } from '../../src/publish/replay.js';

/** A replay that does what it is told at once, and notes it. */
export interface FakeReplay extends Replayed {
  readonly changes: object[];
}

export function fakeReplay(more: Partial<ReplayStanding> = {}): FakeReplay {
  const changes: object[] = [];
  let standing: ReplayStanding = {
    state: 'running',
    clockNs: 1_723_161_254_000_000_001n,
    beginNs: 1_723_161_253_000_000_000n,
    endNs: null,
    speed: 2,
    isPaused: false,
    seekNs: null,
    skipsIdle: false,
    loops: false,
    passes: 1,
    ...more,
  };
  return {
    changes,
    status: () => standing,
    change(change) {
      changes.push(change);
      standing = { ...standing, ...change, ...(change.seekNs === undefined ? {} : { state: 'seeking' }) };
    },
  };
}
