import type { IncomingMessage, ServerResponse } from 'node:http';
import type {
  AddressFacts,
  BudgetFacts,
  InstrumentsFacts,
  LoginFacts,
  RequestFacts,
  SnapshotFacts,
} from '../ingest/venues/facts.js';
import { ANSWER_FAULTS, type Fault, type FaultPlan } from './fault.js';
import { named } from './instruments.js';
import { jsonOf } from './json.js';
import { Allowance, type Ledger } from './ledger.js';
import { listOf } from './lists/index.js';
import { type LoginDesk, messageWith } from './login.js';
import { HTML_PAGE, mannersOf } from './manners.js';
import type { Market } from './market.js';
import { AddressPattern, type Said } from './pattern.js';

const LATE_MS = 1000;
/** Requests beyond a limit after which a venue that bans does so. */
const OFFENCES_MAX = 3;
const BODY_BYTES_MAX = 64 << 10;

/** One budget of a venue, as all its clients use it: they are of one address. */
export class Budget {
  readonly #facts: BudgetFacts;
  readonly #allowance: Allowance;
  #offences = 0;
  #bannedUntilMs = 0;

  constructor(facts: BudgetFacts) {
    this.#facts = facts;
    this.#allowance = new Allowance({ max: facts.weightMax, windowMs: facts.windowMs });
  }

  /** Bans at once, as if too many requests had come. */
  ban(nowMs: number): void {
    this.#bannedUntilMs = nowMs + this.#facts.ban.pauseMs;
  }

  /** Uses weight. What is refused has a status and the time to wait; requests during a ban make it longer. */
  use(nowMs: number, weight: number): { readonly status: number; readonly waitMs: number } | undefined {
    const [banStatus] = this.#facts.ban.statuses;
    if (banStatus !== undefined && nowMs < this.#bannedUntilMs) {
      this.ban(nowMs);
      return { status: banStatus, waitMs: this.#facts.ban.pauseMs };
    }
    if (this.#allowance.use(nowMs, weight)) {
      this.#offences = 0;
      return undefined;
    }
    this.#offences += 1;
    if (banStatus !== undefined && this.#offences > OFFENCES_MAX) {
      this.ban(nowMs);
      return { status: banStatus, waitMs: this.#facts.ban.pauseMs };
    }
    return { status: 429, waitMs: this.#allowance.waitMs(nowMs) };
  }

  headers(nowMs: number): Readonly<Record<string, string>> {
    const { usedHeader, leftHeader, weightMax } = this.#facts;
    const used = this.#allowance.used(nowMs);
    return {
      ...(usedHeader === null ? {} : { [usedHeader]: String(used) }),
      ...(leftHeader === null ? {} : { [leftHeader]: String(Math.max(0, weightMax - used)) }),
    };
  }
}

/** What a request is answered with. */
interface Answer {
  readonly status: number;
  readonly body: Uint8Array | string;
  readonly isHtml?: true;
}

/** One address of a venue that is asked over HTTP. */
export interface Service {
  /** As the facts have it. */
  readonly url: string;
  readonly method: string;
  readonly weight: (said: Said) => number;
  readonly budget: Budget;
  readonly answer: (
    said: Said,
    request: { readonly header: (name: string) => string | undefined; readonly body: string },
    fault: Fault | undefined,
  ) => Answer;
}

export function snapshotService(facts: SnapshotFacts, market: Market, budget: Budget): Service {
  const deepest = facts.weights.at(-1)?.weight ?? 1;
  const refusal = {
    status: 400,
    body: mannersOf(market.product).refusal?.(400) ?? '{"error":"unknown instrument"}',
  };
  return {
    url: facts.url,
    method: 'GET',
    budget,
    weight: ({ levels }) =>
      facts.weights.find(({ levelsMax }) => Number(levels ?? 0) <= levelsMax)?.weight ?? deepest,
    answer: (said, _request, fault) => {
      const codes = market.codes();
      const [code] = named(said, codes);
      if (code === undefined || fault?.kind === 'answer-refused') return refusal;
      const of = fault?.kind === 'answer-other' ? (codes.find((other) => other !== code) ?? code) : code;
      const isByOrder = market.isByOrder;
      const body = market.snapshot(of, isByOrder, Number(said.levels ?? 0), fault?.kind === 'answer-old');
      return body === undefined ? refusal : { status: 200, body };
    },
  };
}

export function addressService(
  facts: AddressFacts,
  budget: Budget,
  endpoint: () => string,
  beatMs: number,
): Service {
  let tokens = 0;
  return {
    url: facts.request.url,
    method: facts.request.method,
    budget,
    weight: () => facts.request.weight,
    answer: () => {
      tokens += 1;
      return {
        status: 200,
        body: messageWith({
          [facts.token]: `token-${tokens}`,
          ...(facts.endpoint === null ? {} : { [facts.endpoint]: endpoint() }),
          ...(facts.beatMs === null ? {} : { [facts.beatMs]: beatMs }),
        }),
      };
    },
  };
}

export function tokenService(
  facts: Extract<LoginFacts, { readonly kind: 'token' }>,
  login: LoginDesk,
  budget: Budget,
  nowMs: () => number,
  isRefused: () => boolean,
): Service {
  const request: RequestFacts = facts.request;
  return {
    url: request.url,
    method: request.method,
    budget,
    weight: () => request.weight,
    answer: (_said, { header, body }) => {
      const issued = isRefused() ? { refused: 'as planned' } : login.issue(request, header, body, nowMs());
      return 'token' in issued
        ? { status: 200, body: messageWith({ [facts.token]: issued.token }) }
        : { status: 403, body: JSON.stringify({ error: [issued.refused] }) };
    },
  };
}

/** One for each address, whatever is posted to it; none where nobody has written down how the venue lists its instruments. */
export function listServices(facts: InstrumentsFacts, market: Market, budget: Budget): readonly Service[] {
  const { product } = market;
  const list = listOf(product);
  if (list === undefined) return [];
  return [...new Set(facts.urls)].map((url) => ({
    url,
    method: facts.bodies === undefined ? 'GET' : 'POST',
    budget,
    weight: () => facts.weight,
    answer: (_said, { body }) => {
      const query = new URL(url).searchParams;
      const answer = list({ product, listings: market.listings(), query, body: jsonOf(body) });
      return answer === undefined
        ? { status: 422, body: 'Failed to deserialize the JSON body into the target type' }
        : { status: 200, body: answer };
    },
  }));
}

/** Answers requests to a venue's HTTP addresses: within their budgets, but for the faults that are planned. */
export class Desk {
  readonly #services: readonly {
    readonly service: Service;
    readonly host: string;
    readonly pattern: AddressPattern;
  }[];
  readonly #ledger: Ledger;
  readonly #faults: FaultPlan;
  readonly #nowMs: () => number;

  constructor(services: readonly Service[], ledger: Ledger, faults: FaultPlan, nowMs: () => number) {
    this.#services = services.map((service) => ({
      service,
      host: new URL(service.url).host,
      pattern: new AddressPattern(service.url),
    }));
    this.#ledger = ledger;
    this.#faults = faults;
    this.#nowMs = nowMs;
  }

  /** The addresses, as the facts have them. */
  urls(): readonly string[] {
    return this.#services.map(({ service }) => service.url);
  }

  /** `host`: of the venue's own address; undefined where the client does not say. */
  async take(
    request: IncomingMessage,
    response: ServerResponse,
    host: string | undefined,
    url: URL,
  ): Promise<void> {
    const found = this.#find(request.method ?? 'GET', host, url);
    if (found === undefined) {
      response.writeHead(404, { 'content-type': 'application/json' }).end('{"error":"no such address"}');
      return;
    }
    const { service, said } = found;
    const body = await bodyOf(request);
    const nowMs = this.#nowMs();
    const weight = service.weight(said);
    const refused = service.budget.use(nowMs, weight);
    const beyond = refused === undefined ? null : `weight beyond the budget: ${refused.status}`;
    this.#ledger.note({ atMs: nowMs, kind: 'http', where: service.url, units: weight, beyond });
    const headers = service.budget.headers(nowMs);
    if (refused !== undefined) return refuse(response, refused.status, refused.waitMs, headers);
    const fault = this.#faults.next(ANSWER_FAULTS);
    if (fault?.kind === 'answer-never') return;
    if (fault?.kind === 'answer-late')
      await new Promise((resolve) => setTimeout(resolve, fault.ms ?? LATE_MS));
    if (fault?.kind === 'answer-418') service.budget.ban(nowMs);
    const status = Number(/^answer-(\d+)$/.exec(fault?.kind ?? '')?.[1] ?? 0);
    if (status !== 0) return refuse(response, status, fault?.ms ?? LATE_MS, headers);
    const header = (name: string): string | undefined => {
      const value = request.headers[name.toLowerCase()];
      return Array.isArray(value) ? value[0] : value;
    };
    send(response, service.answer(said, { header, body }, fault), headers, fault);
  }

  #find(method: string, host: string | undefined, url: URL): { service: Service; said: Said } | undefined {
    for (const { service, host: own, pattern } of this.#services) {
      if (service.method !== method || (host !== undefined && host !== own)) continue;
      const said = pattern.match(url);
      if (said !== undefined) return { service, said };
    }
    return undefined;
  }
}

function refuse(
  response: ServerResponse,
  status: number,
  waitMs: number,
  headers: Readonly<Record<string, string>>,
): void {
  const wait = { 'retry-after': String(Math.max(1, Math.ceil(waitMs / 1000))) };
  response.writeHead(status, { ...headers, ...wait, 'content-type': 'application/json' });
  response.end(`{"code":${-status},"msg":"refused with ${status}"}`);
}

function send(
  response: ServerResponse,
  { status, body }: Answer,
  headers: Readonly<Record<string, string>>,
  fault: Fault | undefined,
): void {
  const bytes = Buffer.from(body as Uint8Array);
  switch (fault?.kind) {
    case 'answer-html':
      response.writeHead(200, { ...headers, 'content-type': 'text/html' }).end(HTML_PAGE);
      return;
    case 'answer-truncate':
      response.writeHead(status, { ...headers, 'content-type': 'application/json' });
      response.end(bytes.subarray(0, bytes.length >> 1));
      return;
    case 'answer-cut':
      response.writeHead(status, { ...headers, 'content-length': String(bytes.length) });
      response.write(bytes.subarray(0, bytes.length >> 1), () => response.socket?.destroy());
      return;
    default:
      response.writeHead(status, { ...headers, 'content-type': 'application/json' }).end(bytes);
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of request) {
    body += String(chunk);
    if (body.length > BODY_BYTES_MAX) break;
  }
  return body;
}
