// @ts-check
/**
 * What the page costs: CPU of all browser processes, frames a second and heap, on a served recording, without a GPU.
 *
 *     node bench/page.mjs [--minutes N] [--size 1440x900] [--json FILE] [-- OPTIONS OF serve]
 *
 * Needs `npm run build`, a Chromium (DEPTHWIRE_CHROMIUM, or on the path), and recordings (DEPTHWIRE_DATA) unless options
 * of `serve` name what to serve. Rows: a blank page that animates (the control), the page with the heatmap closed and
 * open. The machine should do nothing else.
 */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const DATA = process.env.DEPTHWIRE_DATA ?? path.join(ROOT, '../shared/data');
/** 10 books; at this speed some 1,700 messages/s of the feed reach the page. */
const RECORDING = path.join(DATA, 'kraken/kraken_v1_20210405.txt.zst');
const SPEED = '12';
/** `/proc` counts in these. */
const TICKS_PER_SECOND = 100;
const WARM_MS = 8000;
const SAMPLES = 12;

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
 * @typedef {{ row: string, seconds: number, cpuPercent: number, scriptPercent: number, layoutPercent: number,
 *   framesPerSecond: number, framesPerSecondMin: number, heapMbFirst: number, heapMbLast: number, heapMbMax: number,
 *   messagesPerSecond: number, heatmapDraws: number }} Row
 */

/** @param {string} row @param {string} address @param {number} seconds @returns {Promise<Row>} */
async function measure(row, address, seconds) {
  const server = await chromium.launchServer({
    executablePath: chromiumPath(),
    headless: true,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
    ],
  });
  const pid = server.process().pid ?? 0;
  const browser = await chromium.connect(server.wsEndpoint());
  const [width = 1440, height = 900] = options.size.split('x').map(Number);
  const page = await (await browser.newContext({ viewport: { width, height } })).newPage();
  let messages = 0;
  page.on('websocket', (socket) =>
    socket.on('framereceived', () => {
      messages += 1;
    }),
  );
  await page.goto(address);
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('Performance.enable');
  await page.evaluate(`globalThis.__frames = 0; globalThis.__draws = 0;
    (function count() { globalThis.__frames += 1; requestAnimationFrame(count); })();
    const heat = document.querySelector('.heat-canvas');
    if (heat) new MutationObserver(() => { globalThis.__draws += 1; }).observe(heat, { attributes: true, attributeFilter: ['data-newest'] });`);
  await page.waitForTimeout(WARM_MS);
  const metrics = async () => {
    const answer = await cdp.send('Performance.getMetrics');
    const of = (/** @type {string} */ name) => answer.metrics.find((one) => one.name === name)?.value ?? 0;
    return { script: of('ScriptDuration'), layout: of('LayoutDuration') + of('RecalcStyleDuration') };
  };
  const heap = async () => {
    await cdp.send('HeapProfiler.collectGarbage');
    return (await cdp.send('Runtime.getHeapUsage')).usedSize / 1e6;
  };
  const frames = async () => Number(await page.evaluate('globalThis.__frames'));
  const heaps = [await heap()];
  /** @type {number[]} */
  const rates = [];
  let [cpu, script, layout, seen, spent] = [0, 0, 0, 0, 0];
  const [messagesBefore, drawsBefore] = [messages, Number(await page.evaluate('globalThis.__draws'))];
  // The collections between the samples are not the page's, and stand outside them.
  for (let sample = 0; sample < SAMPLES; sample += 1) {
    const before = {
      ticks: ticksOf(pid),
      frames: await frames(),
      ms: performance.now(),
      ...(await metrics()),
    };
    await page.waitForTimeout((seconds * 1000) / SAMPLES);
    const after = {
      ticks: ticksOf(pid),
      frames: await frames(),
      ms: performance.now(),
      ...(await metrics()),
    };
    const took = (after.ms - before.ms) / 1000;
    spent += took;
    cpu += (after.ticks - before.ticks) / TICKS_PER_SECOND;
    script += after.script - before.script;
    layout += after.layout - before.layout;
    seen += after.frames - before.frames;
    rates.push((after.frames - before.frames) / took);
    heaps.push(await heap());
  }
  const draws = Number(await page.evaluate('globalThis.__draws')) - drawsBefore;
  await browser.close();
  await server.close();
  const percent = (/** @type {number} */ value) => Math.round((value / spent) * 1000) / 10;
  return {
    row,
    seconds: Math.round(spent),
    cpuPercent: percent(cpu),
    scriptPercent: percent(script),
    layoutPercent: percent(layout),
    framesPerSecond: Math.round((seen / spent) * 10) / 10,
    framesPerSecondMin: Math.round(Math.min(...rates) * 10) / 10,
    heapMbFirst: Math.round((heaps[1] ?? 0) * 100) / 100,
    heapMbLast: Math.round((heaps.at(-1) ?? 0) * 100) / 100,
    heapMbMax: Math.round(Math.max(...heaps) * 100) / 100,
    messagesPerSecond: Math.round((messages - messagesBefore) / spent),
    heatmapDraws: draws,
  };
}

const seconds = Number(options.minutes) * 60;
const server = await serve();
/** @type {Row[]} */
const rows = [];
const cases = [
  ['blank page, animated', 'about:blank'],
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
