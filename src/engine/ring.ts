import { DepthwireError, shown } from '../errors.js';
import { RING } from '../wire/generated/constants.js';
import type { Cure, EngineListener } from './listener.js';

/** Cures by number. */
const CURES = Object.fromEntries(
  Object.entries(RING.asked).map(([cure, number]) => [number, cure as Cure]),
) as Readonly<Record<number, Cure>>;

/** Memory for a ring whose records may take `outputBytes`. Throws `addon.output_memory`. */
export function ringOf(outputBytes: number): SharedArrayBuffer {
  try {
    if (Number.isInteger(outputBytes)) return new SharedArrayBuffer(RING.controlBytes + outputBytes);
  } catch {
    // Not of a size that can be had: as wrong as one that is no integer.
  }
  throw new DepthwireError('addon.output_memory', {
    what: 'no output ring of this size can be had',
    where: 'outputBytes',
    expected: 'a power of two from 4 MiB to 1 GiB that the machine has room for',
    got: shown(outputBytes),
    fix: 'Pass a power of two, such as 16777216.',
  });
}

/** The reader's side of the output ring: the addon writes records into memory that both see, and this hands them on. */
export class OutputRing {
  #memory: SharedArrayBuffer;
  #words: Uint32Array;
  #halves: Uint16Array;
  #bytes: Uint8Array;
  readonly #capacity: number;

  constructor(memory: SharedArrayBuffer) {
    this.#memory = memory;
    this.#words = new Uint32Array(memory);
    this.#halves = new Uint16Array(memory);
    this.#bytes = new Uint8Array(memory);
    this.#capacity = memory.byteLength - RING.controlBytes;
  }

  /** Bytes of a recording that the last input used. */
  get consumed(): number {
    return this.#words[RING.control.consumed] ?? 0;
  }

  /** Time of the recording's next line; 0 = the bytes held no further whole line. */
  get nextNs(): bigint {
    const { nextLow, nextHigh } = RING.control;
    return (BigInt(this.#words[nextHigh] ?? 0) << 32n) | BigInt(this.#words[nextLow] ?? 0);
  }

  /** Messages with stage stamps that wait to be published. */
  get stamped(): number {
    return this.#words[RING.control.stamped] ?? 0;
  }

  /**
   * Hands every record that waits to the listener, in order. One that throws ends the call; the record that it was given is
   * taken, those behind it wait. Throws `engine.ring` for a record that does not fit. Costs a view for each frame where the
   * listener takes views, and an object for each ask and each text.
   */
  drain(listener: EngineListener): void {
    const words = this.#words;
    const { write: writeAt, read: readAt } = RING.control;
    const write = Atomics.load(words, writeAt);
    let read = words[readAt] ?? 0;
    if (listener.onRecords !== undefined) {
      Atomics.store(words, readAt, write);
      this.#handOver(listener, read, write);
      return;
    }
    try {
      while (read !== write) {
        const offset = read % this.#capacity;
        const at = RING.controlBytes + offset;
        const type = this.#halves[(at >> 1) + 2];
        if (type === RING.type.pad) {
          read = (read + this.#capacity - offset) >>> 0;
          continue;
        }
        const size = words[at >> 2] ?? 0;
        if (offset + RING.headerBytes + size > this.#capacity) throw corrupt(offset, size);
        // Moved on before the listener runs, so that one that throws does not see the record twice.
        read = (read + RING.headerBytes + ((size + 7) & ~7)) >>> 0;
        const instrument = words[(at >> 2) + 2] ?? 0;
        const payload = at + RING.headerBytes;
        if (type === RING.type.frame) {
          const stream = this.#halves[(at >> 1) + 3] ?? 0;
          if (listener.onFrameBytes === undefined)
            listener.onFrame(instrument, stream, new Uint8Array(this.#memory, payload, size));
          else listener.onFrameBytes(instrument, stream, this.#bytes, payload, size);
        } else if (type === RING.type.ask) {
          const what = words[(payload >> 2) + 1] ?? 0;
          const cure = CURES[(what >> 8) & 0xff];
          const ticket = words[payload >> 2] ?? 0;
          if (cure !== undefined) listener.onAsk({ instrument, ticket, cure, reason: what & 0xff });
        } else if (type === RING.type.say) {
          listener.onSay(instrument, new Uint8Array(this.#memory, payload, size));
        }
      }
    } finally {
      Atomics.store(words, readAt, read);
    }
  }

  /** Whole records, up to the end of the ring and then from its beginning. */
  #handOver(listener: EngineListener, read: number, write: number): void {
    const [from, bytes] = [read % this.#capacity, (write - read) >>> 0];
    const first = Math.min(bytes, this.#capacity - from);
    const at = RING.controlBytes + from;
    if (first > 0) listener.onRecords?.(this.#bytes, at, at + first);
    if (bytes > first)
      listener.onRecords?.(this.#bytes, RING.controlBytes, RING.controlBytes + bytes - first);
  }

  /** Lets go of the memory, which is collected with its last view. Nothing may be drained any more. */
  release(): void {
    this.#memory = new SharedArrayBuffer(0);
    this.#words = new Uint32Array(this.#memory);
    this.#halves = new Uint16Array(this.#memory);
    this.#bytes = new Uint8Array(this.#memory);
  }
}

/** The frames among whole records, as views of the ring. */
export function* framesOf(
  ring: Uint8Array,
  from: number,
  to: number,
): Generator<Uint8Array, void, undefined> {
  const records = new DataView(ring.buffer, ring.byteOffset);
  for (let at = from; at + RING.headerBytes <= to; ) {
    const type = records.getUint16(at + 4, true);
    if (type === RING.type.pad) return;
    const size = records.getUint32(at, true);
    const payload = at + RING.headerBytes;
    if (type === RING.type.frame) yield ring.subarray(payload, payload + size);
    at = payload + ((size + 7) & ~7);
  }
}

function corrupt(offset: number, size: number): DepthwireError {
  return new DepthwireError('engine.ring', {
    what: 'a record of the output ring does not fit in it',
    where: `ring offset ${offset}`,
    expected: 'a record that ends inside the ring',
    got: `${size} bytes`,
    fix: 'The addon and this package are of different builds: run npm run build.',
  });
}
