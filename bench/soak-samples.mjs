// @ts-check
/** What the soak reads of the server, and what it makes of it. */
import { readdirSync, readFileSync } from 'node:fs';

const TENTHS = 10;
const THIRDS = 3;
const GROWTH_MAX = 0.02;
const RATIO_MAX = 1.05;

/**
 * @typedef {object} Sample
 * @property {number} atMs
 * @property {number} memoryBytes resident
 * @property {number} cpuMicros since the process began
 * @property {number} messages taken in since then
 */

/** @param {{ pid: number, url: string }} server @returns {Promise<Sample>} */
export async function sample({ pid, url }) {
  const messages = counterIn(await metricsOf(url), 'frames_received_total');
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const [, kib = '0'] = /^VmRSS:\s+(\d+) kB$/m.exec(status) ?? [];
  return {
    atMs: performance.now(),
    memoryBytes: Number(kib) * 1024,
    cpuMicros: cpuMicrosOf(pid),
    messages,
  };
}

/**
 * Time on a processor of all threads. In nanoseconds, where that of the process is counted in hundredths of a second only, of
 * which a second of a soak has five.
 * @param {number} pid
 */
function cpuMicrosOf(pid) {
  const tasks = `/proc/${pid}/task`;
  return readdirSync(tasks).reduce((sum, task) => {
    const [ns] = readFileSync(`${tasks}/${task}/schedstat`, 'utf8').split(' ');
    return sum + Number(ns) / 1000;
  }, 0);
}

/** @param {string} url */
async function metricsOf(url) {
  const answer = await fetch(`${url}metrics`);
  return answer.text();
}

/** @param {string} metrics @param {string} name */
function counterIn(metrics, name) {
  const head = `\ndepthwire_${name} `;
  const at = metrics.indexOf(head);
  return at === -1 ? 0 : Number.parseFloat(metrics.slice(at + head.length));
}

/** What the server says of itself. @param {string} url */
export async function counters(url) {
  const metrics = await metricsOf(url);
  const { sources } = /** @type {{ sources: Parameters<typeof reconnectsOf>[0] }} */ (
    await (await fetch(`${url}v1/sources`)).json()
  );
  const number = (/** @type {string} */ name) => counterIn(metrics, name);
  const synced = number('books{state="synced"}');
  return {
    checked: number('checksums_checked_total'),
    matched: number('checksums_matched_total'),
    books: { synced, all: synced + number('books{state="syncing"}') + number('books{state="stale"}') },
    reconnects: reconnectsOf(sources),
  };
}

/** @param {readonly { connections: readonly { reconnects: number }[] }[]} sources */
function reconnectsOf(sources) {
  return sources
    .flatMap(({ connections }) => connections)
    .reduce((sum, { reconnects }) => sum + reconnects, 0);
}

/** @param {readonly number[]} numbers */
function median(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

/**
 * The first tenth is left out as the warm-up; the rest is cut into parts, each with every sample but its first and the one
 * before it.
 * @param {readonly Sample[]} samples @param {number} count
 */
function parts(samples, count) {
  const [first, last] = [samples[0]?.atMs ?? 0, samples.at(-1)?.atMs ?? 0];
  const fromMs = first + (last - first) / TENTHS;
  const spanMs = (last - fromMs) / count;
  return Array.from({ length: count }, (_, nth) => {
    const begins = fromMs + nth * spanMs;
    return samples.slice(1).flatMap((now, at) => {
      const before = /** @type {Sample} */ (samples[at]);
      return before.atMs >= begins && now.atMs <= begins + spanMs + 1e-6 ? [{ before, now }] : [];
    });
  });
}

/** Medians of ten parts. @param {readonly Sample[]} samples */
export function tenths(samples) {
  return parts(samples, TENTHS).map((part) => ({
    memoryBytes: median(part.map(({ now }) => now.memoryBytes)),
    cpuMicros: median(
      part
        .filter(({ before, now }) => now.messages > before.messages)
        .map(({ before, now }) => (now.cpuMicros - before.cpuMicros) / (now.messages - before.messages)),
    ),
  }));
}

/** The least and the most memory of three parts. @param {readonly Sample[]} samples */
export function thirds(samples) {
  return parts(samples, THIRDS).map((part) => {
    const memory = part.map(({ now }) => now.memoryBytes);
    return { least: Math.min(...memory), most: Math.max(...memory) };
  });
}

/**
 * @param {object} run
 * @param {readonly Sample[]} run.samples
 * @param {number} run.checked
 * @param {number} run.matched
 * @param {number} run.messages
 * @param {import('./soak-clients.mjs').Taken} run.told
 * @param {boolean} run.isTimed whether memory and CPU time are judged
 */
export function judged({ samples, checked, matched, messages, told, isTimed }) {
  const [all, memory] = [tenths(samples), thirds(samples)];
  const cpu = { first: all[0]?.cpuMicros ?? Number.NaN, last: all.at(-1)?.cpuMicros ?? Number.NaN };
  const grown = (/** @type {'least' | 'most'} */ which) => {
    const [first, last] = [memory[0]?.[which] ?? Number.NaN, memory.at(-1)?.[which] ?? Number.NaN];
    return { first, last, growth: last / first - 1 };
  };
  const [least, most] = [grown('least'), grown('most')];
  const ratio = cpu.last / cpu.first;
  const failures = [];
  // What is not a number is no proof either.
  if (isTimed && !(least.growth <= GROWTH_MAX && most.growth <= GROWTH_MAX))
    failures.push('memory has grown');
  if (isTimed && !(ratio <= RATIO_MAX)) failures.push('a message costs more');
  if (matched !== checked) failures.push(`${checked - matched} checksums were wrong`);
  if (told.refused > 0) failures.push(`clients refused ${told.refused} frames`);
  if (!(messages > 0 && told.frames > 0 && told.checks > 0)) failures.push('nothing was heard');
  return { memory: { least, most }, cpu: { ...cpu, ratio }, tenths: all, failures };
}
