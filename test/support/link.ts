import type {
  CloseCause,
  Connection,
  Request,
  Session,
  Transport,
  TransportHandlers,
} from '../../src/publish/transport.js';

const HANDSHAKE: Request = {
  method: 'get',
  path: '/v1/feed',
  query: '',
  host: 'localhost:8642',
  origin: '',
  authorization: '',
};

/** A transport without sockets: what is sent waits in its links until a test lets it through. */
export class LinkTransport implements Transport {
  readonly name = 'uws';
  readonly reason = '';
  readonly links = new Set<Link>();
  readonly #names = new Map<string, Set<Link>>();
  readonly #handlers: TransportHandlers;
  #connections = 0;

  constructor(handlers: TransportHandlers) {
    this.#handlers = handlers;
  }

  /** A client connects. */
  connect(): Link {
    // Each from an address of its own: limits of one address have tests of their own.
    const address = `10.0.${(this.#connections >> 8) & 255}.${this.#connections++ & 255}`;
    const refusal = this.#handlers.refuse({ ...HANDSHAKE, address }, ['depthwire.v1']);
    if (refusal !== undefined) throw new Error(String(refusal.body));
    const link = new Link(this.#names, (gone) => this.links.delete(gone));
    this.links.add(link);
    link.attach(this.#handlers.onOpen(link));
    return link;
  }

  listen(): Promise<number> {
    return Promise.resolve(0);
  }

  publish(topic: string, frames: Uint8Array): void {
    const shared = frames.slice();
    for (const link of this.#names.get(topic) ?? []) link.push(shared);
  }

  reloadCertificate(): void {}

  stopListening(): void {}

  close(): void {
    for (const link of this.links) link.cut('lost');
  }
}

/** One connection: a queue from the server to its client, of any length and speed. */
export class Link implements Connection {
  /** The code of the close; undefined while it is open. */
  closeCode: number | undefined;
  readonly #names: Map<string, Set<Link>>;
  readonly #onGone: (link: Link) => void;
  readonly #subscribed = new Set<string>();
  #session: Session | undefined;
  #queue: (string | Uint8Array)[] = [];
  #waiting = 0;
  /** Bytes of the first message that have gone already. */
  #gone = 0;

  constructor(names: Map<string, Set<Link>>, onGone: (link: Link) => void) {
    this.#names = names;
    this.#onGone = onGone;
  }

  attach(session: Session): void {
    this.#session = session;
  }

  push(message: string | Uint8Array): void {
    if (this.closeCode !== undefined) return;
    this.#queue.push(message);
    this.#waiting += message.length;
  }

  /** Lets so many bytes through; hands out the messages that are whole by then. */
  take(bytes: number): readonly (string | Uint8Array)[] {
    let used = 0;
    let count = 0;
    for (const { length } of this.#queue) {
      const rest = length - this.#gone;
      if (used + rest > bytes) break;
      used += rest;
      this.#gone = 0;
      count += 1;
    }
    const whole = this.#queue.slice(0, count);
    this.#queue = this.#queue.slice(count);
    if (this.#queue.length > 0) {
      this.#gone += bytes - used;
      used = bytes;
    }
    this.#waiting -= used;
    return whole;
  }

  /** The client sends a control message. */
  say(message: object): void {
    if (this.closeCode === undefined) this.#session?.onText(JSON.stringify(message));
  }

  /** The client goes. */
  leave(): void {
    this.#close(1000, 'client');
  }

  sendText(text: string): void {
    this.push(text);
  }

  sendFrames(frames: Uint8Array): void {
    this.push(frames.slice());
  }

  subscribe(topic: string): void {
    this.#subscribed.add(topic);
    const links = this.#names.get(topic) ?? new Set();
    this.#names.set(topic, links.add(this));
  }

  unsubscribe(topic: string): void {
    this.#subscribed.delete(topic);
    this.#names.get(topic)?.delete(this);
  }

  bufferedBytes(): number {
    return this.#waiting;
  }

  end(code: number, cause: CloseCause): void {
    this.#close(code, cause);
  }

  cut(cause: CloseCause): void {
    this.#close(1006, cause);
  }

  #close(code: number, cause: CloseCause): void {
    if (this.closeCode !== undefined) return;
    this.closeCode = code;
    for (const topic of this.#subscribed) this.#names.get(topic)?.delete(this);
    this.#onGone(this);
    this.#session?.onClose(code, cause);
  }
}
