// @ts-check
/** What is measured of the feed, beside what, and what it has to keep. */
import { subscribe } from './rig.mjs';

/**
 * @typedef {import('./rig.mjs').Report} Report
 * @typedef {import('./rig.mjs').Load} Load
 *
 * A server under a load.
 * @typedef {object} Side
 * @property {string} kind
 * @property {object} [shape] of the server
 * @property {Partial<Load>} [load] beside that of the row
 *
 * @typedef {object} Row
 * @property {string} name
 * @property {string} what
 * @property {Pick<Load, 'clients' | 'rate'> & Partial<Load>} load
 * @property {Side} subject
 * @property {Side} control measured in turns with it
 * @property {(subject: Report, control: Report) => number} value of a round
 * @property {number} gate
 * @property {'at least' | 'at most'} side
 * @property {boolean} [isRatio] whether the interval counts, too
 * @property {boolean} [peers] whether others' servers are needed
 * @property {number} [rounds] in place of the run's
 */

/** @type {(subject: Report, control: Report) => number} */
const deliveries = (subject, control) => subject.deliveriesPerCpuSecond / control.deliveriesPerCpuSecond;

/** @type {Side} */
const BARE = { kind: 'bare' };
/** @type {Side} */
const FRAMES = { kind: 'frames' };
/** @type {Side} */
const WHOLE = { kind: 'whole' };

/** Rates without loss: about half of what a core delivers. @type {readonly (readonly [clients: number, rate: number, gate: number])[]} */
const FAN_OUT = [
  [1, 20_000, 0.9],
  [10, 8000, 0.95],
  [50, 2500, 1],
  [200, 600, 1],
  [1000, 120, 1],
];

/** @type {readonly (readonly [rate: number, p50Us: number])[]} */
const LATENCY = [
  [500, 2.5],
  [5000, 1],
  [20_000, 0.5],
];

/** @type {readonly (readonly [control: string, rate: number, gate: number])[]} */
const PEERS = [
  ['loop', 200, 7],
  ['tungstenite', 600, 1.5],
  ['fastwebsockets', 600, 0.9],
];

const STORM_BOOKS = 20;
const STORM_SHAPE = { books: STORM_BOOKS, levels: 1000 };

/** @type {readonly Row[]} */
export const ROWS = [
  ...FAN_OUT.map(
    ([clients, rate, gate]) =>
      /** @type {Row} */ ({
        name: `fan-out-${clients}`,
        what: 'deliveries a CPU second, server alone / bare publish',
        load: { clients, rate },
        subject: FRAMES,
        control: BARE,
        value: deliveries,
        gate,
        side: 'at least',
        isRatio: true,
      }),
  ),
  {
    name: 'whole-path',
    what: 'CPU a frame over the bare publish, µs',
    load: { clients: 1, rate: 50_000 },
    subject: WHOLE,
    control: BARE,
    value: (subject, control) => (subject.cpuNsPerRecord - control.cpuNsPerRecord) / 1000,
    gate: 0.6,
    side: 'at most',
  },
  ...LATENCY.flatMap(([rate, gate]) =>
    /** @type {const} */ ([
      ['p50', gate],
      ['p99', 10],
    ]).map(
      ([quantile, most]) =>
        /** @type {Row} */ ({
          name: `latency-${quantile}-${rate}`,
          what: `latency ${quantile} over the bare publish, µs`,
          load: { clients: 1, rate },
          subject: WHOLE,
          control: BARE,
          value: (subject, control) => subject.latencyUs[quantile] - control.latencyUs[quantile],
          gate: most,
          side: 'at most',
        }),
    ),
  ),
  ...PEERS.map(
    ([kind, rate, gate]) =>
      /** @type {Row} */ ({
        name: `against-${kind}`,
        what: `deliveries a CPU second, server alone / ${kind}`,
        load: { clients: 200, rate },
        subject: FRAMES,
        control: { kind },
        value: deliveries,
        gate,
        side: 'at least',
        isRatio: true,
        peers: kind !== 'loop',
      }),
  ),
  {
    name: 'stalled',
    what: 'latency p99 of 99 beside one that never reads / without it',
    load: { clients: 99, rate: 1000 },
    subject: { ...WHOLE, load: { stalled: 1 } },
    control: WHOLE,
    value: (subject, control) => subject.latencyUs.p99 / control.latencyUs.p99,
    gate: 1.2,
    side: 'at most',
  },
  {
    name: 'flood',
    what: 'latency p99 of 99 beside one that sends without end / without it',
    load: { clients: 99, rate: 1000 },
    subject: { ...WHOLE, load: { flooders: 1 } },
    control: WHOLE,
    // One that is not ended with this code within a second is as bad as no answer.
    value: (subject, control) => {
      const isEnded = subject.floods.every(({ code, afterMs }) => code === 4429 && afterMs <= 1000);
      return isEnded && subject.floods.length > 0 ? subject.latencyUs.p99 / control.latencyUs.p99 : Infinity;
    },
    gate: 1.5,
    side: 'at most',
  },
  {
    name: 'idle-cpu',
    what: 'share of a core of 1,000 subscribers without messages, %',
    load: { clients: 1000, rate: 0, seconds: 10 },
    subject: WHOLE,
    control: BARE,
    value: (subject) => subject.cpuNs / subject.seconds / 1e7,
    gate: 0.5,
    side: 'at most',
    rounds: 3,
  },
  {
    name: 'idle-memory',
    what: 'memory of each of 10,000 subscribers, KiB',
    load: { clients: 10_000, rate: 0, seconds: 1 },
    subject: WHOLE,
    control: BARE,
    value: ({ memoryBytes: [before, joined], clients }) => (joined - before) / clients / 1024,
    gate: 6,
    side: 'at most',
    rounds: 1,
  },
  {
    name: 'storm',
    what: `seconds until 99 % of 1,000 clients at once have ${STORM_BOOKS} books of 1,000 levels a side`,
    load: {
      clients: 1000,
      rate: 0,
      seconds: 0.5,
      joiningMax: 1000,
      images: STORM_BOOKS,
      subscribe: Array.from({ length: STORM_BOOKS }, (_, at) => subscribe(`B${at}USDT`)),
    },
    subject: { kind: 'whole', shape: STORM_SHAPE },
    control: { kind: 'bare', shape: STORM_SHAPE },
    value: (subject) => subject.each.p99 / 1e6,
    gate: 3,
    side: 'at most',
    rounds: 3,
  },
];
