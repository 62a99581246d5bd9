import { request } from 'node:http';
import { request as secureRequest } from 'node:https';
import { WebSocket } from 'ws';
import { FakeVenue, type FakeVenueOptions } from '../../src/fake-venue/fake-venue.js';
import { productFacts } from '../../src/ingest/venues/index.js';

/** A fake venue of these products, each with its codes, that listens on a free port. */
export async function fakeVenue(
  products: Readonly<Record<string, readonly string[]>>,
  options: Omit<FakeVenueOptions, 'products'> = {},
): Promise<FakeVenue> {
  const offered = Object.entries(products).map(([name, codes]) => {
    const known = productFacts(name);
    if (known === undefined) throw new Error(`no facts of ${name}`);
    return { ...known, codes };
  });
  const venue = new FakeVenue({ products: offered, ...options });
  await venue.listen();
  return venue;
}

/** An address of a venue as the fake one has it. */
export function fakeUrl(venue: FakeVenue, url: string): string {
  const host = venue.hosts().find((own) => url.startsWith(own.venue));
  if (host === undefined) throw new Error(`the fake venue has no ${url}`);
  return host.fake + url.slice(host.venue.length);
}

/** A plain WebSocket client that keeps what it hears. */
export class PlainClient {
  readonly heard: string[] = [];
  readonly socket: WebSocket;
  closed: { readonly code: number; readonly reason: string } | undefined;
  failed: Error | undefined;
  #pings = 0;

  constructor(url: string, certificate: string | null = null) {
    this.socket = new WebSocket(url, certificate === null ? {} : { ca: certificate });
    this.socket.on('message', (data: Buffer) => this.heard.push(data.toString('latin1')));
    this.socket.on('ping', () => {
      this.#pings += 1;
    });
    this.socket.on('close', (code, reason) => {
      this.closed = { code, reason: reason.toString() };
    });
    this.socket.on('error', (error) => {
      this.failed = error;
    });
  }

  get pings(): number {
    return this.#pings;
  }

  async open(): Promise<this> {
    await until(() => this.socket.readyState !== WebSocket.CONNECTING);
    return this;
  }

  say(message: unknown): void {
    this.socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  /** Waits until a message that holds the text has come, from the `from`-th on. */
  async hears(text: string, from = 0): Promise<string> {
    const found = (): string | undefined => this.heard.slice(from).find((message) => message.includes(text));
    await until(() => found() !== undefined);
    return found() ?? '';
  }

  close(): void {
    this.socket.terminate();
  }
}

/** Waits for what must come true. */
export async function until(isTrue: () => boolean, msMax = 10_000): Promise<void> {
  for (const lateMs = performance.now() + msMax; !isTrue(); ) {
    if (performance.now() > lateMs) throw new Error(`not true after ${msMax} ms: ${String(isTrue)}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

export interface HttpAsked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly ca?: string;
}

/** One request over HTTP; rejects where the connection breaks. */
export function ask(
  url: string,
  { method = 'GET', headers = {}, body, ca }: HttpAsked = {},
): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const send = url.startsWith('https') ? secureRequest : request;
    const sent = send(
      url,
      { method, headers, agent: false, ...(ca === undefined ? {} : { ca }) },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('error', reject);
        answer.on('end', () =>
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(chunks) }),
        );
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}
