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
      memory: { least: { growth: 0 }, most: { growth: 0 } },
      cpu: { ratio: 1 },
      failures: [],
    });
  });

  it('does not take what waits to be collected for growth', () => {
    const steps = samples(
      (part) => (Math.floor(part * 40) % 2 === 0 ? 1000 : 1080),
      () => 7,
    );
    expect(judged({ samples: steps, ...RIGHT }).failures).toEqual([]);
  });

  it.each([
    [
      'memory of which ever more waits to be collected',
      {
        samples: samples(
          (part) => (Math.floor(part * 40) % 2 === 0 ? 1000 : 1050 + 50 * part),
          () => 7,
        ),
      },
      'memory',
    ],
    [
      'memory that has grown by some percent',
      {
        samples: samples(
          (part) => 1000 + 50 * part,
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
