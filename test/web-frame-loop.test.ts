import { describe, expect, it } from 'vitest';
import { FrameLoop, type Pace } from '../src/web/frame-loop.js';

/** Frames 16 ms apart of painters that draw at given frames; the frames at which each ran. */
function run(frames: number, painters: readonly { pace?: Pace; drawsAt?: readonly number[] }[]): number[][] {
  const loop = new FrameLoop();
  const ran = painters.map((): number[] => []);
  let frame = 0;
  for (const [at, { pace, drawsAt }] of painters.entries()) {
    loop.add(() => {
      ran[at]?.push(frame);
      return drawsAt?.includes(frame) === true;
    }, pace);
  }
  for (; frame < frames; frame += 1) loop.paint(1000 + frame * 16);
  return ran;
}

describe('the frame loop', () => {
  it('runs who waits for nobody at each frame', () => {
    expect(run(4, [{}])).toEqual([[0, 1, 2, 3]]);
  });

  it('lets one who waits run where another draws, whatever the order in which they came, and after its patience at the latest', () => {
    const [waiting] = run(12, [{ pace: { waitMs: 50 } }, { drawsAt: [1, 2, 9] }]);
    // Behind frame 2 and behind frame 9 it is alone: 50 ms are four frames.
    expect(waiting).toEqual([0, 1, 2, 6, 9]);
  });

  it('lets the more patient draw with the less patient', () => {
    const [slow, tape] = run(40, [
      { pace: { everyMs: 250, waitMs: 100 } },
      { pace: { waitMs: 50 }, drawsAt: [20] },
    ]);
    expect(tape).toContain(20);
    // The quarter of the second begins at frame 16; the next but one, in which nobody draws, at 32.
    expect(slow).toEqual([0, 20, 38]);
  });
});
