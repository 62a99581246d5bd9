// @ts-check
/**
 * What distributing the feed costs, beside controls that alternate with it in one run.
 *
 * Open loop over real sockets, two processes: `depthwire-load` plays the venue and all subscribers by planned times, the other one
 * is a server of `bench/feed/server.mjs`. Every round measures each server once, one after the other, so that a ratio is one of
 * neighbours; a row is the median of the rounds' ratios with the interval of 90 %. A round that lost a delivery, or in which
 * the load itself was late, counts for nothing and is said. Its numbers mean something on a quiet machine only.
 *
 * `node bench/feed.mjs [ROW…] [OPTIONS]`, after `npm run build`. `--rounds N`: default 15. `--seconds S`: of each measurement, default 2.
 * `--peers`: the row of the peers, too, which are built. `--json FILE`: also writes the rows. `--tiny`: as `npm test` runs it: one
 * short round, of which only the deliveries are judged.
 */
import { writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { endWithSignals } from '../scripts/run.mjs';
import { load, prepareRig, startServer } from './feed/rig.mjs';
import { median, medianInterval } from './feed/statistics.mjs';

/** Below a gate by so much the interval may reach. */
const SLACK = 0.03;

/**
 * @typedef {import('./feed/rig.mjs').Report} Report
 * @typedef {object} Row
 * @property {string} name
 * @property {string} what
 * @property {number} clients
 * @property {number} rate records a second
 * @property {string} subject the server that is measured
 * @property {string} control the one beside it
 * @property {(subject: Report, control: Report) => number} value of a round
 * @property {number} gate
 * @property {'at least' | 'at most'} side
 * @property {boolean} [peers]
 */

/** @type {(subject: Report, control: Report) => number} */
const deliveries = (subject, control) => subject.deliveriesPerCpuSecond / control.deliveriesPerCpuSecond;

/** Rates without loss: about half of a core's deliveries. @type {readonly (readonly [clients: number, rate: number, gate: number])[]} */
const FAN_OUT = [
  [1, 20_000, 0.9],
  [10, 8_000, 0.95],
  [50, 2_500, 1],
  [200, 600, 1],
  [1000, 120, 1],
];

/** @type {readonly (readonly [rate: number, p50Us: number])[]} */
const LATENCY = [
  [500, 2.5],
  [5_000, 1],
  [20_000, 0.5],
];

/** @type {readonly Row[]} */
const ROWS = [
  ...FAN_OUT.map(
    ([clients, rate, gate]) =>
      /** @type {Row} */ ({
        name: `fan-out-${clients}`,
        what: 'deliveries a CPU second, server alone / bare publish',
        clients,
        rate,
        subject: 'frames',
        control: 'bare',
        value: deliveries,
        gate,
        side: 'at least',
      }),
  ),
  {
    name: 'whole-path',
    what: 'CPU a frame over the bare publish, µs',
    clients: 1,
    rate: 50_000,
    subject: 'whole',
    control: 'bare',
    value: (subject, control) => (subject.cpuNsPerRecord - control.cpuNsPerRecord) / 1000,
    gate: 0.6,
    side: 'at most',
  },
  ...LATENCY.flatMap(([rate, gate]) =>
    [/** @type {const} */ (['p50', gate]), /** @type {const} */ (['p99', 10])].map(
      ([quantile, most]) =>
        /** @type {Row} */ ({
          name: `latency-${quantile}-${rate}`,
          what: `latency ${quantile} over the bare publish, µs`,
          clients: 1,
          rate,
          subject: 'whole',
          control: 'bare',
          value: (subject, control) => subject.latencyUs[quantile] - control.latencyUs[quantile],
          gate: most,
          side: 'at most',
        }),
    ),
  ),
  .../** @type {const} */ ([
    ['loop', 7],
    ['tungstenite', 1.5],
    ['fastwebsockets', 0.9],
  ]).map(
    ([control, gate]) =>
      /** @type {Row} */ ({
        name: `against-${control}`,
        what: `deliveries a CPU second, server alone / ${control}`,
        clients: 200,
        rate: control === 'loop' ? 200 : 600,
        subject: 'frames',
        control,
        value: deliveries,
        gate,
        side: 'at least',
        peers: control !== 'loop',
      }),
  ),
];

/** @type {Map<string, import('./feed/rig.mjs').Server>} */
const servers = new Map();

/** @param {string} kind */
async function serverOf(kind) {
  const known = servers.get(kind);
  if (known !== undefined) return known;
  const started = await startServer(kind);
  servers.set(kind, started);
  return started;
}

/** Rows that measure the same are measured once. @param {Row} row */
function measurementOf({ clients, rate, subject, control }) {
  return `${clients}/${rate}/${subject}/${control}`;
}

/**
 * @param {readonly Row[]} rows that measure the same
 * @param {{ rounds: number, seconds: number, tiny: boolean }} options
 */
async function measure(rows, { rounds, seconds, tiny }) {
  const [{ clients, rate, subject, control }] = /** @type {[Row]} */ (rows);
  const pair = [await serverOf(control), await serverOf(subject)];
  /** @type {[subject: Report, control: Report][]} */
  const clean = [];
  let lost = 0;
  const shape = { clients, rate: tiny ? Math.min(rate, 500) : rate, seconds, warmSeconds: tiny ? 0.1 : 0.5 };
  for (let round = 0; round < rounds; round++) {
    /** @type {Map<string, Report>} */
    const reports = new Map();
    // Whoever goes first in one round goes last in the next.
    for (const server of round % 2 === 0 ? pair : [...pair].reverse())
      reports.set(server.kind, await load(server, shape));
    const both = /** @type {[Report, Report]} */ ([reports.get(subject), reports.get(control)]);
    lost += both.reduce((sum, report) => sum + report.lost, 0);
    if (tiny || both.every(({ ok }) => ok)) clean.push(both);
  }
  return rows.map((row) => {
    const values = clean.map(([a, b]) => row.value(a, b));
    const [low, high] = medianInterval(values);
    const value = median(values);
    const isMet =
      row.side === 'at least' ? value >= row.gate - SLACK && low >= row.gate - SLACK : value <= row.gate;
    return {
      name: row.name,
      what: row.what,
      clients,
      rate: shape.rate,
      value,
      low,
      high,
      gate: `${row.side} ${row.gate}`,
      rounds: clean.length,
      refused: rounds - clean.length,
      lost,
      ok: lost === 0 && (tiny || (clean.length * 2 > rounds && isMet)),
    };
  });
}

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      peers: { type: 'boolean', default: false },
      json: { type: 'string' },
      tiny: { type: 'boolean', default: false },
    },
  });
  const { tiny, peers, json } = values;
  const unknown = positionals.find((name) => !ROWS.some((row) => row.name.startsWith(name)));
  if (unknown !== undefined)
    throw new Error(`no row ${unknown}; there are ${ROWS.map(({ name }) => name).join(' ')}`);
  const chosen = ROWS.filter(
    (row) =>
      (peers || row.peers !== true) &&
      (positionals.length === 0 || positionals.some((name) => row.name.startsWith(name))) &&
      (!tiny || row.clients <= 50),
  );
  const options = {
    rounds: Number(values.rounds ?? (tiny ? 1 : 15)),
    seconds: Number(values.seconds ?? (tiny ? 0.2 : 2)),
    tiny,
  };
  await prepareRig(peers);
  process.stdout.write(
    `load ${loadavg()[0]?.toFixed(2)}, ${options.rounds} rounds of ${options.seconds} s\n`,
  );
  const rows = [];
  const groups = grouped(chosen);
  for (const group of groups.values()) {
    for (const row of await measure(group, options)) {
      rows.push(row);
      const interval = `${row.low.toFixed(2)}–${row.high.toFixed(2)}`;
      process.stdout.write(
        `${row.name.padEnd(22)}${String(row.rate).padStart(7)}/s ${row.value.toFixed(2).padStart(7)}  ${interval.padEnd(14)}` +
          `${row.gate.padEnd(14)}${row.ok ? (tiny ? 'not judged' : 'PASS') : 'FAIL'}${row.refused > 0 ? ` (${row.refused} rounds refused, ${row.lost} lost)` : ''}\n`,
      );
    }
  }
  process.stdout.write(`load ${loadavg()[0]?.toFixed(2)} at the end\n`);
  const ok = rows.every((row) => row.ok);
  process.stdout.write(`${JSON.stringify({ name: 'feed', ok, rows })}\n`);
  // Ratios of servers, for which the table of all benchmarks has no columns.
  if (json !== undefined) writeFileSync(json, JSON.stringify({ rows: [], feed: rows }));
  return ok ? 0 : 1;
}

/** @param {readonly Row[]} rows */
function grouped(rows) {
  /** @type {Map<string, Row[]>} */
  const groups = new Map();
  for (const row of rows) groups.set(measurementOf(row), [...(groups.get(measurementOf(row)) ?? []), row]);
  return groups;
}

endWithSignals();
process.exit(await main());
