import type { StageTimes } from '../../src/engine.js';

const row = (stage: string, count: number) => ({
  stage,
  count,
  sumNs: count * 3_000,
  maxNs: 9_000,
  quantilesNs: [1_000, 2_000, 3_000, 4_000, 5_000],
});
/** Stamps of 3 messages of an instrument, one of another that is not served any more, and one of further ones. */
export const STAGE_TIMES: StageTimes = {
  clock: 'tsc',
  every: 16,
  stamped: 6,
  unread: 1,
  unpublished: 2,
  quantiles: [0.5, 0.9, 0.99, 0.999, 0.9999],
  boundsNs: [1_023, 4_095],
  all: [row('decoded', 5), row('published', 3), row('whole', 5)],
  counts: [
    { stage: 'decoded', counts: [1, 3, 1] },
    { stage: 'published', counts: [0, 0, 3] },
  ],
  instruments: [
    { instrument: 11, stages: [row('decoded', 3), row('whole', 3)] },
    { instrument: 99, stages: [row('decoded', 1), row('whole', 1)] },
  ],
  instrumentsMax: 2,
  others: [row('decoded', 1), row('whole', 1)],
};
