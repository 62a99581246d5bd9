import { setTimeout as pause } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { type Config, type ConfigInput, configFrom } from '../../src/config.js';
import type { Engine } from '../../src/engine.js';
import { FeedServer } from '../../src/publish/server.js';
import type { Site } from '../../src/publish/site.js';
import { TickTimer } from '../../src/tick-timer.js';
import { FakeNative, fakeEngine, labels } from './fake-engine.js';

/** Gateways of each server: the suites of the feed run with some as they run with none. */
const GATEWAYS = Number(process.env.GATEWAYS ?? 0);

/** A server on a free port over a fake engine. */
export interface TestServer {
  readonly native: FakeNative;
  readonly engine: Engine;
  readonly server: FeedServer;
  readonly config: Config;
  readonly port: number;
  /** `http://127.0.0.1:port` */
  readonly url: string;
  /** Publishes a frame as the engine would. */
  publish(instrument: number, stream: number, frame: Uint8Array): void;
  stop(): Promise<void>;
}

/** Starts a server; `tick` is driven as `serve` drives it. */
export async function startServer(
  input: ConfigInput = {},
  site: Site = new Map(),
  native: FakeNative = new FakeNative(1 << 24),
): Promise<TestServer> {
  // Several need the transport that shares a port.
  const gateways = input.server?.transport === 'ws' ? 0 : GATEWAYS;
  const config = configFrom({ ...input, server: { port: 0, drainMs: 300, gateways, ...input.server } });
  const wiring: { server?: FeedServer } = {};
  const engine = fakeEngine(
    { onFrameBytes: (id, stream, ring, at, size) => wiring.server?.onFrameBytes(id, stream, ring, at, size) },
    native,
  );
  const server = new FeedServer(engine, engine.instruments(), config, site);
  wiring.server = server;
  const port = await server.listen();
  const timer = new TickTimer((lateMs) => server.tick(lateMs));
  server.hurry = () => timer.hurry();
  return {
    native,
    engine,
    server,
    config,
    port,
    url: `http://127.0.0.1:${port}`,
    publish(instrument, stream, frame) {
      native.emit(instrument, stream, frame);
      engine.tick();
    },
    async stop() {
      await server.drain('test is over');
      timer.stop();
    },
  };
}

/** What a client received: the object of a control message, or the label of a frame, of which a message may have several. */
export type Received = Readonly<Record<string, unknown>> | string;

/** A client that keeps all that it receives, in order. */
export class TestClient {
  readonly socket: WebSocket;
  readonly received: Received[] = [];
  closeCode: number | undefined;
  readonly #waiters = new Set<() => void>();

  constructor(
    port: number,
    options: { readonly protocols?: readonly string[]; readonly origin?: string } = {},
  ) {
    const { protocols = ['depthwire.v1'], origin } = options;
    this.socket = new WebSocket(
      `ws://127.0.0.1:${port}/v1/feed`,
      [...protocols],
      origin === undefined ? {} : { origin },
    );
    this.socket.on('message', (data: Buffer, isBinary: boolean) => {
      if (isBinary) this.received.push(...labels(data));
      else this.received.push(JSON.parse(data.toString()) as Received);
      this.#changed();
    });
    this.socket.on('close', (code) => {
      this.closeCode = code;
      this.#changed();
    });
    this.socket.on('error', () => {});
  }

  /** A client that has been greeted. */
  static async open(port: number): Promise<TestClient> {
    const client = new TestClient(port);
    await client.count(1);
    return client;
  }

  /** Control messages among what was received. */
  get control(): readonly Readonly<Record<string, unknown>>[] {
    return this.received.filter((message) => typeof message !== 'string');
  }

  send(message: object | string): void {
    this.socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  /** Waits until so many messages have come. */
  async count(count: number): Promise<readonly Received[]> {
    await this.until(() => this.received.length >= count, `${count} messages`);
    return this.received;
  }

  async closed(): Promise<number> {
    await this.until(() => this.closeCode !== undefined, 'the end of the connection');
    return this.closeCode ?? 0;
  }

  /** Waits for a condition that messages bring about; more than a few seconds only where that is much work. */
  async until(condition: () => boolean, what: string, msMax = 5000): Promise<void> {
    const late = performance.now() + msMax;
    while (!condition()) {
      if (performance.now() > late)
        throw new Error(`no ${what}; got ${JSON.stringify(this.received).slice(0, 2000)}`);
      await Promise.race([new Promise<void>((resolve) => this.#waiters.add(resolve)), pause(20)]);
    }
  }

  #changed(): void {
    for (const waiter of this.#waiters) waiter();
    this.#waiters.clear();
  }
}
