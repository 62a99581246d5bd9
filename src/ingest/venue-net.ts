import type { Agent } from 'node:http';
import { VERSION } from '../version.js';
import { Budget } from './budget.js';
import type { Clock } from './clock.js';
import { ClockSkew } from './clock-skew.js';
import { ConnectGate } from './connect-gate.js';
import { type HttpAnswer, HttpClient, type HttpRequest } from './http-client.js';
import { agentsOf, type Net } from './proxy.js';
import type { RequestFacts, SocketFacts, VenueFacts } from './venues/facts.js';

export const USER_AGENT = `depthwire/${VERSION}`;

/** How a venue is reached. */
export interface VenueNetOptions extends Net {
  /** Beginnings of addresses, and what stands in their place: a test server, a gateway. The longest that fits counts. */
  readonly addresses?: Readonly<Record<string, string>> | undefined;
  readonly clock: Clock;
  /** Numbers from 0 to below 1. */
  readonly random: () => number;
}

/**
 * A venue as it is reached from this address: its budgets of requests and of connections, which all products and all books
 * share, and its clock.
 */
export class VenueNet {
  readonly clock: Clock;
  readonly random: () => number;
  readonly skew = new ClockSkew();
  readonly #facts: VenueFacts;
  readonly #addresses: readonly (readonly [string, string])[];
  readonly #agents: ReturnType<typeof agentsOf>;
  readonly #http: HttpClient;
  readonly #budgets = new Map<string, Budget>();
  readonly #gates = new Map<string, ConnectGate>();
  readonly #stopping = new AbortController();
  #lastNonce = 0;

  constructor(facts: VenueFacts, options: VenueNetOptions) {
    this.#facts = facts;
    this.clock = options.clock;
    this.random = options.random;
    this.#addresses = Object.entries(options.addresses ?? {}).sort(([a], [b]) => b.length - a.length);
    this.#agents = agentsOf(options);
    this.#http = new HttpClient(this.#agents, USER_AGENT);
  }

  /** An address as it is to be used. */
  address(url: string): string {
    const found = this.#addresses.find(([beginning]) => url.startsWith(beginning));
    return found === undefined ? url : found[1] + url.slice(found[0].length);
  }

  agent(url: string): Agent {
    return /^(https|wss):/.test(url) ? this.#agents.https : this.#agents.http;
  }

  /** What limits new connections to the socket's host. */
  gate({ url, limits }: SocketFacts): ConnectGate {
    const host = /^\w+:\/\/([^/]+)/.exec(url)?.[1] ?? url;
    let gate = this.#gates.get(host);
    if (gate === undefined) {
      gate = new ConnectGate(limits, this.clock);
      this.#gates.set(host, gate);
    }
    return gate;
  }

  budget(name: string): Budget {
    let budget = this.#budgets.get(name);
    if (budget === undefined) {
      const facts = this.#facts.budgets[name];
      if (facts === undefined) throw new Error(`no budget ${name} in the facts of ${this.#facts.sources[0]}`);
      budget = new Budget(facts, this.clock);
      this.#budgets.set(name, budget);
    }
    return budget;
  }

  /** Every budget that was used, by name. */
  budgets(): ReadonlyMap<string, Budget> {
    return this.#budgets;
  }

  /** Makes a request when its budget allows it; undefined once stopped. Rejects where no answer is had. */
  request(
    { method, url, weight, budget }: RequestFacts,
    more: { readonly headers?: Readonly<Record<string, string>>; readonly body?: string } = {},
  ): Promise<HttpAnswer | undefined> {
    return this.budget(budget).ask(weight, () => this.send({ method, url, ...more }));
  }

  /** Makes a request that its budget has allowed. */
  async send(request: HttpRequest): Promise<HttpAnswer> {
    const sentMs = this.clock.wallMs();
    const asked = { ...request, url: this.address(request.url) };
    const answer = await this.#http.request(asked, this.#stopping.signal);
    this.skew.note(answer.headers.date, sentMs, this.clock.wallMs());
    return answer;
  }

  /** A number that is greater with each call, and with each start: µs since 1970. */
  nonce(): number {
    this.#lastNonce = Math.max(this.#lastNonce + 1, this.clock.wallMs() * 1000);
    return this.#lastNonce;
  }

  stop(): void {
    this.#stopping.abort();
    for (const budget of this.#budgets.values()) budget.close();
    this.#agents.http.destroy();
    this.#agents.https.destroy();
  }
}
