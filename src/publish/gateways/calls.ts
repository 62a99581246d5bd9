import { deserialize, serialize } from 'node:v8';
import type { BringBy, StreamPlace } from '../../engine.js';
import { DepthwireError, type ErrorJson } from '../../errors.js';
import type { StreamName, View } from '../feed-engine.js';
import type { Request } from '../transport.js';

/** What a gateway asks the server's process, and waits for. */
export type Question =
  | { readonly op: 'image'; readonly instrument: number; readonly stream: number }
  | {
      readonly op: 'bring';
      readonly instrument: number;
      readonly stream: number;
      readonly from: StreamPlace;
      readonly by: BringBy;
    }
  | { readonly op: 'places'; readonly streams: readonly StreamName[] }
  | { readonly op: 'standing'; readonly instrument: number; readonly stream: number }
  | { readonly op: 'instrument'; readonly instrument: number }
  | {
      readonly op: 'openView';
      readonly instrument: number;
      readonly view: View;
    }
  | { readonly op: 'openOrders'; readonly instrument: number }
  | { readonly op: 'reserve'; readonly subject: string; readonly subjectMax: number }
  | { readonly op: 'http'; readonly request: Request };

/** What it says without waiting. In one line with its questions. */
export type Notice =
  | { readonly op: 'closeView'; readonly instrument: number; readonly stream: number }
  | { readonly op: 'closeOrders'; readonly instrument: number }
  | { readonly op: 'enter' }
  | { readonly op: 'leave'; readonly subject: string };

export type Call = Question | Notice;

/** `position`: where the ring of frames stood at the moment of the answer. */
export interface Reply {
  readonly position: number;
  readonly value: unknown;
  readonly error?: ErrorJson;
}

/** The words of notices; everything else is a question. */
const NOTICES: ReadonlySet<string> = new Set(['closeView', 'closeOrders', 'enter', 'leave']);

export function isNotice(call: Call): call is Notice {
  return NOTICES.has(call.op);
}

const LENGTH_BYTES = 4;

/** A message as it goes through the pipe: its length as 32 bits, then its clone. */
export function packed(message: Call | Reply): Buffer {
  const body = serialize(message);
  const out = Buffer.allocUnsafe(LENGTH_BYTES + body.byteLength);
  out.writeUInt32LE(body.byteLength, 0);
  body.copy(out, LENGTH_BYTES);
  return out;
}

/** Messages out of the pieces in which a pipe hands them on. */
export class Unpacker {
  #rest: Buffer = Buffer.alloc(0);

  /** Takes a piece, and hands out every message that is whole by now. */
  *take(piece: Buffer): Generator<unknown> {
    this.#rest = this.#rest.byteLength === 0 ? piece : Buffer.concat([this.#rest, piece]);
    while (this.#rest.byteLength >= LENGTH_BYTES) {
      const end = LENGTH_BYTES + this.#rest.readUInt32LE(0);
      if (this.#rest.byteLength < end) return;
      const body = this.#rest.subarray(LENGTH_BYTES, end);
      this.#rest = this.#rest.subarray(end);
      yield deserialize(body);
    }
  }
}

/** The error that a reply or a message carries. */
export function errorOf({ code, ...detail }: ErrorJson): DepthwireError {
  return new DepthwireError(code, detail);
}
