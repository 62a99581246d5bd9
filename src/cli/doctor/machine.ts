import { readFileSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import { type Check, fail, ok, warn } from './check.js';

/** What the machine says of itself; whatever it does not say is NaN or empty. */
export interface Machine {
  readonly node: string;
  /** `engines.node` of package.json. */
  readonly nodeRange: string;
  readonly platform: string;
  readonly arch: string;
  /** Version of glibc; empty with another C library, and on other systems. */
  readonly glibc: string;
  readonly processors: number;
  /** Processors' worth of time that a container may use. */
  readonly processorQuota: number;
  readonly memoryBytes: number;
  /** Of a container or a unit. */
  readonly memoryLimitBytes: number;
  readonly clockSource: string;
}

export function thisMachine(nodeRange: string): Machine {
  // Names of peers would be asked for, one after the other, of a server that may not answer.
  (process.report as { excludeNetwork?: boolean }).excludeNetwork = true;
  const { header } = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
  return {
    node: process.versions.node,
    nodeRange,
    platform: process.platform,
    arch: process.arch,
    glibc: header?.glibcVersionRuntime ?? '',
    processors: availableParallelism(),
    processorQuota: quotaOf(text('/sys/fs/cgroup/cpu.max')),
    memoryBytes: totalmem(),
    memoryLimitBytes: limitOf(
      text('/sys/fs/cgroup/memory.max') || text('/sys/fs/cgroup/memory/memory.limit_in_bytes'),
    ),
    clockSource: text('/sys/devices/system/clocksource/clocksource0/current_clocksource'),
  };
}

const MIB = 1 << 20;
/** Below this not even the embedded venue runs well. */
const MEMORY_MIN = 192 * MIB;

export function checkNode({ node, nodeRange }: Machine): Check {
  if (isInRange(node, nodeRange)) return ok('node', `Node ${node}`);
  return fail(
    'node',
    `Node ${node}, which is not ${nodeRange}`,
    'Install Node 22 or 20, as from https://nodejs.org.',
  );
}

export function checkLibc({ platform, arch, glibc }: Machine): Check {
  const here = `${platform}-${arch}`;
  if (platform !== 'linux') return ok('libc', here);
  if (glibc !== '') return ok('libc', `glibc ${glibc} on ${here}`);
  return warn(
    'libc',
    `another C library than glibc on ${here}`,
    'Use an image with glibc, such as node:22-bookworm-slim; here the feed goes over ws, which costs more.',
  );
}

export function checkProcessors({ processors, processorQuota }: Machine): Check {
  const may = Number.isNaN(processorQuota) ? processors : Math.min(processors, processorQuota);
  const found = `${processors} processors${may < processors ? `, of which ${may} may be used` : ''}`;
  if (may >= 2) return ok('processors', found);
  return warn(
    'processors',
    found,
    'Give it two: one is the engine’s and the server’s, the other is for garbage, logs and the system.',
  );
}

/** `needed`: what the configuration may come to, bytes. */
export function checkMemory({ memoryBytes, memoryLimitBytes }: Machine, needed: number): Check {
  const limit = Number.isNaN(memoryLimitBytes) ? memoryBytes : Math.min(memoryBytes, memoryLimitBytes);
  const mib = (bytes: number): string => `${Math.round(bytes / MIB)} MiB`;
  const found = `${mib(limit)}${limit < memoryBytes ? ` by a limit, of ${mib(memoryBytes)}` : ''}; this configuration may come to ${mib(needed)}`;
  const more = `Give it ${mib(needed)}, or lower limits.* and engine.output_bytes.`;
  if (limit < Math.min(needed, MEMORY_MIN)) return fail('memory', found, more);
  return limit < needed ? warn('memory', found, more) : ok('memory', found);
}

/** `most`: descriptors that may be open, NaN = nobody says; `needed`: those that the configuration may come to. */
export function checkDescriptors(most: number, needed: number): Check {
  if (Number.isNaN(most)) return ok('files', 'this system does not tell its limit of open files');
  const found = `${most} files may be open, ${needed} may be needed`;
  if (most >= needed) return ok('files', found);
  return fail(
    'files',
    found,
    `Raise it to ${needed}: ulimit -n ${needed}, LimitNOFILE=${needed} in the unit, --ulimit nofile=${needed} for a container; or lower limits.clients_max.`,
  );
}

/** What two clocks and a counter said in a row. */
export interface ClockSamples {
  /** Of the wall clock minus that which never jumps, ms. */
  readonly offsetsMs: readonly number[];
  /** Least step of the clock that stamps, ns. */
  readonly stepNs: number;
}

/** Offsets that move more than this while doctor runs are a clock that is being set. */
const MOVED_MS = 5;

export function checkClock({ clockSource, platform }: Machine, { offsetsMs, stepNs }: ClockSamples): Check {
  const moved = Math.max(...offsetsMs) - Math.min(...offsetsMs);
  const source = clockSource === '' ? '' : `, source ${clockSource}`;
  const found = `steps of ${stepNs} ns, ${moved.toFixed(1)} ms against the clock that never jumps${source}`;
  if (moved > MOVED_MS)
    return warn(
      'clock',
      found,
      'The clock is being set: let chrony or systemd-timesyncd slew it rather than step it.',
    );
  if (stepNs > 10_000)
    return warn('clock', found, 'Times of frames are coarse: see the clock source of this machine.');
  if (platform === 'linux' && /^(hpet|acpi_pm|jiffies)$/.test(clockSource))
    return warn(
      'clock',
      found,
      'This source is slow to read: boot with clocksource=tsc where the machine has it.',
    );
  return ok('clock', found);
}

/** Takes a tenth of a second. */
export async function sampleClock(): Promise<ClockSamples> {
  // Of several readings that between which the least time passed: others may hold the processor in the middle of one.
  const offset = (): number => {
    let [least, found] = [Number.POSITIVE_INFINITY, 0];
    for (let at = 0; at < 10; at++) {
      const before = performance.now();
      const wall = Date.now();
      const took = performance.now() - before;
      if (took < least) [least, found] = [took, wall - (performance.timeOrigin + before)];
    }
    return found;
  };
  const offsetsMs = [offset()];
  for (let at = 0; at < 5; at++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    offsetsMs.push(offset());
  }
  let stepNs = Number.MAX_SAFE_INTEGER;
  for (let at = 0, before = process.hrtime.bigint(); at < 2000; at++) {
    const now = process.hrtime.bigint();
    if (now > before) stepNs = Math.min(stepNs, Number(now - before));
    before = now;
  }
  return { offsetsMs, stepNs };
}

/** Whether a version is in a range of the form `^20.19 || ^22.12`. */
function isInRange(version: string, range: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return range.split('||').some((part) => {
    const [least = Number.NaN, leastMinor = 0] = part.trim().replace('^', '').split('.').map(Number);
    return major === least && minor >= leastMinor;
  });
}

function quotaOf(cpuMax: string): number {
  const [quota = '', period = ''] = cpuMax.split(' ');
  return quota === '' || quota === 'max' ? Number.NaN : Number(quota) / Number(period);
}

/** Absent and without a limit are both no limit; version 1 says that with a number near 2^63. */
function limitOf(memoryMax: string): number {
  const bytes = memoryMax === '' || memoryMax === 'max' ? Number.NaN : Number(memoryMax);
  return bytes < 2 ** 62 ? bytes : Number.NaN;
}

function text(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return '';
  }
}
