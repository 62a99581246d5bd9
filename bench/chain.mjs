// @ts-check
/**
 * `node bench/chain.mjs [--options 2000] [--speed 2] [--seconds 20] [--page]`: a chain of the fake venue's options, whose books change
 * `speed` × 10 times a second each, served by `depthwire serve` in a process of its own. Prints what a book of it costs: resident
 * memory with the chain and with its first four options alone, the server's processor time a book update, and with `--page` the
 * frames a second, the time to an answered key and the processor time of the page that shows one expiry.
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    options: { type: 'string', default: '2000' },
    speed: { type: 'string', default: '2' },
    seconds: { type: 'string', default: '20' },
    page: { type: 'boolean', default: false },
  },
});
const CLI = path.join(import.meta.dirname, '../dist/cli/main.js');
const VENUE_PORT = 18_741;
const PORT = 18_742;
const SMALL = 4;
const TICKS_A_SECOND = Number(execFileSync('getconf', ['CLK_TCK']));

/** @param {number} ms */
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** @param {number | undefined} pid */
function processorSeconds(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND;
}

/** @param {number | undefined} pid */
function residentBytes(pid) {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]) * 1024;
}

/** @param {string} where */
const ask = async (where) => (await fetch(`http://127.0.0.1:${PORT}${where}`)).text();

async function updates() {
  return Number(
    /^depthwire_book_messages_applied_total (\d+)/m.exec(await ask('/metrics'))?.[1] ?? Number.NaN,
  );
}

/**
 * @param {number} count
 * @param {(server: import('node:child_process').ChildProcess) => Promise<void>} [look]
 */
async function measure(count, look) {
  const folder = mkdtempSync(path.join(tmpdir(), 'depthwire-chain-'));
  const chain = [
    '--venue',
    'deribit',
    '--chain',
    String(count),
    '--speed',
    values.speed,
    '--port',
    String(VENUE_PORT),
  ];
  const venue = spawn(process.execPath, [CLI, 'fake-venue', ...chain], { stdio: 'ignore' });
  await wait(3000);
  const hosts = ['wss://www.deribit.com=ws', 'https://www.deribit.com=http'].flatMap((host) => [
    '--url',
    `${host}://127.0.0.1:${VENUE_PORT}/www.deribit.com`,
  ]);
  const own = ['--port', String(PORT), '--cache-dir', folder, '--subscriptions-max', '16384'];
  const server = spawn(process.execPath, [CLI, 'serve', 'deribit:BTC-*-*', ...hosts, ...own], {
    stdio: 'ignore',
  });
  try {
    let synced = 0;
    for (let tries = 0; synced < count && tries < 120; tries += 1) {
      await wait(1000);
      synced = await ask('/health').then(
        (text) => JSON.parse(text).books.synced,
        () => 0,
      );
    }
    await wait(5000);
    const before = { at: performance.now(), cpu: processorSeconds(server.pid), updates: await updates() };
    await wait(Number(values.seconds) * 1000);
    const seconds = (performance.now() - before.at) / 1000;
    const cpu = processorSeconds(server.pid) - before.cpu;
    const told = (await updates()) - before.updates;
    const books = JSON.parse(await ask('/health')).books;
    console.log(
      `${count} options: ${books.synced} synced, ${books.stale} stale; ${(told / seconds).toFixed(0)} book updates/s (${(told / seconds / count).toFixed(1)} a book); ` +
        `server ${(cpu / seconds).toFixed(2)} processors, ${((cpu / told) * 1e6).toFixed(1)} µs of processor a book update with its quotes and tickers; ` +
        `resident ${(residentBytes(server.pid) / 1e6).toFixed(0)} MB; load ${loadavg()
          .map((load) => load.toFixed(1))
          .join(' ')}`,
    );
    await look?.(server);
    return residentBytes(server.pid);
  } finally {
    for (const process of [server, venue]) {
      const gone = new Promise((resolve) => process.once('exit', resolve));
      process.kill('SIGTERM');
      await gone;
    }
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The page's frames, keys and processor time, by a headless Chromium. */
async function look() {
  const { chromium } = await import('playwright-core');
  const executablePath = process.env.DEPTHWIRE_CHROMIUM ?? '/usr/bin/chromium';
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
  try {
    const page = await browser.newPage({ viewport: { width: 1600, height: 900 } });
    const session = await page.context().newCDPSession(page);
    await session.send('Performance.enable');
    await page.goto(`http://127.0.0.1:${PORT}/#heat=0`);
    await page.waitForSelector('.instrument', { timeout: 30_000 });
    await page.keyboard.press('x');
    await page.waitForSelector('.chain-row .bid', { timeout: 30_000 });
    await wait(5000);
    const busy = async () => {
      const { metrics } = await session.send('Performance.getMetrics');
      return metrics.find(({ name }) => name === 'TaskDuration')?.value ?? Number.NaN;
    };
    const [before, at] = [await busy(), performance.now()];
    const frames = await page.evaluate(
      (ms) =>
        new Promise((resolve) => {
          let count = 0;
          const begun = performance.now();
          const frame = () => {
            count += 1;
            if (performance.now() - begun < ms) requestAnimationFrame(frame);
            else resolve(count / ((performance.now() - begun) / 1000));
          };
          requestAnimationFrame(frame);
        }),
      10_000,
    );
    const share = ((await busy()) - before) / ((performance.now() - at) / 1000);
    await page.locator('.chain-rows').focus();
    // From the key to the frame in which the chosen option is another.
    const answers = await page.evaluate(async () => {
      const rows = /** @type {HTMLElement} */ (document.querySelector('.chain-rows'));
      /** @type {number[]} */
      const took = [];
      const chosen = () => document.querySelector('.chain-side[data-chosen]');
      for (let nth = 0; nth < 40; nth += 1) {
        const [was, begun] = [chosen(), performance.now()];
        const key = nth % 2 === 0 ? 'ArrowLeft' : 'ArrowRight';
        rows.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
        while (chosen() === was && performance.now() - begun < 2000)
          await new Promise((resolve) => requestAnimationFrame(resolve));
        took.push(performance.now() - begun);
        await new Promise((resolve) => setTimeout(resolve, 30));
      }
      return took.sort((a, b) => a - b);
    });
    const drawn = await page.locator('.chain-row:not([data-unused])').count();
    const measures = await page.locator('.chain-measures').textContent();
    console.log(
      `page: ${Number(frames).toFixed(1)} frames/s, ${(share * 100).toFixed(0)} % of a processor in its main thread, a key answered in ` +
        `${answers[20]?.toFixed(0)} ms (median), ${answers.at(-1)?.toFixed(0)} ms (longest of ${answers.length}); ${drawn} rows drawn; ${measures}`,
    );
  } finally {
    await browser.close();
  }
}

const count = Number(values.options);
const few = await measure(SMALL);
const many = await measure(count, values.page ? look : undefined);
console.log(`${((many - few) / (count - SMALL) / 1024).toFixed(1)} KiB resident a book of the chain`);
