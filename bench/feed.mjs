// @ts-check
/**
 * What distributing the feed costs, beside controls that alternate with it in one run.
 *
 * Open loop over real sockets, two processes: `depthwire-load` plays the venue and all subscribers by planned times, the other one
 * is a server of `bench/feed/server.mjs`. Every round measures each server once, one after the other, so that a ratio is one of
 * neighbours; a row is the median of the rounds' ratios with the interval of 90 %. A round that lost a delivery, or in which
 * the load itself was late, counts for nothing and is said, but where lateness cannot flatter. Its numbers mean something on a
 * quiet machine only. What some rows have happen meanwhile (`feed/beside.mjs`) is played by this process.
 *
 * `node bench/feed.mjs [ROW…] [OPTIONS]`, after `npm run build`. `--rounds N`: default 15. `--seconds S`: of each measurement, default 2.
 * `--peers`: the row of the peers, too, which are built. `--json FILE`: also writes the rows. `--tiny`: as `npm test` runs it: one
 * short round, of which only the deliveries are judged.
 */
import { writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { endWithSignals } from '../scripts/run.mjs';
import { begin } from './feed/beside.mjs';
import { load, prepareRig, startServer } from './feed/rig.mjs';
import { ROWS } from './feed/rows.mjs';
import { median, medianInterval } from './feed/statistics.mjs';

/** Below the gate of a ratio the interval may reach by so much. */
const SLACK = 0.03;
const TINY_CLIENTS_MAX = 50;
const TINY_RATE_MAX = 500;
const TINY_HANDSHAKES = 50;

/**
 * @typedef {import('./feed/rows.mjs').Report} Report
 * @typedef {import('./feed/rows.mjs').Row} Row
 * @typedef {import('./feed/rows.mjs').Side} Side
 *
 * @typedef {object} Options
 * @property {number} rounds
 * @property {number} seconds
 * @property {boolean} tiny
 *
 * A value of Infinity is a wrong answer, even where values are not judged.
 */

/** @type {Map<string, import('./feed/rig.mjs').Server>} */
const servers = new Map();

/** The server of a side; those of one kind and shape are one. @param {Side} side */
async function serverOf({ kind, shape = {} }) {
  const key = `${kind} ${JSON.stringify(shape)}`;
  const known = servers.get(key);
  if (known !== undefined) return known;
  const started = await startServer(kind, shape);
  servers.set(key, started);
  return started;
}

/** Rows that measure the same are measured once. @param {Row} row */
function measurementOf({ load, subject, control }) {
  return JSON.stringify([load, subject, control]);
}

/** What is left of a load where only the answers count. @param {Row['load']} asked @param {number} seconds */
function tinyOf({ clients, rate, handshakes }, seconds) {
  return {
    seconds,
    clients: Math.min(clients, TINY_CLIENTS_MAX),
    rate: Math.min(rate, TINY_RATE_MAX),
    ...(handshakes === undefined ? {} : { handshakes: TINY_HANDSHAKES }),
  };
}

/** What a side does under its load. @param {Side} side @param {import('./feed/rig.mjs').Load} what @returns {Promise<Report>} */
async function reportOf(side, what) {
  const server = await serverOf(side);
  const end = side.beside === undefined ? undefined : await begin(server, side.beside);
  const report = await load(server, { ...what, ...side.load });
  return end === undefined ? report : { ...report, beside: await end() };
}

/** @param {readonly Row[]} rows that measure the same @param {Options} options */
async function measure(rows, options) {
  const { tiny } = options;
  const [{ load: asked, subject, control, rounds: own = options.rounds }] = /** @type {[Row]} */ (rows);
  const rounds = Math.min(own, options.rounds);
  // Small, the one that something happens to shows all that is judged.
  const sides = tiny && subject.beside !== undefined ? [subject] : [control, subject];
  const shape = {
    seconds: options.seconds,
    warmSeconds: tiny ? 0.1 : 0.5,
    ...asked,
    ...(tiny ? tinyOf(asked, options.seconds) : {}),
  };
  /** @type {[subject: Report, control: Report][]} */
  const measured = [];
  let lost = 0;
  /** @type {Set<string>} */
  const wrong = new Set();
  for (let round = 0; round < rounds; round++) {
    /** @type {Map<Side, Report>} */
    const reports = new Map();
    // Whoever goes first in one round goes last in the next.
    for (const side of round % 2 === 0 ? sides : [...sides].reverse())
      reports.set(side, await reportOf(side, shape));
    const both = /** @type {[Report, Report]} */ ([
      reports.get(subject),
      reports.get(control) ?? reports.get(subject),
    ]);
    for (const { beside } of both) for (const answer of beside?.wrong ?? []) wrong.add(answer);
    lost += both.reduce((sum, report) => sum + report.lost, 0);
    measured.push(both);
  }
  return rows.map((row) => {
    const clean = measured.filter((both) => tiny || row.takesLate === true || both.every(({ ok }) => ok));
    const values = clean.map(([a, b]) => row.value(a, b));
    const [low, high] = medianInterval(values);
    const { of } = row;
    const sides =
      of && [0, 1].map((side) => median(clean.map((both) => of(/** @type {Report} */ (both[side])))));
    const value = median(values);
    const worst = row.isRatio ? low + SLACK : value;
    const isMet = row.side === 'at least' ? worst >= row.gate : value <= row.gate;
    return {
      name: row.name,
      what: row.what,
      clients: shape.clients,
      rate: shape.rate,
      value,
      low,
      high,
      // Of the subject and the control.
      sides,
      gate: `${row.side} ${row.gate}`,
      rounds: clean.length,
      refused: rounds - clean.length,
      lost,
      wrong: [...wrong],
      beside: clean.at(-1)?.[0].beside,
      ok:
        lost === 0 &&
        wrong.size === 0 &&
        value !== Infinity &&
        (tiny || (clean.length * 2 > rounds && isMet)),
    };
  });
}

/** @param {readonly Row[]} rows @returns {Map<string, Row[]>} */
function grouped(rows) {
  /** @type {Map<string, Row[]>} */
  const groups = new Map();
  for (const row of rows) groups.set(measurementOf(row), [...(groups.get(measurementOf(row)) ?? []), row]);
  return groups;
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
      (!tiny || row.inTiny === true || row.load.clients <= TINY_CLIENTS_MAX),
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
  for (const group of grouped(chosen).values()) {
    for (const row of await measure(group, options)) {
      rows.push(row);
      const interval = `${row.low.toFixed(2)}–${row.high.toFixed(2)}`;
      process.stdout.write(
        `${row.name.padEnd(22)}${String(row.rate).padStart(7)}/s ${row.value.toFixed(2).padStart(7)}  ${interval.padEnd(14)}` +
          `${row.gate.padEnd(14)}${row.sides === undefined ? '' : `(${row.sides.map((value) => value.toFixed(1)).join(' beside ')}) `}${row.ok ? (tiny ? 'not judged' : 'PASS') : 'FAIL'}${row.refused > 0 ? ` (${row.refused} rounds refused, ${row.lost} lost)` : ''}` +
          `${row.wrong.map((answer) => `\n  WRONG ANSWER: ${answer}`).join('')}\n`,
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

endWithSignals();
process.exit(await main());
