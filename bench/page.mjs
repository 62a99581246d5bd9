// @ts-check
/**
 * What the page costs: CPU of all browser processes, frames a second and heap, on a served recording, without a GPU.
 *
 *     node bench/page.mjs [--minutes N] [--size 1440x900] [--only WORDS OF A ROW] [--json FILE] [-- OPTIONS OF serve]
 *
 * Needs `npm run build`, a Chromium (DEPTHWIRE_CHROMIUM, or on the path), and recordings (DEPTHWIRE_DATA) unless options
 * of `serve` name what to serve. Rows: a blank page that animates (the control), the page with the heatmap closed and
 * open. The machine should do nothing else.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { WebSocket } from 'ws';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const DATA = process.env.DEPTHWIRE_DATA ?? path.join(ROOT, '../shared/data');
/** 10 books; at this speed the venue tells some 1,700 messages/s, of which a fifth reaches the page. */
const RECORDING = path.join(DATA, 'kraken/kraken_v1_20210405.txt.zst');
const SPEED = '14';
/** `/proc` counts in these. */
const TICKS_PER_SECOND = 100;
const WARM_MS = 8000;
const SAMPLES = 6;
const SETTLE_MS = 1500;

const { values: options, positionals: serveOptions } = parseArgs({
  allowPositionals: true,
  options: {
    minutes: { type: 'string', default: '1' },
    size: { type: 'string', default: '1440x900' },
    json: { type: 'string' },
    only: { type: 'string' },
  },
});

/** The utime and stime of a process and all that it has started, in ticks. @param {number} root */
function ticksOf(root) {
  /** @type {Map<number, number[]>} */
  const children = new Map();
  /** @type {Map<number, number>} */
  const ticks = new Map();
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    let stat;
    try {
      stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    } catch {
      continue;
    }
    // The command may hold spaces and brackets: fields are counted from behind it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const parent = Number(fields[1]);
    children.set(parent, [...(children.get(parent) ?? []), pid]);
    ticks.set(pid, Number(fields[11]) + Number(fields[12]));
  }
  let sum = 0;
  const queue = [root];
  for (let pid = queue.pop(); pid !== undefined; pid = queue.pop()) {
    sum += ticks.get(pid) ?? 0;
    queue.push(...(children.get(pid) ?? []));
  }
  return sum;
}

function chromiumPath() {
  const found = [process.env.DEPTHWIRE_CHROMIUM, '/usr/bin/chromium', '/usr/bin/google-chrome'].find(
    (file) => file !== undefined && existsSync(file),
  );
  if (found === undefined) throw new Error('no Chromium: name one in DEPTHWIRE_CHROMIUM');
  return found;
}

/** @returns {Promise<{ url: string, stop: () => void }>} */
async function serve() {
  const given = serveOptions.length > 0;
  if (!given && !existsSync(RECORDING)) throw new Error(`no recording at ${RECORDING}: set DEPTHWIRE_DATA`);
  const what = given ? serveOptions : ['--replay', RECORDING, '--speed', SPEED, '--loop'];
  const child = spawn(
    process.execPath,
    [path.join(ROOT, 'dist/cli/main.js'), 'serve', '--port', '0', ...what],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  process.on('exit', () => child.kill('SIGKILL'));
  let text = '';
  const url = await new Promise((resolve, reject) => {
    const read = (/** @type {Buffer} */ chunk) => {
      text += chunk;
      const found = /http:\/\/(?:127\.0\.0\.1|localhost|\[::1\]):\d+\//.exec(text);
      if (found !== null) resolve(found[0]);
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.once('exit', (code) => reject(new Error(`serve ended with ${code}:\n${text}`)));
  });
  return { url, stop: () => child.kill('SIGTERM') };
}

/**
 * @typedef {{ row: string, seconds: number, cpuPercent: number, framesPerSecond: number, heapMbFirst: number,
 *   heapMbLast: number, heapMbMax: number, messagesPerSecond: number, heatmapDraws: number }} Row
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
  process.on('exit', () => {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });
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

/** @param {string} row @param {string} address @param {number} seconds @returns {Promise<Row>} */
async function measure(row, address, seconds) {
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
  let [cpu, spent] = [0, 0];
  let last = first;
  for (let sample = 0; sample < SAMPLES; sample += 1) {
    // What asking costs is not the page's.
    await pause(SETTLE_MS);
    const before = { ticks: ticksOf(pid), ms: performance.now() };
    await pause((seconds * 1000) / SAMPLES);
    spent += (performance.now() - before.ms) / 1000;
    cpu += (ticksOf(pid) - before.ticks) / TICKS_PER_SECOND;
    last = await state();
    heaps.push(last.heapMb);
    messages.push(Number.parseFloat(last.rate.replaceAll(',', '')));
  }
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.removeAllListeners('exit');
  child.kill('SIGTERM');
  await Promise.race([gone, pause(3000)]);
  const round = (/** @type {number} */ value) => Math.round(value * 100) / 100;
  return {
    row,
    seconds: Math.round(spent),
    cpuPercent: round((cpu / spent) * 100),
    framesPerSecond: round(((last.frames - first.frames) / (last.atMs - first.atMs)) * 1000),
    heapMbFirst: round(heaps[1] ?? 0),
    heapMbLast: round(heaps.at(-1) ?? 0),
    heapMbMax: round(Math.max(...heaps)),
    messagesPerSecond: round(messages.reduce((sum, rate) => sum + rate, 0) / messages.length),
    heatmapDraws: last.draws - first.draws,
  };
}

const seconds = Number(options.minutes) * 60;
const server = await serve();
/** @type {Row[]} */
const rows = [];
const cases = [
  ['blank page, animated', 'data:text/html,blank'],
  ['heatmap closed', `${server.url}#heat=0`],
  ['heatmap open', `${server.url}#heat=1`],
].filter(([name]) => options.only === undefined || name?.includes(options.only));
console.log(`${cpus().length} × ${cpus()[0]?.model}, ${options.size}, ${options.minutes} min a row`);
try {
  for (const [name = '', address = ''] of cases) {
    const row = await measure(name, address, seconds);
    rows.push(row);
    console.log(JSON.stringify(row));
  }
} finally {
  server.stop();
}
if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(rows, null, 1)}\n`);
process.exit(0);
