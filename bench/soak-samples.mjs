// @ts-check
/** What the soak reads of the server, and what it makes of it. */
import { readFileSync } from 'node:fs';

/** Linux counts CPU time in hundredths of a second, whatever its own clock ticks in: proc_pid_stat(5), USER_HZ. */
const TICK_MICROS = 10_000;
const TENTHS = 10;
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
  // The name in front may hold spaces; behind it the state is field 3, user and system time are 14 and 15.
  const fields = (readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1) ?? '').split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]);
  return {
    atMs: performance.now(),
    memoryBytes: Number(kib) * 1024,
    cpuMicros: ticks * TICK_MICROS,
    messages,
  };
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
 * The first tenth is left out as the warm-up; the rest is cut into ten.
 * @param {readonly Sample[]} samples
 */
export function tenths(samples) {
  const [first, last] = [samples[0]?.atMs ?? 0, samples.at(-1)?.atMs ?? 0];
  const fromMs = first + (last - first) / TENTHS;
  const spanMs = (last - fromMs) / TENTHS;
  return Array.from({ length: TENTHS }, (_, nth) => {
    const begins = fromMs + nth * spanMs;
    /** @type {number[]} */
    const memory = [];
    /** @type {number[]} */
    const cpu = [];
    for (let at = 1; at < samples.length; at += 1) {
      const [before, now] = [samples[at - 1], samples[at]];
      if (before === undefined || now === undefined || before.atMs < begins) continue;
      if (now.atMs > begins + spanMs + 1e-6) break;
      memory.push(now.memoryBytes);
      const messages = now.messages - before.messages;
      if (messages > 0) cpu.push((now.cpuMicros - before.cpuMicros) / messages);
    }
    return { memoryBytes: median(memory), cpuMicros: median(cpu) };
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
  const all = tenths(samples);
  const [first, last] = [all[0], all.at(-1)];
  const memory = { first: first?.memoryBytes ?? Number.NaN, last: last?.memoryBytes ?? Number.NaN };
  const cpu = { first: first?.cpuMicros ?? Number.NaN, last: last?.cpuMicros ?? Number.NaN };
  const growth = memory.last / memory.first - 1;
  const ratio = cpu.last / cpu.first;
  const failures = [];
  // What is not a number is no proof either.
  if (isTimed && !(growth <= GROWTH_MAX)) failures.push('memory has grown');
  if (isTimed && !(ratio <= RATIO_MAX)) failures.push('a message costs more');
  if (matched !== checked) failures.push(`${checked - matched} checksums were wrong`);
  if (told.refused > 0) failures.push(`clients refused ${told.refused} frames`);
  if (!(messages > 0 && told.frames > 0 && told.checks > 0)) failures.push('nothing was heard');
  return { memory: { ...memory, growth }, cpu: { ...cpu, ratio }, tenths: all, failures };
}
