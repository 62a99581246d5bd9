import type { OpenMetrics } from './open-metrics.js';
import type { Stages } from './stages.js';

/** Writes the families of stage stamps. `nameOf`: of an instrument; one that is not served any more has none, and is left out. */
export function writeStages(
  out: OpenMetrics,
  times: Stages,
  nameOf: (instrument: number) => string | undefined,
): void {
  const { stamped, unread, unpublished, hasPublished, boundsNs, counts, all, quantiles, instruments } = times;
  out.counter('stamped_messages', 'Received messages with stage stamps.', stamped);
  out.counter('stamped_unread', 'Those that could not be read as they stood, and have no times.', unread);
  if (hasPublished)
    out.counter(
      'stamped_unpublished',
      'Those that waited behind too many others to be published.',
      unpublished,
    );
  out.info('stamps', 'How stages are timed.', { clock: times.clock, every: String(times.every) });
  const sums = new Map(all.map(({ stage, sumNs }) => [stage, sumNs / 1e9]));
  out.histograms(
    'stage_seconds',
    'Time of the stages of stamped messages.',
    'stage',
    boundsNs.map((ns) => ns / 1e9),
    counts
      .filter(({ stage }) => hasPublished || stage !== 'published')
      .map(({ stage, counts: own }) => ({ of: stage, counts: own, sum: sums.get(stage) ?? 0 })),
    'seconds',
  );
  const whole = instruments.flatMap(({ instrument, stages }) => {
    const [of, time] = [nameOf(instrument), stages.find(({ stage }) => stage === 'whole')];
    return of === undefined || time === undefined ? [] : [{ of, ...time }];
  });
  const others = times.others.find(({ stage, count }) => stage === 'whole' && count > 0);
  out.summaries(
    'message_seconds',
    `Time of stamped messages from receipt to their frames, of ${times.instrumentsMax} instruments and all others.`,
    'instrument',
    [...whole, ...(others === undefined ? [] : [{ of: 'others', ...others }])].map((one) => ({
      of: one.of,
      quantiles: quantiles.map((quantile, at) => [quantile, (one.quantilesNs[at] ?? 0) / 1e9] as const),
      sum: one.sumNs / 1e9,
      count: one.count,
    })),
    'seconds',
  );
}
