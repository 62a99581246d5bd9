import { describe, expect, it } from 'vitest';
import { judged, tenths } from '../bench/soak-samples.mjs';

const TOLD = { frames: 10, trades: 1, checks: 1, refused: 0 };
const RIGHT = { checked: 5, matched: 5, messages: 1000, told: TOLD, isTimed: true };

/** A sample a second: memory in bytes and CPU time of a message by the part of the run, the first tenth of which is worse. */
function samples(memory: (part: number) => number, cpu: (part: number) => number) {
  let cpuMicros = 0;
  return Array.from({ length: 201 }, (_, at) => {
    const part = at / 200;
    cpuMicros += 10 * (part < 0.1 ? 50 : cpu(part));
    return { atMs: 1000 * at, memoryBytes: part < 0.1 ? 1 : memory(part), cpuMicros, messages: 10 * at };
  });
}

const flat = samples(
  () => 1000,
  () => 7,
);

describe('the verdict of a soak', () => {
  it('compares the tenths behind the warm-up', () => {
    expect(tenths(flat)).toEqual(Array.from({ length: 10 }, () => ({ memoryBytes: 1000, cpuMicros: 7 })));
    expect(judged({ samples: flat, ...RIGHT })).toMatchObject({
      memory: { growth: 0 },
      cpu: { ratio: 1 },
      failures: [],
    });
  });

  it.each([
    [
      'memory that has grown by 3 %',
      {
        samples: samples(
          (part) => 1000 + 30 * part,
          () => 7,
        ),
      },
      'memory',
    ],
    [
      'messages that cost more',
      {
        samples: samples(
          () => 1000,
          (part) => (part > 0.9 ? 8 : 7),
        ),
      },
      'costs',
    ],
    ['a wrong checksum', { matched: 4 }, 'checksums'],
    ['a refused frame', { told: { ...TOLD, refused: 1 } }, 'refused'],
    ['silence', { messages: 0 }, 'nothing'],
    ['no samples', { samples: [] }, 'memory'],
  ])('fails for %s', (_what, wrong, word) => {
    const { failures } = judged({ samples: flat, ...RIGHT, ...wrong });
    expect(failures.join()).toContain(word);
  });

  it('leaves time and memory unjudged where they mean nothing', () => {
    expect(judged({ ...RIGHT, samples: [], isTimed: false }).failures).toEqual([]);
  });
});
