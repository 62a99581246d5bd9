import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release, totalmem, uptime } from 'node:os';
import { VERSION } from '../version.js';

/** What the figures of a run are figures of. */
export interface MachineFacts {
  readonly depthwire: string;
  readonly node: string;
  readonly system: string;
  readonly processor: string;
  readonly cores: number;
  readonly memoryBytes: number;
  /** Whether the processor says that a host stands behind it; empty where it is not known. */
  readonly virtual: '' | 'virtual' | 'physical';
  /** Of the first core; empty where the system does not say. */
  readonly governor: string;
  /** The kernel's; which clock a run was stamped with is said by its report. */
  readonly clockSource: string;
  /** Programs that wanted to run in the minute before. */
  readonly load: number;
  readonly date: string;
}

/** What went on beside a run. */
export interface MachineLoad {
  readonly cores: number;
  /** Cores' worth of time that programs took which are no part of the run. NaN where the system does not say. */
  readonly othersCores: number;
  /** Share of the time that the host took. */
  readonly stolenShare: number;
  /** Programs that wanted to run in the last minute. */
  readonly load: number;
}

const TICKS_PER_SECOND = 100;
/** Those of this process, before a run moves its thread off one. */
const CORES = availableParallelism();

export function machineFacts(): MachineFacts {
  const flags = text('/proc/cpuinfo');
  return {
    depthwire: VERSION,
    node: process.versions.node,
    system: `${process.platform} ${release()} ${process.arch}`,
    processor: cpus()[0]?.model.trim() ?? '',
    cores: CORES,
    memoryBytes: totalmem(),
    virtual: flags === '' ? '' : /^flags.*\bhypervisor\b/m.test(flags) ? 'virtual' : 'physical',
    governor: text('/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor'),
    clockSource: text('/sys/devices/system/clocksource/clocksource0/current_clocksource'),
    load: loadavg()[0] ?? 0,
    date: new Date().toISOString(),
  };
}

export function machineText(facts: MachineFacts): string {
  const { processor, cores, virtual, memoryBytes, system, node, depthwire, governor, clockSource, load } =
    facts;
  const parts = [
    `${processor || 'processor unknown'}, ${cores} cores${virtual === '' ? '' : `, ${virtual}`}`,
    `${(memoryBytes / 2 ** 30).toFixed(0)} GiB`,
    system,
    `Node ${node}`,
    `depthwire ${depthwire}`,
    ...(governor === '' ? [] : [`governor ${governor}`]),
    ...(clockSource === '' ? [] : [`kernel clock ${clockSource}`]),
    `load ${load.toFixed(2)}`,
  ];
  return parts.join(' · ');
}

interface Sample {
  readonly atSeconds: number;
  readonly busy: number;
  readonly stolen: number;
  readonly ours: number;
}

/** Looks at the machine from now until `stop`. `pids`: the processes of the run beside this one. */
export class LoadMeter {
  readonly #pids: readonly number[];
  readonly #from: Sample;

  constructor(pids: readonly number[] = []) {
    this.#pids = pids;
    this.#from = sample(pids);
  }

  /** Call it while the processes of the run still run. */
  stop(): MachineLoad {
    const from = this.#from;
    const to = sample(this.#pids);
    const seconds = Math.max(to.atSeconds - from.atSeconds, 1e-3);
    const others = to.busy - from.busy - (to.ours - from.ours);
    return {
      cores: CORES,
      othersCores: to.busy === 0 ? Number.NaN : Math.max(0, others) / TICKS_PER_SECOND / seconds,
      stolenShare: Math.max(0, to.stolen - from.stolen) / TICKS_PER_SECOND / seconds / CORES,
      load: loadavg()[0] ?? 0,
    };
  }
}

function sample(pids: readonly number[]): Sample {
  // cpu user nice system idle iowait irq softirq steal
  const fields = text('/proc/stat').split('\n', 1)[0]?.split(/\s+/).slice(1).map(Number) ?? [];
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, stolen = 0] = fields;
  return {
    atSeconds: uptime(),
    busy: user + nice + system + irq + softirq,
    stolen,
    ours: pids.reduce((sum, pid) => sum + ticksOf(pid), ticksOf(process.pid, true)),
  };
}

/** User and system time of a process, in ticks of the system; with that of its children that have ended, where they are ours too. */
function ticksOf(pid: number, isWithEnded = false): number {
  const stat = text(`/proc/${pid}/stat`);
  // The name, in brackets, may hold blanks.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const times = fields.slice(11, isWithEnded ? 15 : 13);
  return times.reduce((sum, ticks) => sum + Number(ticks), 0);
}

function text(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return '';
  }
}
