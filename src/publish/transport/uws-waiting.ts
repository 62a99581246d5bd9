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

/** A request until it is known which connection it came by. */
interface Asking {
  waiting: Waiting | undefined;
  hasBody: boolean;
  isGone: boolean;
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
    waiting.response.onData((_bytes, isLast) => {
      const asking = this.#asking;
      if (asking === undefined) return;
      this.#asking = undefined;
      asking.waiting = waiting;
      asking.hasBody = !isLast;
      this.#admission.pending.remove(waiting);
    });
  }

  /** Runs in a later turn, when it is known by which connection a request came. */
  later(response: HttpResponse, address: string, run: (waiting: Waiting, hasBody: boolean) => void): void {
    const asking: Asking = { waiting: undefined, hasBody: false, isGone: false };
    response.onAborted(() => {
      asking.isGone = true;
      if (asking.waiting === undefined) this.#admission.pending.forget(address);
    });
    this.#asking = asking;
    setImmediate(() => {
      if (asking.isGone) return;
      if (asking.waiting !== undefined) {
        run(asking.waiting, asking.hasBody);
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
