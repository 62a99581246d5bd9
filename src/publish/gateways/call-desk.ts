import { DepthwireError } from '../../errors.js';
import type { GatewayCensus } from '../census.js';
import type { FeedEngine } from '../feed-engine.js';
import type { Answer, Request } from '../transport.js';
import { type Call, isNotice, type Notice, packed, type Question, Unpacker } from './calls.js';

/** What the calls of a gateway are answered from. */
export interface Desk {
  readonly engine: FeedEngine;
  readonly census: GatewayCensus;
  /** Where the ring of frames stands, all of which is published. */
  position(): number;
  answer(request: Request): Answer;
}

/** Answers the calls of one gateway, and gives back what it holds of the engine when it ends. */
export class CallDesk {
  readonly #desk: Desk;
  readonly #unpacker = new Unpacker();
  /** Streams that the gateway has opened, and how often. */
  readonly #views = new Map<string, { readonly instrument: number; readonly stream: number; uses: number }>();
  readonly #orders = new Map<number, number>();
  #isEnded = false;

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  /** Takes what came through the pipe; `send` takes the answers. */
  take(piece: Buffer, send: (reply: Buffer) => void): void {
    // Its pipe may tell more after its end is known, and nobody would give that back.
    if (this.#isEnded) return;
    for (const message of this.#unpacker.take(piece)) {
      const call = message as Call;
      if (isNotice(call)) this.#note(call);
      else send(this.#answer(call));
    }
  }

  /** The gateway is gone. */
  end(): void {
    this.#isEnded = true;
    const { engine, census } = this.#desk;
    for (const { instrument, stream, uses } of this.#views.values())
      for (let use = 0; use < uses; use++) engine.closeView(instrument, stream);
    for (const [instrument, uses] of this.#orders)
      for (let use = 0; use < uses; use++) engine.closeOrders(instrument);
    this.#views.clear();
    this.#orders.clear();
    census.end();
  }

  #answer(question: Question): Buffer {
    try {
      const value = this.#value(question);
      // What the question itself brought about is published before its answer.
      return packed({ position: this.#desk.position(), value });
    } catch (error) {
      if (!(error instanceof DepthwireError)) throw error;
      return packed({ position: this.#desk.position(), value: undefined, error: error.toJSON() });
    }
  }

  #value(question: Question): unknown {
    const { engine, census, answer } = this.#desk;
    switch (question.op) {
      case 'image':
        return engine.image(question.instrument, question.stream);
      case 'bring':
        return engine.bring(question.instrument, question.stream, question.from, question.by);
      case 'places':
        return engine.places(question.streams);
      case 'standing':
        return engine.standing(question.instrument, question.stream);
      case 'instrument':
        return engine.instrument(question.instrument);
      case 'openView': {
        const { instrument, view: asked } = question;
        const stream = engine.openView(instrument, asked);
        const key = `${instrument}/${stream}`;
        const view = this.#views.get(key);
        if (view === undefined) this.#views.set(key, { instrument, stream, uses: 1 });
        else view.uses += 1;
        return stream;
      }
      case 'openOrders': {
        const { instrument } = question;
        const stream = engine.openOrders(instrument);
        this.#orders.set(instrument, (this.#orders.get(instrument) ?? 0) + 1);
        return stream;
      }
      case 'reserve':
        return census.reserve(question.subject, question.subjectMax);
      case 'http':
        return plainAnswer(answer(question.request));
    }
  }

  #note(notice: Notice): void {
    const { engine, census } = this.#desk;
    switch (notice.op) {
      case 'closeView': {
        const { instrument, stream } = notice;
        const key = `${instrument}/${stream}`;
        const view = this.#views.get(key);
        if (view === undefined) return;
        view.uses -= 1;
        if (view.uses === 0) this.#views.delete(key);
        engine.closeView(instrument, stream);
        return;
      }
      case 'closeOrders': {
        const { instrument } = notice;
        const uses = this.#orders.get(instrument);
        if (uses === undefined) return;
        if (uses === 1) this.#orders.delete(instrument);
        else this.#orders.set(instrument, uses - 1);
        engine.closeOrders(instrument);
        return;
      }
      case 'enter':
        census.enter();
        return;
      case 'leave':
        census.leave(notice.subject);
    }
  }
}

/** What of an answer is for the client: an error beside it may hold what no pipe takes. */
function plainAnswer({ status, headers, body }: Answer): Answer {
  return { status, headers, body };
}
