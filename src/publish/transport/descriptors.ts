import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { devNull } from 'node:os';

/** Descriptors that are kept for what is no connection of a client: venues, files, the certificate. */
const RESERVE = 64;
/** Descriptors that a process has open where it cannot be asked. */
const OPEN_GUESS = 64;
/** Descriptors that are given up so that connections can be accepted, if only to be cut. */
const SPARES = 8;

/** Descriptors that this process may have open; Infinity where the system does not say. */
export function descriptorLimit(): number {
  try {
    const soft = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
    return soft === undefined ? Infinity : Number(soft);
  } catch {
    const { userLimits } = process.report.getReport() as {
      userLimits?: { open_files?: { soft?: number | string } };
    };
    const soft = userLimits?.open_files?.soft;
    return typeof soft === 'number' ? soft : Infinity;
  }
}

/**
 * How many connections there may be, so that as a rule the process never runs out of descriptors: then no connection could
 * be accepted, not even to be refused.
 */
export function connectionsByDescriptors(
  limit: number = descriptorLimit(),
  open: number = openNow(),
): number {
  return Math.max(1, limit - open - RESERVE);
}

/**
 * What to do when others than connections have used the descriptors up. A listener whose connections cannot be accepted
 * is ready again at once, so its loop would spin; spare descriptors are given up to accept, and cut, what comes.
 */
export class Descriptors {
  #spares: number[] = [];
  #isFull = false;

  constructor() {
    this.look();
  }

  /** Whether there are none left beside the spares. */
  get isFull(): boolean {
    return this.#isFull;
  }

  /** Looks again. Costs two calls of the system; once a second or so. */
  look(): void {
    try {
      while (this.#spares.length < SPARES) this.#spares.push(openSync(devNull, 'r'));
      closeSync(openSync(devNull, 'r'));
      this.#isFull = false;
    } catch {
      this.#isFull = true;
      this.close();
    }
  }

  /** Gives the spares up. */
  close(): void {
    for (const spare of this.#spares.splice(0)) closeSync(spare);
  }
}

function openNow(): number {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return OPEN_GUESS;
  }
}
