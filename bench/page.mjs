// @ts-check
/**
 * What the page costs: CPU of all browser processes, frames a second and heap, on a served recording, without a GPU.
 *
 *     node bench/page.mjs [--minutes N] [--rounds N] [--against FOLDER] [--size 1440x900] [--only WORDS OF A ROW]
 *                         [--instrument NAME] [--json FILE] [-- OPTIONS OF serve]
 *
 * Needs `npm run build`, a Chromium (DEPTHWIRE_CHROMIUM, or on the path), and recordings (DEPTHWIRE_DATA) unless options
 * of `serve` name what to serve; else it serves the twenty books of `page-recording.mjs`. Rows: a blank page that animates
 * (the control), the page with the heatmap closed and open. Each row is told by process and thread, and with the load of
 * the machine, which should do nothing else.
 *
 * `--against`: another checkout, built, whose page is measured by turns with this one's, so that both see the same machine.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { WebSocket } from 'ws';
import { BUSIEST, sourcesOf, writeRecording } from './page-recording.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const DATA = process.env.DEPTHWIRE_DATA ?? path.join(ROOT, '../shared/data');
/** `/proc` counts in these. */
const TICKS_PER_SECOND = 100;
const WARM_MS = 8000;
const SAMPLES = 6;
const SETTLE_MS = 1500;

const { values: options, positionals: serveOptions } = parseArgs({
  allowPositionals: true,
  options: {
    minutes: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '1' },
    against: { type: 'string' },
    instrument: { type: 'string' },
    size: { type: 'string', default: '1440x900' },
    json: { type: 'string' },
    only: { type: 'string' },
  },
});

/** @type {import('node:child_process').ChildProcess[]} */
const started = [];
/** @type {string[]} */
const folders = [];
process.on('exit', () => {
  for (const child of started) child.kill('SIGKILL');
  for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

/**
 * The CPU time of a process and all that it has started, in ticks, by kind of process and name of thread.
 * @param {number} root
 * @returns {Map<string, number>}
 */
function ticksOf(root) {
  /** @type {Map<number, number[]>} */
  const children = new Map();
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    const stat = Number.isInteger(pid) ? read(`/proc/${pid}/stat`) : '';
    if (stat === '') continue;
    const parent = Number(fieldsOf(stat)[1]);
    children.set(parent, [...(children.get(parent) ?? []), pid]);
  }
  /** @type {Map<string, number>} */
  const ticks = new Map();
  const queue = [root];
  for (let pid = queue.pop(); pid !== undefined; pid = queue.pop()) {
    queue.push(...(children.get(pid) ?? []));
    // The whole process, so that threads that have ended count; then what of it which thread took.
    let left = ticksIn(read(`/proc/${pid}/stat`));
    const kind = /--type=([\w-]+)/.exec(read(`/proc/${pid}/cmdline`))?.[1] ?? 'browser';
    const add = (/** @type {string} */ thread, /** @type {number} */ by) => {
      const name = `${kind}/${thread}`;
      ticks.set(name, (ticks.get(name) ?? 0) + by);
      left -= by;
    };
    for (const thread of threadsOf(pid)) {
      const stat = read(`/proc/${pid}/task/${thread}/stat`);
      const name = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
      add(thread === String(pid) ? 'main' : name.replace(/[\d/]+$/, ''), ticksIn(stat));
    }
    add('ended', left);
  }
  return ticks;
}

/** @param {number} pid @returns {string[]} */
function threadsOf(pid) {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

/** What a file of `/proc` says; nothing where its process has ended. @param {string} file */
function read(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** The command may hold spaces and brackets: fields are counted from behind it. @param {string} stat */
const fieldsOf = (stat) => stat.slice(stat.lastIndexOf(')') + 2).split(' ');

/** utime and stime. @param {string} stat */
const ticksIn = (stat) => (stat === '' ? 0 : Number(fieldsOf(stat)[11]) + Number(fieldsOf(stat)[12]));

function chromiumPath() {
  const found = [process.env.DEPTHWIRE_CHROMIUM, '/usr/bin/chromium', '/usr/bin/google-chrome'].find(
    (file) => file !== undefined && existsSync(file),
  );
  if (found === undefined) throw new Error('no Chromium: name one in DEPTHWIRE_CHROMIUM');
  return found;
}

/**
 * The server of a checkout.
 * @param {string} root
 * @param {readonly string[]} what
 * @returns {Promise<{ url: string, stop: () => Promise<void> }>}
 */
async function serve(root, what) {
  const child = spawn(
    process.execPath,
    [path.join(root, 'dist/cli/main.js'), 'serve', '--port', '0', ...what],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  started.push(child);
  let text = '';
  const url = await new Promise((resolve, reject) => {
    const listen = (/** @type {Buffer} */ chunk) => {
      text += chunk;
      const found = /http:\/\/(?:127\.0\.0\.1|localhost|\[::1\]):\d+\//.exec(text);
      if (found !== null) resolve(found[0]);
    };
    child.stdout.on('data', listen);
    child.stderr.on('data', listen);
    child.once('exit', (code) => reject(new Error(`serve ended with ${code}:\n${text}`)));
  });
  const stop = async () => {
    child.removeAllListeners('exit');
    child.kill('SIGTERM');
    await once(child, 'exit');
  };
  return { url, stop };
}

/**
 * `cpuPercent` is of one core, `threads` the parts of it from one percent on. `messagesPerSecond` are those that reach the
 * page, `load` the machine's of the last minute.
 * @typedef {{ row: string, of: string, seconds: number, cpuPercent: number, framesPerSecond: number, heapMbFirst: number,
 *   heapMbLast: number, heapMbMax: number, messagesPerSecond: number, drawsPerSecond: number, load: number,
 *   threads: Readonly<Record<string, number>> }} Row
 */

/** Counts frames and drawn columns from inside the page. */
const COUNTERS = `globalThis.__frames = 0; globalThis.__draws = 0;
  (function count() { globalThis.__frames += 1; requestAnimationFrame(count); })();
  const heat = document.querySelector('.heat-canvas');
  if (heat) new MutationObserver(() => { globalThis.__draws += 1; })
    .observe(heat, { attributes: true, attributeFilter: ['data-newest'] });`;

const STATE = `[__frames, __draws, document.querySelector('[data-health="messages"]')?.textContent ?? '0']`;

/** A browser with one page, which nobody debugs: a debugger is told of each message, and costs as much as the page. */
async function launch(/** @type {string} */ address) {
  const folder = mkdtempSync(path.join(tmpdir(), 'depthwire-page-'));
  const child = spawn(
    chromiumPath(),
    [
      ...[
        '--headless',
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-sync',
      ],
      ...['--disable-background-networking', '--disable-component-update', '--remote-debugging-port=0'],
      `--window-size=${options.size.replace('x', ',')}`,
      `--user-data-dir=${folder}`,
      address,
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  started.push(child);
  folders.push(folder);
  let text = '';
  const endpoint = await new Promise((resolve, reject) => {
    child.stderr.on('data', (chunk) => {
      text += chunk;
      const found = /ws:\/\/\S+/.exec(text);
      if (found !== null) resolve(found[0]);
    });
    child.once('exit', (code) => reject(new Error(`Chromium ended with ${code}:\n${text}`)));
  });
  return { child, endpoint };
}

/**
 * Asks the page by the browser's own protocol, for a moment: a library would leave its helpers in the page's heap.
 * @param {string} endpoint the browser's
 * @param {readonly [method: string, parameters?: object][]} calls
 * @returns {Promise<any[]>} what each call answers
 */
async function asked(endpoint, calls) {
  const list = /** @type {any[]} */ (
    await (await fetch(`http://${new URL(endpoint).host}/json/list`)).json()
  );
  const socket = new WebSocket(list.find(({ type }) => type === 'page').webSocketDebuggerUrl);
  await once(socket, 'open');
  const answers = [];
  for (const [id, [method, params = {}]] of calls.entries()) {
    socket.send(JSON.stringify({ id, method, params }));
    const [data] = await once(socket, 'message');
    answers.push(JSON.parse(String(data)).result);
  }
  socket.close();
  await once(socket, 'close');
  return answers;
}

/**
 * @param {string} row
 * @param {string} of the checkout
 * @param {string} address
 * @param {number} seconds
 * @returns {Promise<Row>}
 */
async function measure(row, of, address, seconds) {
  const { child, endpoint } = await launch(address);
  const pid = child.pid ?? 0;
  await pause(WARM_MS);
  await asked(endpoint, [['Runtime.evaluate', { expression: COUNTERS }]]);
  const state = async () => {
    const [, heap, page] = await asked(endpoint, [
      ['HeapProfiler.collectGarbage'],
      ['Runtime.getHeapUsage'],
      ['Runtime.evaluate', { expression: STATE, returnByValue: true }],
    ]);
    const [frames, draws, rate] = /** @type {[number, number, string]} */ (page.result.value);
    return { heapMb: heap.usedSize / 1e6, frames, draws, rate, atMs: performance.now() };
  };
  const first = await state();
  const heaps = [first.heapMb];
  const messages = [];
  let spent = 0;
  /** @type {Map<string, number>} */
  const cpu = new Map();
  let last = first;
  for (let sample = 0; sample < SAMPLES; sample += 1) {
    // What asking costs is not the page's.
    await pause(SETTLE_MS);
    const before = { ticks: ticksOf(pid), ms: performance.now() };
    await pause((seconds * 1000) / SAMPLES);
    spent += (performance.now() - before.ms) / 1000;
    const after = ticksOf(pid);
    for (const name of new Set([...before.ticks.keys(), ...after.keys()])) {
      const by = (after.get(name) ?? 0) - (before.ticks.get(name) ?? 0);
      cpu.set(name, (cpu.get(name) ?? 0) + by / TICKS_PER_SECOND);
    }
    last = await state();
    heaps.push(last.heapMb);
    messages.push(Number.parseFloat(last.rate.replaceAll(',', '')));
  }
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.removeAllListeners('exit');
  child.kill('SIGTERM');
  await Promise.race([gone, pause(3000)]);
  const round = (/** @type {number} */ value) => Math.round(value * 100) / 100;
  const perSecond = (/** @type {number} */ count) => round((count / (last.atMs - first.atMs)) * 1000);
  const percents = [...cpu].map(([name, used]) => /** @type {const} */ ([name, (used / spent) * 100]));
  return {
    row,
    of,
    seconds: Math.round(spent),
    cpuPercent: round(percents.reduce((sum, [, percent]) => sum + percent, 0)),
    framesPerSecond: perSecond(last.frames - first.frames),
    heapMbFirst: round(heaps[1] ?? 0),
    heapMbLast: round(heaps.at(-1) ?? 0),
    heapMbMax: round(Math.max(...heaps)),
    messagesPerSecond: round(messages.reduce((sum, rate) => sum + rate, 0) / messages.length),
    drawsPerSecond: perSecond(last.draws - first.draws),
    load: round(loadavg()[0] ?? 0),
    threads: Object.fromEntries(
      percents
        .filter(([, percent]) => percent >= 1)
        .sort(([, a], [, b]) => b - a)
        .map(([name, percent]) => [name, round(percent)]),
    ),
  };
}

/** What `serve` is told to serve: the recording is made where nothing is named. @returns {Promise<readonly string[]>} */
async function whatToServe() {
  if (serveOptions.length > 0) return serveOptions;
  const missing = sourcesOf(DATA).find((file) => !existsSync(file));
  if (missing !== undefined) throw new Error(`no recording at ${missing}: set DEPTHWIRE_DATA`);
  const folder = mkdtempSync(path.join(tmpdir(), 'depthwire-recording-'));
  folders.push(folder);
  const file = path.join(folder, 'twenty-books.txt');
  await writeRecording(DATA, file);
  return ['--replay', file, '--loop'];
}

const seconds = Number(options.minutes) * 60;
const what = await whatToServe();
const instrument = options.instrument ?? (serveOptions.length > 0 ? '' : BUSIEST);
const chosen = instrument === '' ? '' : `&instrument=${encodeURIComponent(instrument)}`;
const roots = [ROOT, ...(options.against === undefined ? [] : [path.resolve(options.against)])];
const cases = [
  ['blank page, animated', undefined],
  ['heatmap closed', `#heat=0${chosen}`],
  ['heatmap open', `#heat=1${chosen}`],
].filter(([name]) => options.only === undefined || name?.includes(options.only));
/** @type {Row[]} */
const rows = [];
console.log(`${cpus().length} × ${cpus()[0]?.model}, ${options.size}, ${options.minutes} min a row`);
for (let round = 0; round < Number(options.rounds); round += 1) {
  for (const [name = '', place] of cases) {
    for (const root of place === undefined ? [ROOT] : roots) {
      const server = place === undefined ? undefined : await serve(root, what);
      const address = server === undefined ? 'data:text/html,blank' : `${server.url}${place}`;
      const row = await measure(name, root === ROOT ? 'this' : root, address, seconds);
      rows.push(row);
      console.log(JSON.stringify(row));
      await server?.stop();
    }
  }
}
if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(rows, null, 1)}\n`);
process.exit(0);
