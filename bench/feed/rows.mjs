// @ts-check
/** What is measured of the feed, beside what, and what it has to keep. */
import { ABUSES } from './abuse.mjs';
import { AUTH, TLS } from './access.mjs';
import { subscribe } from './rig.mjs';

/**
 * What the load says, and what was found beside it.
 * @typedef {import('./rig.mjs').Report & { beside?: import('./beside.mjs').Found }} Report
 * @typedef {import('./rig.mjs').Load} Load
 *
 * A server under a load.
 * @typedef {object} Side
 * @property {string} kind
 * @property {object} [shape] of the server
 * @property {Partial<Load>} [load] beside that of the row
 * @property {import('./beside.mjs').Beside} [beside] what happens meanwhile
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
 * @property {number} [rounds] at most, where the run's are more
 * @property {boolean} [takesLate] whether rounds count in which the load was late: for counts, and where its value can only be too bad then
 * @property {boolean} [inTiny] whether it is run small, too, whatever its clients
 * @property {(report: Report) => number} [of] what is said of each side beside the value
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
  ['loop', 200, 1],
  ['tungstenite', 600, 1.5],
  ['fastwebsockets', 600, 0.9],
];

/** Clients that come and go at a time, and tokens of them that no server has seen. */
const HANDSHAKES = 3000;
/** @type {readonly (readonly [name: string, of: (report: Report) => number])[]} */
const HANDSHAKE_RATES = [
  ['handshakes', ({ handshakesPerSecond }) => handshakesPerSecond],
  ['handshakes-cpu', ({ handshakesPerCpuSecond }) => handshakesPerCpuSecond],
];

/** What one that stands still falls behind of: many changes with each record, and none when there are no more. */
const STALL_SHAPE = { books: 200, levels: 1000, alongside: 20 };

/** Fed, but so little that a scrape shows in the CPU of the whole. */
const SCRAPED_SHAPE = { books: 1000, levels: 50, rate: 100 };

const ROTATED = { config: { auth: AUTH, tls: TLS } };
const ROTATED_GATEWAYS = { config: { ...ROTATED.config, server: { gateways: 2 } } };
const GUARDED = { config: { auth: AUTH } };

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
    name: 'against-loop-full',
    what: 'deliveries a CPU second, server alone / loop, each at a rate that all but fills a core',
    load: { clients: 200, rate: 6000 },
    subject: FRAMES,
    control: { kind: 'loop', load: { rate: 800 } },
    value: deliveries,
    of: ({ deliveriesPerCpuSecond }) => deliveriesPerCpuSecond,
    gate: 7,
    side: 'at least',
    isRatio: true,
    // A core that is full makes the load late beside it; the loop sends each frame by itself, early or late.
    takesLate: true,
  },
  {
    name: 'tls',
    what: 'deliveries a CPU second, with TLS / without',
    load: { clients: 200, rate: 600 },
    subject: { kind: 'frames', shape: { config: { tls: TLS } }, load: { tls: true } },
    control: FRAMES,
    value: deliveries,
    gate: 0.55,
    side: 'at least',
    isRatio: true,
    inTiny: true,
  },
  ...HANDSHAKE_RATES.map(
    ([name, of]) =>
      /** @type {Row} */ ({
        name,
        what: `clients with new tokens that are let in, greeted and leave, a second${name === 'handshakes' ? '' : ' of CPU'}`,
        load: { clients: 1, rate: 0, handshakes: HANDSHAKES },
        subject: { kind: 'frames', shape: { config: { auth: AUTH } }, load: { tokens: HANDSHAKES } },
        control: FRAMES,
        value: of,
        of,
        gate: 1500,
        side: 'at least',
        inTiny: true,
      }),
  ),
  .../** @type {const} */ ([
    [
      'stalled',
      'latency p99 of 99 beside one that stands still, then reads a byte a second / without it',
      1.2,
    ],
    ['stalled-memory', 'what waits for that one at most, MiB', 16],
    ['stalled-book', 'books of that one that are not the server’s when it has read all', 0],
  ]).map(
    ([name, what, gate]) =>
      /** @type {Row} */ ({
        name,
        what,
        load: { clients: 99, rate: 1000, seconds: 3 },
        subject: { kind: 'whole', shape: STALL_SHAPE, beside: { kind: 'slowReader' } },
        control: { kind: 'whole', shape: STALL_SHAPE },
        value: (subject, control) =>
          name === 'stalled'
            ? subject.latencyUs.p99 / control.latencyUs.p99
            : name === 'stalled-memory'
              ? (subject.beside?.waitingBytes ?? Infinity) / 2 ** 20
              : // One that was never behind shows nothing.
                subject.beside?.fellBehind
                ? (subject.beside.booksDiffer ?? Infinity)
                : Number.NaN,
        gate,
        side: 'at most',
        takesLate: name !== 'stalled',
        inTiny: true,
      }),
  ),
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
    inTiny: true,
  },
  {
    name: 'idle-cpu',
    what: 'share of a core of 1,000 subscribers without messages, %',
    // V8 collects what the joining left within some ten seconds: that is no cost of being idle.
    load: { clients: 1000, rate: 0, seconds: 20, warmSeconds: 10 },
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
  ...[1000, 260].map(
    (everyMs) =>
      /** @type {Row} */ ({
        name: `scrape-${everyMs}`,
        what: `CPU of a scrape of /metrics at 1,000 books, one each ${everyMs} ms, ms`,
        load: { clients: 1, rate: 0, seconds: 10 },
        subject: { kind: 'whole', shape: SCRAPED_SHAPE, beside: { kind: 'scraper', everyMs } },
        control: { kind: 'whole', shape: SCRAPED_SHAPE },
        value: (subject, control) =>
          (subject.cpuNs - control.cpuNs) / 1e6 / (subject.seconds * (subject.beside?.scrapesPerSecond ?? 0)),
        of: ({ cpuNs, seconds }) => cpuNs / 1e6 / seconds,
        gate: 0.3,
        side: 'at most',
        rounds: 9,
      }),
  ),
  {
    name: 'rotation',
    what: 'frames lost by 50 while certificate and keys are replaced',
    load: { clients: 50, rate: 500, seconds: 5, tls: true, tokens: 50 },
    subject: { kind: 'whole', shape: ROTATED, beside: { kind: 'rotation' } },
    control: { kind: 'whole', shape: ROTATED },
    value: ({ lost }) => lost,
    takesLate: true,
    gate: 0,
    side: 'at most',
    rounds: 3,
  },
  {
    name: 'rotation-gateways',
    what: 'the same with two gateways',
    load: { clients: 50, rate: 500, seconds: 5, tls: true, tokens: 50 },
    subject: { kind: 'whole', shape: ROTATED_GATEWAYS, beside: { kind: 'rotation' } },
    control: { kind: 'whole', shape: ROTATED_GATEWAYS },
    value: ({ lost }) => lost,
    takesLate: true,
    gate: 0,
    side: 'at most',
    rounds: 3,
  },
  ...Object.entries(ABUSES).map(([what, { descriptors }]) => {
    const shape = descriptors === undefined ? GUARDED : { ...GUARDED, descriptors };
    return /** @type {Row} */ ({
      name: `abuse-${what}`,
      what: `latency p50 of one beside ${what} / without it`,
      load: { clients: 1, rate: 2000, seconds: 2, tokens: 1 },
      subject: { kind: 'whole', shape, beside: { kind: 'abuse', what } },
      control: { kind: 'whole', shape },
      value: (subject, control) => subject.latencyUs.p50 / control.latencyUs.p50,
      of: ({ latencyUs }) => latencyUs.p50,
      // Three processes share the machine here, and latency is counted from the planned time.
      takesLate: true,
      gate: 1.5,
      side: 'at most',
      rounds: 5,
    });
  }),
];
