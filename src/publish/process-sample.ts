import { readdirSync, readFileSync, statSync } from 'node:fs';
import { createHistogram, type EventLoopUtilization, performance } from 'node:perf_hooks';
import type { OpenMetrics } from './open-metrics.js';

/** The quantiles of the delay are of so long at least, if that long is asked for them. */
const WINDOW_MS = 60_000;
/** Memory and descriptors are looked at so often: they change slowly, and asking the kernel costs more than all else here. */
const LOOK_MS = 5000;

/**
 * What the process takes of the machine, and how its loop turns: of that the server's own ticks tell, since a timer that
 * measured nothing else would wake an idle process more often than all the rest.
 */
export class ProcessSample {
  /** ns that ticks of this window were late. */
  readonly #delay = createHistogram();
  readonly #loop: EventLoopUtilization = performance.eventLoopUtilization();
  readonly #descriptorsMax = descriptorsMax();
  #windowMs = performance.now();
  /** Of all windows together. */
  #lateSeconds = 0;
  #ticks = 0;
  #memory = process.memoryUsage();
  #descriptors = openDescriptors();
  #lookedMs = performance.now();

  /** A tick came so late. */
  ticked(lateMs: number): void {
    this.#ticks += 1;
    this.#lateSeconds += lateMs / 1000;
    this.#delay.record(Math.max(1, Math.round(lateMs * 1e6)));
  }

  write(out: OpenMetrics): void {
    const nowMs = performance.now();
    this.#writeLoop(out, nowMs);
    if (nowMs - this.#lookedMs >= LOOK_MS) {
      this.#lookedMs = nowMs;
      this.#memory = process.memoryUsage();
      this.#descriptors = openDescriptors();
    }
    const { user, system } = process.cpuUsage();
    const { rss, heapUsed, external } = this.#memory;
    out.counter('process_cpu_seconds', 'Time on processors.', (user + system) / 1e6, 'seconds');
    out.gauge('process_resident_memory_bytes', 'Memory in use.', rss, 'bytes');
    out.gauge('heap_bytes', 'Memory of JavaScript objects.', heapUsed, 'bytes');
    out.gauge('external_memory_bytes', 'Memory that JavaScript objects hold outside.', external, 'bytes');
    if (!Number.isNaN(this.#descriptors))
      out.gauge('process_open_fds', 'File descriptors open now.', this.#descriptors);
    if (!Number.isNaN(this.#descriptorsMax))
      out.gauge('process_max_fds', 'File descriptors that may be open.', this.#descriptorsMax);
    const startedSeconds = performance.timeOrigin / 1000;
    out.gauge('process_start_time_seconds', 'When the process started.', startedSeconds, 'seconds');
  }

  #writeLoop(out: OpenMetrics, nowMs: number): void {
    const quantiles = ([0.5, 0.99, 1] as const).map((quantile): readonly [number, number] => [
      quantile,
      this.#delay.count === 0 ? Number.NaN : this.#delay.percentile(quantile * 100) / 1e9,
    ]);
    out.summary(
      'event_loop_delay_seconds',
      'How late the loop came to a timer; quantiles of the last minute or so.',
      quantiles,
      this.#lateSeconds,
      this.#ticks,
      'seconds',
    );
    if (nowMs - this.#windowMs >= WINDOW_MS) {
      this.#windowMs = nowMs;
      this.#delay.reset();
    }
    const { active, idle } = performance.eventLoopUtilization(this.#loop);
    out.counter('event_loop_active_seconds', 'Time that the loop was busy.', active / 1000, 'seconds');
    out.counter('event_loop_idle_seconds', 'Time that the loop waited.', idle / 1000, 'seconds');
  }
}

/** Open file descriptors of this process; NaN where they cannot be told. */
function openDescriptors(): number {
  try {
    const { size } = statSync('/proc/self/fd');
    // Where the kernel does not count them (before Linux 6.2) they are listed.
    return size > 0 ? size : readdirSync('/proc/self/fd').length;
  } catch {
    // No such folder: not Linux.
    return Number.NaN;
  }
}

/** The limit of open file descriptors of this process; NaN where it cannot be told. */
export function descriptorsMax(): number {
  try {
    const line = /^Max open files\s+(\d+|unlimited)/m.exec(readFileSync('/proc/self/limits', 'utf8'));
    return line?.[1] === 'unlimited' ? Number.POSITIVE_INFINITY : Number(line?.[1]);
  } catch {
    return Number.NaN;
  }
}
