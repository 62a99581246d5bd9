import type { AccountKey } from './account-key.js';
import { Backoff } from './backoff.js';
import type { Timer } from './clock.js';
import type { Pass } from './connect-gate.js';
import { controlJson, member } from './control-json.js';
import { jwtParts, Refusal, refusedSubscription, signedParts, tokenOf, tokenRequest } from './login.js';
import { type Loss, Session } from './session.js';
import { type Batch, batchesOf, type Subscription } from './subscription.js';
import { addressOf, batchOf, type Parts } from './template.js';
import type { VenueNet } from './venue-net.js';
import type { SocketFacts } from './venues/facts.js';

/** Who hears of a connection. A connection opens and is lost as often as it must, until it is stopped. */
export interface ConnectionListener {
  /** It was made, anew perhaps. Nothing of before holds. */
  onOpened(): void;
  /** What is asked of the venue, just before it is sent: the address, a subscription. */
  onAsked(text: string): void;
  onMessage(bytes: Uint8Array): void;
  /** The venue is going to end it. */
  onFarewell(): void;
  /** These were asked for; the venue's answers follow. */
  onSubscribed(subscriptions: readonly Subscription[]): void;
  /** It ended, or could not be made; `wasOpen` tells which. The next attempt comes after `retryMs`. */
  onLost(loss: Loss, wasOpen: boolean, retryMs: number): void;
}

export interface ConnectionOptions {
  readonly facts: SocketFacts;
  readonly account: AccountKey | undefined;
  readonly net: VenueNet;
}

/** The first pause of a lost connection, and the longest. */
const RETRY_MS = 500;
const RETRY_MS_MAX = 30_000;
/** A venue that refuses, or does not take the account, is asked more rarely: it bans those who insist. */
const REFUSED_MS = 15_000;
const REFUSED_MS_MAX = 600_000;
/** A connection that lived for so long works: the next pause is the first again. */
const STABLE_MS = 30_000;

/** Where a connection stands. `waiting`: for its pause to end, or for the host's limits. */
export type ConnectionState = 'waiting' | 'connecting' | 'open' | 'ready' | 'stopped';

/**
 * One connection to one address, made again whenever it is lost, with its subscriptions. What is subscribed is said in
 * messages as full as the venue allows, as fast as it allows.
 */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #listener: ConnectionListener;
  readonly #retries: Backoff;
  readonly #refusals: Backoff;
  readonly #subscriptions = new Map<string, Subscription>();
  /** Keys that wait to be sent. */
  readonly #queued = new Set<string>();
  #state: ConnectionState = 'waiting';
  #openedMs = 0;
  #attempt = 0;
  #timer: Timer | undefined;
  #pass: Pass | undefined;
  #session: Session | undefined;
  /** What the subscriptions of this connection carry: a token. */
  #parts: Parts = {};
  /** What proved an account in the last subscription. */
  #proofs: Parts = {};
  #url = '';

  constructor(options: ConnectionOptions, listener: ConnectionListener) {
    this.#options = options;
    this.#listener = listener;
    this.#retries = new Backoff(RETRY_MS, RETRY_MS_MAX, options.net.random);
    this.#refusals = new Backoff(REFUSED_MS, REFUSED_MS_MAX, options.net.random);
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** When it was opened, by the clock; 0 = it is not open. */
  get openedMs(): number {
    return this.#openedMs;
  }

  get size(): number {
    return this.#subscriptions.size;
  }

  /** Begins to connect, in a later turn. */
  start(): void {
    this.#enterAfter(0);
  }

  /** Ends for good. Nothing more is heard of it. */
  stop(): void {
    this.#state = 'stopped';
    this.#openedMs = 0;
    this.#attempt += 1;
    this.#timer?.cancel();
    this.#session?.end();
    this.#session = undefined;
    this.#pass?.release();
    this.#queued.clear();
  }

  /** Makes it anew. */
  reconnect(): void {
    this.#session?.end();
  }

  add(subscriptions: readonly Subscription[]): void {
    for (const subscription of subscriptions) this.#subscriptions.set(subscription.key, subscription);
    this.#subscribe(subscriptions);
  }

  remove(subscriptions: readonly Subscription[]): void {
    const gone = subscriptions.filter(({ key }) => this.#subscriptions.delete(key));
    this.#unsubscribe(gone.filter(({ key }) => !this.#queued.delete(key)));
  }

  /** Ends subscriptions and makes them again. What waits to be sent anyway is left alone. */
  renew(subscriptions: readonly Subscription[]): void {
    const again = subscriptions.filter(({ key }) => this.#subscriptions.has(key) && !this.#queued.has(key));
    this.#unsubscribe(again);
    this.#subscribe(again);
  }

  /** Says something at once, as far as the venue's limits allow. */
  say(text: string): void {
    this.#session?.say(text);
  }

  #enterAfter(ms: number): void {
    this.#state = 'waiting';
    this.#attempt += 1;
    const attempt = this.#attempt;
    const { facts, net } = this.#options;
    this.#timer = net.clock.after(ms, () => {
      this.#timer = net.gate(facts).enter((pass) => {
        this.#pass = pass;
        this.#connect(attempt).catch((error: unknown) => {
          const detail = error instanceof Error ? error.message : String(error);
          const loss: Loss =
            error instanceof Refusal ? error.loss : { cause: 'unreachable', detail, pauseMs: 0 };
          if (attempt === this.#attempt) this.#lost(loss);
        });
      });
    });
  }

  async #connect(attempt: number): Promise<void> {
    this.#state = 'connecting';
    const { facts, account, net } = this.#options;
    const { parts, beatMs } = await this.#address();
    const token = await this.#token();
    if (attempt !== this.#attempt) return;
    this.#parts = { ...parts, ...token };
    this.#url = net.address(addressOf(facts.url, this.#parts));
    const needsKey = [...this.#subscriptions.values()].some(({ stream }) => stream.needsKey);
    const silences = [...this.#subscriptions.values()].flatMap(({ stream }) => stream.silenceMs ?? []);
    this.#session = new Session(
      {
        url: this.#url,
        facts,
        beatMs,
        quietMsMax: silences.length === 0 ? undefined : Math.min(...silences),
        account: needsKey ? account : undefined,
        net,
      },
      {
        onOpen: () => this.#opened(),
        onReady: () => this.#ready(),
        onMessage: (bytes) => {
          this.#listener.onMessage(bytes);
          if (attempt === this.#attempt) this.#endIfRefused(bytes);
        },
        onFarewell: () => this.#listener.onFarewell(),
        onHeaders: ({ date }, sentMs) => net.skew.note(date, sentMs, net.clock.wallMs()),
        onEnd: (loss) => {
          if (attempt === this.#attempt) this.#lost(loss);
        },
      },
    );
  }

  /** The address that the venue gives out, where it does. Throws what is wrong with the answer. */
  async #address(): Promise<{ readonly parts: Parts; readonly beatMs: number | undefined }> {
    const { address } = this.#options.facts;
    if (address === null) return { parts: {}, beatMs: undefined };
    const answer = controlJson(await this.#ask(address.request));
    const token = textAt(answer, address.token);
    const endpoint = address.endpoint === null ? {} : { endpoint: textAt(answer, address.endpoint) };
    const beatMs = address.beatMs === null ? undefined : Number(member(answer, address.beatMs));
    return { parts: { token, ...endpoint }, beatMs: beatMs !== undefined && beatMs > 0 ? beatMs : undefined };
  }

  async #token(): Promise<Parts> {
    const { facts, account, net } = this.#options;
    if (facts.login?.kind !== 'token' || account === undefined) return {};
    const { headers, body } = tokenRequest(account, facts.login, net.nonce());
    const answer = await net.request(facts.login.request, { headers, body });
    if (answer === undefined) throw new Error('no token: stopped');
    return { token: tokenOf(answer, facts.login) };
  }

  /** A token that is not taken is told in the answer to a subscription, and no other one on this connection would be. */
  #endIfRefused(bytes: Uint8Array): void {
    const { facts, account } = this.#options;
    if (facts.login?.kind !== 'token' || account === undefined) return;
    const loss = refusedSubscription(bytes, facts.login);
    if (loss !== undefined) this.#session?.end(loss);
  }

  async #ask(...asked: Parameters<VenueNet['request']>): Promise<Uint8Array> {
    const answer = await this.#options.net.request(...asked);
    if (answer?.status === 200) return answer.body;
    throw new Error(`no address: ${answer === undefined ? 'stopped' : `HTTP status ${answer.status}`}`);
  }

  #opened(): void {
    this.#state = 'open';
    this.#openedMs = this.#options.net.clock.nowMs();
    this.#listener.onOpened();
    this.#listener.onAsked(this.#told(this.#url));
  }

  #ready(): void {
    this.#state = 'ready';
    this.#queued.clear();
    this.#subscribe([...this.#subscriptions.values()]);
  }

  #lost(loss: Loss): void {
    const { clock } = this.#options.net;
    const wasOpen = this.#openedMs !== 0;
    if (wasOpen && clock.nowMs() - this.#openedMs >= STABLE_MS) {
      this.#retries.reset();
      this.#refusals.reset();
    }
    this.#openedMs = 0;
    this.#session = undefined;
    this.#queued.clear();
    this.#pass?.release();
    const isRefusal = loss.cause === 'refused' || loss.cause === 'login';
    const retryMs = Math.max(loss.pauseMs, (isRefusal ? this.#refusals : this.#retries).next());
    this.#enterAfter(retryMs);
    this.#listener.onLost(loss, wasOpen, retryMs);
  }

  #subscribe(subscriptions: readonly Subscription[]): void {
    const session = this.#session;
    if (session === undefined || this.#state !== 'ready') return;
    for (const { key } of subscriptions) this.#queued.add(key);
    for (const batch of batchesOf(subscriptions, this.#costMax())) {
      const sent: Subscription[] = [];
      session.request(
        batch.cost,
        (parts) => {
          sent.push(...batch.subscriptions.filter(({ key }) => this.#queued.delete(key)));
          if (sent.length === 0) return undefined;
          return this.#text(batch.stream.subscribe, batch, sent, parts);
        },
        (text) => {
          this.#listener.onAsked(this.#told(text));
          this.#listener.onSubscribed(sent);
        },
      );
    }
  }

  #unsubscribe(subscriptions: readonly Subscription[]): void {
    const session = this.#session;
    if (session === undefined || this.#state !== 'ready') return;
    for (const batch of batchesOf(subscriptions, Number.POSITIVE_INFINITY)) {
      const { unsubscribe } = batch.stream;
      // Where only the room can say it, it has been said already.
      if (unsubscribe === null) continue;
      session.request(
        0,
        (parts) => this.#text(unsubscribe, batch, batch.subscriptions, parts),
        (text) => this.#listener.onAsked(this.#told(text)),
      );
    }
  }

  #text(text: string, batch: Batch, subscriptions: readonly Subscription[], parts: Parts): string {
    const { facts, account, net } = this.#options;
    const wallMs = net.clock.wallMs();
    const proven =
      account === undefined || !batch.stream.needsKey
        ? {}
        : facts.login?.kind === 'fields'
          ? signedParts(account, facts.login.signature, wallMs)
          : facts.login?.kind === 'jwt'
            ? jwtParts(account, facts.login, wallMs)
            : {};
    this.#proofs = proven;
    const args = subscriptions.map(({ arg }) => arg);
    return batchOf(text, args, { ...this.#parts, ...parts, ...proven, depth: String(batch.depth) });
  }

  /** What was sent, without what proves an account: that is for the venue alone, and stands in no journal. */
  #told(text: string): string {
    return withoutSecrets(text, { ...this.#parts, ...this.#proofs });
  }

  /** The most that one message may subscribe, by the connection's rates. */
  #costMax(): number {
    const rates = this.#options.facts.limits.rates.filter(({ of }) => of === 'subscriptions');
    return Math.min(...rates.map(({ max }) => max));
  }
}

/** Names of parts that prove an account. */
const SECRETS = ['token', 'key', 'secret', 'passphrase', 'signature', 'jwt'] as const;

/** A text without those parts, as they stand in messages, between quotes, and in addresses, behind a sign of equality. */
function withoutSecrets(text: string, parts: Parts): string {
  let told = text;
  for (const name of SECRETS) {
    const secret = parts[name];
    if (secret === undefined || secret === '') continue;
    for (const form of [secret, encodeURIComponent(secret)])
      told = told.replaceAll(`"${form}"`, '"-"').replaceAll(`=${form}`, '=-');
  }
  return told;
}

function textAt(answer: unknown, path: string): string {
  const text = member(answer, path);
  if (typeof text === 'string' && text !== '') return text;
  throw new Error(`no address: the answer has no ${path}`);
}
