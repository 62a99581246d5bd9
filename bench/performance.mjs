// @ts-check
/**
 * `node bench/performance.mjs`: writes the README's performance section from the records; `test/performance.test.ts` holds it to them.
 *
 * A row takes its figures out of a record by their names there, so none is typed. Rows of a record that is prose are typed, and every
 * number of them has to stand in it. Each row names its record, which says the machine, its load and the command.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { isMain } from '../scripts/run.mjs';

const README = fileURLToPath(new URL('../README.md', import.meta.url));
const RECORDS = new URL('./record/', import.meta.url);
export const BEGIN = '<!-- figures: node bench/performance.mjs -->';
export const END = '<!-- end of figures -->';

/**
 * @typedef {import('../scripts/bench-report.mjs').Row} Measured
 *
 * @typedef {object} Prose a row of a record that people read
 * @property {string} what
 * @property {string} here
 * @property {string} beside
 * @property {string} record
 *
 * @typedef {object} Taken a row of a record that `bench/take.mjs` or `npm run bench -- --json` wrote
 * @property {string} what
 * @property {(record: Found) => string} here
 * @property {(record: Found) => string} beside
 * @property {string} record
 */

/** A record of figures, and where they stand in it. Throws for one that is not there. */
export class Found {
  /** @param {string} name */
  constructor(name) {
    this.name = name;
    this.json = JSON.parse(textOf(name));
  }

  /**
   * A cell of a table of `depthwire bench`. A row whose name holds a figure is found by a pattern.
   * @param {string} scenario @param {string} title @param {string | RegExp} row @param {string} column @returns {string}
   */
  cell(scenario, title, row, column) {
    const result = this.json.results?.find((/** @type {any} */ one) => one.scenario === scenario);
    const table = result?.tables.find((/** @type {any} */ one) => one.title === title);
    const cells = table?.rows.find((/** @type {any} */ [name]) =>
      typeof row === 'string' ? name === row : row.test(name),
    );
    const text = cells?.[table.heads.indexOf(column)];
    if (text === undefined) throw this.none(`${scenario} · ${title} · ${row} · ${column}`);
    return text;
  }

  /**
   * Rows of the benchmarks over workloads.
   * @param {string} bench @param {RegExp} workloads @param {string} contender @returns {readonly Measured[]}
   */
  rows(bench, workloads, contender) {
    const rows = this.json.rows?.filter((/** @type {Measured} */ row) => {
      return (
        row.bench === bench &&
        row.contender === contender &&
        workloads.test(row.workload) &&
        row.median !== null
      );
    });
    if (rows === undefined || rows.length === 0) throw this.none(`${bench} · ${workloads} · ${contender}`);
    return rows;
  }

  /** Medians of such rows, the least and the greatest. @param {string} bench @param {RegExp} workloads @param {string} contender */
  medians(bench, workloads, contender) {
    const rows = this.rows(bench, workloads, contender);
    return range(rows.map(({ median }) => median ?? Number.NaN));
  }

  /** How many times faster than the baseline. @param {string} bench @param {RegExp} workloads @param {string} contender */
  times(bench, workloads, contender) {
    return range(this.rows(bench, workloads, contender).map(({ ratio }) => 1 / (ratio ?? Number.NaN)));
  }

  /** @param {string} what */
  none(what) {
    return new Error(`${this.name} has no ${what}`);
  }
}

/** The least and the greatest, to two digits. @param {readonly number[]} numbers */
function range(numbers) {
  const text = (/** @type {number} */ number) =>
    number >= 1e5
      ? `${(number / 1e6).toFixed(2)} million`
      : number >= 10
        ? number.toFixed(0)
        : number.toPrecision(2);
  const [least, most] = [text(Math.min(...numbers)), text(Math.max(...numbers))];
  return least === most ? least : `${least.replace(' million', '')}–${most}`;
}

/** @param {string} record */
function textOf(record) {
  return readFileSync(new URL(record, RECORDS), 'utf8');
}

/** A record of figures of the benchmarks over workloads. */
const ROWS = '2026-11-30-rows.json';
/** Records of `depthwire bench`. */
const IN_PROCESS = '2026-11-30-in-process.json';
const REPLAY = '2026-11-30-replay.json';
const RECOVER = '2026-11-30-recover.json';
const WIRE = '2026-11-30-wire.json';
const FANOUT = '2026-11-30-fanout.json';
const SLOW = '2026-11-30-slow.json';
const SOAK = '2026-11-30-soak.json';
/** Servers beside ours in those runs, in the order in which they are told. */
const SERVERS = /** @type {const} */ ([
  ['control', 'a bare uWebSockets.js'],
  ['ws', '`ws`'],
  ['depthwire-feed-peers tungstenite', 'tokio-tungstenite'],
]);

const BINANCE = /^binance-/;
const ALL = /./;
const QUANTILES = /** @type {const} */ (['p50', 'p99', 'p99.9']);

/** @param {Found} record @param {string} scenario @param {string} title @param {string | RegExp} row */
const quantiles = (record, scenario, title, row) =>
  QUANTILES.map((quantile) => record.cell(scenario, title, row, quantile)).join(', ');

/** Over the wire, of what was due without a hiccup of the machine. @param {string} scenario @param {string} title @param {string} server */
const overWire = (scenario, title, server) => (/** @type {Found} */ record) =>
  ['p50', 'p99']
    .map((quantile) =>
      record.cell(scenario, title, new RegExp(`^${server}, (nearly )?[\\d.]+ % without hiccups$`), quantile),
    )
    .join(', ');

/** The same of each server beside ours. @param {string} scenario @param {string} title */
const besideOverWire = (scenario, title) => (/** @type {Found} */ record) =>
  SERVERS.map(([server, name]) => `${name} ${overWire(scenario, title, server)(record)}`).join('; ');

/** @param {string} group @param {string} operation @returns {(record: Found) => string} */
const operation = (group, operation) => (record) => {
  const cell = (/** @type {string} */ head) => record.cell('micro', group, operation, head);
  const count = cell('instructions');
  return cell('time, fastest quarter') + (count === '–' ? '' : `, ${count} instructions`);
};

const [PATH, FROM_JS] = [
  'a text message that changes four levels',
  'a text message that changes four levels, from JavaScript',
];

/** @type {readonly (Taken | Prose)[]} */
export const FIGURES = [
  {
    what: 'level change and exact best prices, recorded Binance streams',
    here: (record) => `${record.medians('l2_apply', BINANCE, 'ladder')} ns`,
    beside: (record) => `an ordered map takes ${record.times('l2_apply', BINANCE, 'ladder')} times that`,
    record: ROWS,
  },
  {
    what: 'order of ES futures, in its queue, and best prices',
    here: (record) => `${record.medians('l3_apply', /^es-mbo$/, 'L3Books')} ns`,
    beside: (record) => `maps and lists take ${record.times('l3_apply', /^es-mbo$/, 'L3Books')} times that`,
    record: ROWS,
  },
  {
    what: 'raw Binance frame to exact best prices, a second',
    here: (record) => record.medians('raw_frame', BINANCE, 'depthwire'),
    beside: (record) =>
      `${record.times('raw_frame', BINANCE, 'depthwire')} times our decoder with an ordered map`,
    record: ROWS,
  },
  {
    what: 'ITCH message, DBN record decoded',
    here: (record) =>
      `${record.medians('itch_decode', ALL, 'depthwire')} ns, ${record.medians('dbn_decode', ALL, 'depthwire')} ns`,
    beside: () => '',
    record: ROWS,
  },
  {
    what: 'a text message of four levels, to its feed frame',
    here: operation(PATH, 'to its feed frame'),
    beside: (record) => `its bytes added up: ${operation(PATH, 'its bytes added up')(record)}`,
    record: IN_PROCESS,
  },
  {
    what: 'the same from JavaScript, the frame taken',
    here: operation(FROM_JS, 'the engine, its feed frame taken'),
    beside: (record) =>
      `JSON.parse, a Map and sorted prices: ${operation(FROM_JS, 'JSON.parse, a Map and sorted prices')(record)}`,
    record: IN_PROCESS,
  },
  {
    what: 'within the engine, 50,000 messages a second at planned times: p50, p99, p99.9',
    here: (record) => quantiles(record, 'pipeline', 'from the planned time to the frame', '50000/s, engine'),
    beside: (record) =>
      `bytes added up at the same times: ${quantiles(record, 'pipeline', 'from the planned time to the frame', '50000/s, control')}`,
    record: IN_PROCESS,
  },
  {
    what: 'planned time → socket → server → WebSocket → read, 2,000 messages a second, without hiccups of the machine: p50, p99',
    here: overWire('wire', '1 subscriber', 'depthwire'),
    beside: besideOverWire('wire', '1 subscriber'),
    record: WIRE,
  },
  {
    what: 'the same with 50 subscribers',
    here: overWire('fanout', '50 subscribers', 'depthwire'),
    beside: besideOverWire('fanout', '50 subscribers'),
    record: FANOUT,
  },
  {
    what: 'twenty subscribers beside one that never reads, over the same without it: p50, p99, median of pairs with its 95 % interval',
    here: (record) =>
      ['p50', 'p99']
        .map((quantile) =>
          record.cell('slow', 'beside them over alone', quantile, 'median, 95 % interval, pairs'),
        )
        .join('; '),
    beside: () => '',
    record: SLOW,
  },
  {
    what: 'ten seconds of recorded Binance BTCUSDT at their own pace, behind it: p50, p99, p99.9',
    here: (record) => quantiles(record, 'replay', 'behind the recording', '1×'),
    beside: (record) => `eight times as fast: ${quantiles(record, 'replay', 'behind the recording', '8×')}`,
    record: REPLAY,
  },
  {
    what: 'a lost message, until readers are told; a book of 100 levels, until a reader has it again: p50, p99',
    here: (record) =>
      [
        'the gap came, until readers are told that the book is stale',
        'the answer came, until a reader has the whole book again',
      ]
        .map((row) => {
          const title = '20 updates wait while the book is asked for, which has 50 levels a side';
          return ['p50', 'p99'].map((quantile) => record.cell('recover', title, row, quantile)).join(', ');
        })
        .join('; '),
    beside: () => '',
    record: RECOVER,
  },
  {
    what: 'an hour of 1,000 messages a second to five subscribers, server and control by turns: p50, over the control’s, memory that is kept, in the first tenth; in the last',
    here: (record) =>
      ['1', '10']
        .map((tenth) =>
          ['p50, middle', 'over the control’s', 'memory, kept']
            .map((column) => record.cell('soak', 'by tenths of the time', tenth, column))
            .join(', '),
        )
        .join('; '),
    beside: () => '',
    record: SOAK,
  },
  {
    what: 'Kraken frame, decoded, applied, cut, checksum compared',
    here: '221.5 ns',
    beside: '',
    record: '2026-11-28-xeon-2vcpu.md',
  },
  {
    what: 'Kraken, OKX and Bitget side by side through the engine, each checksum compared, frames a second a core',
    here: '1.75–1.87 million',
    beside: '',
    record: '2026-11-29-epyc-2vcpu.md',
  },
  {
    what: 'the same, over cryptofeed on what it reads',
    here: '67.7, 41.2, 35.6 times',
    beside: '',
    record: '2026-11-28-xeon-2vcpu.md',
  },
  {
    what: '200 books of a venue that lose their connections at once, over real sockets, each of 29 products',
    here: "synced within 1.2 times the least that the venue's limits allow and 1.5 s; Bitstamp's wait for their market",
    beside: '',
    record: '2026-11-29-epyc-2vcpu.md',
  },
  {
    what: 'an hour of recordings looped through connectors and server, five clients: memory at its least, at its most; CPU a message',
    here: '+0.18 %, −2.13 %; 0.945 times',
    beside: '',
    record: '2026-11-29-epyc-2vcpu.md',
  },
  {
    what: 'the server alone, given frames, to 10, 50, 200, 1,000 clients, deliveries a CPU second over a bare uWebSockets.js publish of the same bytes',
    here: '0.95, 1.02, 1.02, 1.00',
    beside: '',
    record: '2026-11-29-feed.md',
  },
  {
    what: 'clients that come with a token that no server has seen, a second',
    here: '4,190–7,550',
    beside: 'without tokens 20,307',
    record: '2026-11-29-feed.md',
  },
  {
    what: '1,000 clients at once, each with 20 books of 1,000 levels a side, until 99 % have all',
    here: '1.07–1.63 s',
    beside: '',
    record: '2026-11-29-feed.md',
  },
  {
    what: 'a client to which nothing is sent; a thousand of them',
    here: '5.1 KiB; 0.60–1.04 % of a core',
    beside: '',
    record: '2026-11-29-feed.md',
  },
  {
    what: 'a level applied by the TypeScript client, 32 a frame, recorded Binance streams; with checks',
    here: '31.6–59.9 ns; 110.0–136.4 ns',
    beside: 'JSON and a map, which check nothing, take 5.4–10.7 times the first',
    record: '2026-11-30-client.md',
  },
  {
    what: "the page on 20 books at 1,705 messages/s without a GPU, all of the browser's processes; with the heatmap",
    here: '38.6 %, 36.2 % of a core',
    beside: 'a blank page that animates 6.8 %',
    record: '2026-11-30-page.md',
  },
];

/**
 * Numbers of a text, without the commas of thousands.
 * @param {string} text
 */
function numbersIn(text) {
  const plain = text.replaceAll(/(\d),(?=\d{3})/g, '$1');
  return [...plain.matchAll(/\d+(?:\.\d+)?/g)].map(([number]) => number);
}

/**
 * Numbers of a row of prose that its record does not have, rounded as they are; millions are of single ones.
 * @param {Prose} row
 */
export function untold({ here, beside, record }) {
  const told = numbersIn(textOf(record)).map(Number);
  const scale = here.includes(' million') ? [1, 1e6] : [1];
  return numbersIn(`${here} ${beside}`).filter((text) => {
    const digits = text.split('.')[1]?.length ?? 0;
    return !scale.some((by) => told.some((number) => (number / by).toFixed(digits) === text));
  });
}

/** The section, made of the records. Throws where a record lacks what a row wants. */
export function section() {
  /** @type {Map<string, Found>} */
  const founds = new Map();
  const found = (/** @type {string} */ name) => {
    const one = founds.get(name) ?? new Found(name);
    founds.set(name, one);
    return one;
  };
  const rows = FIGURES.map((row) => {
    const isProse = typeof row.here === 'string';
    const [here, beside] = isProse
      ? [row.here, row.beside]
      : [row.here, row.beside].map((cell) => /** @type {Taken['here']} */ (cell)(found(row.record)));
    return `| ${row.what} | ${here} | ${beside} | [record](bench/record/${row.record}) |`;
  });
  const machines = [...founds.values()].map(
    ({ name, json: { machine, command, verdict } }) =>
      `* [${name}](bench/record/${name}): ${machineText(machine)}, ${verdictText(verdict)}\`${command ?? 'npm run bench -- --quick'}\``,
  );
  return [
    BEGIN,
    '',
    '| what | here | beside it in the same run | record |',
    '|---|---|---|---|',
    ...rows,
    '',
    ...machines,
    '',
    END,
  ].join('\n');
}

/** @param {{ word: string, reasons: readonly string[] } | undefined} verdict */
function verdictText(verdict) {
  if (verdict === undefined) return '';
  return `${[verdict.word, ...verdict.reasons].join('; ')}; `;
}

/** @param {any} machine */
function machineText(machine) {
  const processor =
    `${machine.processor ?? machine.cpu}, ${machine.cores} ${machine.virtual ?? ''} cores`.replace('  ', ' ');
  const load = machine.load ?? machine.loadAverage[0];
  return `${processor}, load ${load.toFixed(2)}, ${machine.date.slice(0, 10)}`;
}

/** The README with the section in its place. @param {string} readme */
export function withSection(readme) {
  const [from, to] = [readme.indexOf(BEGIN), readme.indexOf(END)];
  if (from === -1 || to < from) throw new Error('the README has no place for the figures');
  return readme.slice(0, from) + section() + readme.slice(to + END.length);
}

if (isMain(import.meta.url)) writeFileSync(README, withSection(readFileSync(README, 'utf8')));
