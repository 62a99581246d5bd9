import { readSync, writeSync } from 'node:fs';
import { deserialize } from 'node:v8';
import type { BringBy, InstrumentInfo, StreamPlace } from '../../engine.js';
import type { CatchUp } from '../catch-up.js';
import type { Census, Full } from '../census.js';
import type { FeedEngine, Standing, StreamName, View } from '../feed-engine.js';
import type { Answer, Request } from '../transport.js';
import { type Call, errorOf, type Notice, packed, type Question, type Reply } from './calls.js';

/** What asking takes. */
export interface Asking {
  /** The pipe to the server's process, which blocks. */
  readonly descriptor: number;
  /** Hands on all that is published by now. */
  readAll(): void;
  /** Hands on every frame before a position of the ring, and sends it. */
  catchUp(position: number): void;
  /** The server's process is gone. Does not return. */
  lost(): never;
  nowNs(): bigint;
}

/**
 * The engine and the counts of the server's process, asked through a pipe. Each question blocks this thread until it is
 * answered, for the server's turn at most; the frames before the answer are with their members when it returns. Cost: some
 * 50 µs, and a copy of what is answered.
 */
export class RemoteEngine implements FeedEngine, Census {
  readonly #asking: Asking;

  constructor(asking: Asking) {
    this.#asking = asking;
  }

  image(instrument: number, stream: number): CatchUp {
    return this.#ask({ op: 'image', instrument, stream }) as CatchUp;
  }

  bring(instrument: number, stream: number, from: StreamPlace, by: BringBy): CatchUp {
    const { epoch, seq } = from;
    return this.#ask({ op: 'bring', instrument, stream, from: { epoch, seq }, by }) as CatchUp;
  }

  places(streams: readonly StreamName[]): readonly StreamPlace[] {
    return streams.length === 0 ? [] : (this.#ask({ op: 'places', streams }) as readonly StreamPlace[]);
  }

  standing(instrument: number, stream: number): Standing {
    return this.#ask({ op: 'standing', instrument, stream }) as Standing;
  }

  instrument(id: number): InstrumentInfo {
    return this.#ask({ op: 'instrument', instrument: id }) as InstrumentInfo;
  }

  openView(instrument: number, view: View): number {
    return this.#ask({ op: 'openView', instrument, view }) as number;
  }

  closeView(instrument: number, stream: number): void {
    this.#say({ op: 'closeView', instrument, stream });
  }

  openOrders(instrument: number): number {
    return this.#ask({ op: 'openOrders', instrument }) as number;
  }

  closeOrders(instrument: number): void {
    this.#say({ op: 'closeOrders', instrument });
  }

  nowNs(): bigint {
    return this.#asking.nowNs();
  }

  reserve(subject: string, subjectMax: number): Full | undefined {
    return this.#ask({ op: 'reserve', subject, subjectMax }) as Full | undefined;
  }

  enter(): void {
    this.#say({ op: 'enter' });
  }

  leave(subject: string): void {
    this.#say({ op: 'leave', subject });
  }

  /** What the server answers to an HTTP request. */
  http(request: Request): Answer {
    return this.#ask({ op: 'http', request }) as Answer;
  }

  #ask(question: Question): unknown {
    // Whoever waits for an answer reads nothing, and may not be behind by then.
    this.#asking.readAll();
    this.#send(question);
    const length = this.#read(4).readUInt32LE(0);
    const { position, value, error } = deserialize(this.#read(length)) as Reply;
    this.#asking.catchUp(position);
    if (error !== undefined) throw errorOf(error);
    return value;
  }

  #say(notice: Notice): void {
    this.#send(notice);
  }

  #send(call: Call): void {
    const bytes = packed(call);
    const { descriptor, lost } = this.#asking;
    try {
      for (let sent = 0; sent < bytes.byteLength; ) sent += writeSync(descriptor, bytes, sent);
    } catch {
      lost();
    }
  }

  #read(length: number): Buffer {
    const bytes = Buffer.allocUnsafe(length);
    const { descriptor, lost } = this.#asking;
    for (let read = 0; read < length; ) {
      let count = 0;
      try {
        count = readSync(descriptor, bytes, read, length - read, null);
      } catch {
        lost();
      }
      if (count === 0) lost();
      read += count;
    }
    return bytes;
  }
}
