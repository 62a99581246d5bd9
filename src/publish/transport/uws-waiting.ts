import type { HttpResponse } from 'uWebSockets.js';
import type { Answer } from '../transport.js';
import type { Admission } from './admission.js';
import type { Pending } from './pending.js';
import { writeHead } from './uws-request.js';

/**
 * A connection that is no WebSocket, by the response object that uWebSockets gives its filter. The object is good as long as
 * the connection is: it tells of its end by `onAborted` and of each request by `onData`, and only an upgrade ends it
 * unsaid, so it must be let go of before.
 */
export class Waiting implements Pending {
  readonly response: HttpResponse;
  readonly address: string;
  sinceMs = performance.now();

  constructor(response: HttpResponse, address: string) {
    this.response = response;
    this.address = address;
  }

  close(): void {
    this.response.close();
  }
}

/** What was sent with a request. */
export interface Body {
  /** Whether there is anything of it that nobody waits for. */
  readonly isIgnored: boolean;
  /** Undefined where it is more than is waited for. */
  readonly text: string | undefined;
}

/** A request until it is known which connection it came by, and until what it brings has come. */
class Asking {
  waiting: Waiting | undefined;
  isGone = false;
  isWhole = false;
  #isEnded = false;
  /** Called when all has come that is waited for. */
  onWhole: (() => void) | undefined;
  readonly #bytesMax: number;
  readonly #parts: Buffer[] = [];
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  take(part: ArrayBuffer, isLast: boolean): void {
    this.#bytes += part.byteLength;
    // The memory is uWebSockets' own again behind this call.
    if (this.#bytes <= this.#bytesMax) this.#parts.push(Buffer.from(part.slice(0)));
    this.#isEnded = isLast;
    this.isWhole = isLast || this.#bytes > this.#bytesMax;
    if (this.isWhole) this.onWhole?.();
  }

  get body(): Body {
    const isTooMuch = this.#bytes > this.#bytesMax;
    return {
      isIgnored: !this.#isEnded,
      text: isTooMuch ? undefined : Buffer.concat(this.#parts).toString(),
    };
  }
}

/** Connections that are no WebSockets, and which of them a request came by: uWebSockets says that only behind its handler. */
export class WaitingConnections {
  readonly #admission: Admission;
  /** The request whose handler has just returned. */
  #asking: Asking | undefined;

  constructor(admission: Admission) {
    this.#admission = admission;
  }

  /** Lets a connection tell of its end and of the requests that come by it. */
  watch(waiting: Waiting): void {
    waiting.response.onAborted(() => this.#admission.pending.remove(waiting));
    // Called behind the handler of each request, with or without a body: the only word of which connection it came by.
    let current: Asking | undefined;
    waiting.response.onData((part, isLast) => {
      const asking = this.#asking;
      if (asking !== undefined) {
        this.#asking = undefined;
        current = asking;
        asking.waiting = waiting;
        this.#admission.pending.remove(waiting);
      }
      if (current?.isWhole === false) current.take(part, isLast);
    });
  }

  /**
   * Runs in a later turn, when it is known by which connection a request came, and up to `bytesMax` bytes of what it brings
   * have come: until then its connection is pending.
   */
  later(
    response: HttpResponse,
    address: string,
    run: (waiting: Waiting, body: Body) => void,
    bytesMax = 0,
  ): void {
    const asking = new Asking(bytesMax);
    const { pending } = this.#admission;
    response.onAborted(() => {
      asking.isGone = true;
      if (asking.waiting === undefined) pending.forget(address);
      else pending.remove(asking.waiting);
    });
    this.#asking = asking;
    setImmediate(() => {
      const { waiting } = asking;
      if (asking.isGone) return;
      if (waiting !== undefined && (asking.isWhole || bytesMax === 0)) {
        run(waiting, asking.body);
        return;
      }
      if (waiting !== undefined) {
        waiting.sinceMs = performance.now();
        pending.add(waiting);
        asking.onWhole = () => {
          asking.onWhole = undefined;
          pending.remove(waiting);
          setImmediate(() => asking.isGone || run(waiting, asking.body));
        };
        return;
      }
      // One of them is this one; uWebSockets ends the others by its own time limit.
      this.#admission.pending.forget(address);
      response.close();
    });
  }

  /**
   * Answers one request. While an answer is on its way uWebSockets ends a connection that sends another request, so a client
   * has one answer at a time; nothing of it is buffered beyond what the kernel takes.
   */
  answer(response: HttpResponse, waiting: Waiting, answer: Answer, isHead: boolean, isLast: boolean): void {
    const { answers, pending } = this.#admission;
    const body = typeof answer.body === 'string' ? Buffer.from(answer.body) : answer.body;
    const size = body.byteLength;
    const underWay: Pending = {
      address: waiting.address,
      sinceMs: performance.now(),
      close: () => response.close(),
    };
    answers.add(underWay);
    response.onAborted(() => answers.remove(underWay));
    const ended = (): void => {
      answers.remove(underWay);
      if (isLast) return;
      waiting.sinceMs = performance.now();
      this.watch(waiting);
      pending.add(waiting);
    };
    let isDone = false;
    response.cork(() => {
      writeHead(response, answer);
      if (isHead) response.writeHeader('Connection', 'close');
      isDone = response.tryEnd(isHead ? '' : body, size)[1];
      if (isDone || isHead) return;
      response.onWritable((offset) => {
        const [isOk, isAll] = response.tryEnd(body.subarray(offset), size);
        if (isAll) ended();
        return isOk;
      });
    });
    if (isDone) ended();
    // Handing the length to endWithoutBody ends the process in this build of uWebSockets, so a length without the body
    // is an answer that is cut behind its headers.
    else if (isHead) response.close();
  }
}
