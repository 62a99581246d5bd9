import type { Ask, InstrumentInfo } from '../engine.js';
import type { DepthwireError } from '../errors.js';
import type { AccountKey } from './account-key.js';
import type { Timer } from './clock.js';
import { connectionFault } from './connection-fault.js';
import { Link } from './link.js';
import type { LiveSink } from './live-sink.js';
import type { Loss } from './session.js';
import { Snapshots } from './snapshots.js';
import { chooseStreams, type SocketChoice, type Wanted } from './stream-choice.js';
import { instrumentParts } from './template.js';
import { UnheardBooks } from './unheard.js';
import type { VenueNet } from './venue-net.js';
import type { ProductFacts } from './venues/facts.js';

export interface ConnectorOptions extends Omit<Wanted, 'hasKey'> {
  readonly product: ProductFacts;
  /** Connections that carry the same. */
  readonly lines: number;
  readonly account: AccountKey | undefined;
  readonly net: VenueNet;
  readonly sink: LiveSink;
  /** The sink's numbers of the product's connections that have ended, to be used again: an engine has a limited number. */
  readonly free?: number[];
  /** Something is wrong with the venue or the way to it; it is tried again. */
  readonly onFault: (fault: DepthwireError) => void;
}

/** Where one connection of a product stands. */
export interface LinkStatus {
  readonly url: string;
  readonly line: number;
  readonly state: string;
  /** Since when it is connected, ms since 1970; 0 = it is not. */
  readonly connectedSinceMs: number;
  readonly reconnects: number;
  /** Why it was lost last; empty = it never was. */
  readonly lastLoss: string;
  readonly instruments: readonly number[];
}

/** Updates come in by so long after their subscription was sent: a snapshot that is asked for then can be joined to them. */
const SETTLE_MS = 250;
/** A subscription, or a connection, that has brought no book for so long is made again where the book asks for it. */
const ANSWER_MS = 10_000;
/** Levels a side of a snapshot where none are wanted. */
const SNAPSHOT_LEVELS = 1000;
/** A connection is succeeded at this part of the life that the venue gives it, and at most so much later, by chance. */
const LIFE_PART = 0.85;
const LIFE_SPREAD = 0.1;
/** How often a successor is looked at, and how long it is waited for books that are quiet. */
const SUCCESSION_MS = 100;
const SUCCESSION_MS_MAX = 60_000;

/** A connection that is going to take the place of another one. */
interface Succession {
  readonly predecessor: Link;
  /** When all was subscribed, by the clock. */
  subscribedMs: number | undefined;
}

/**
 * One product of a venue: as many connections as its limits ask for, and what mends their books. It knows no market: it
 * sends what the facts say and hands on what comes.
 */
export class Connector {
  readonly #options: ConnectorOptions;
  readonly #choices: readonly SocketChoice[];
  readonly #snapshots: Snapshots | undefined;
  readonly #instruments = new Map<number, InstrumentInfo>();
  readonly #links: Link[] = [];
  readonly #bySource = new Map<number, Link>();
  readonly #successions = new Map<Link, Succession>();
  readonly #lives = new Map<Link, Timer>();
  readonly #free: number[];
  readonly #unheard: UnheardBooks;
  readonly #asks: Ask[] = [];
  #isStarted = false;
  #isStopped = false;

  /** Throws `live.not_offered` and `live.needs_key`. */
  constructor(options: ConnectorOptions) {
    this.#options = options;
    this.#free = options.free ?? [];
    const { product, account, net, sink, onFault, depth } = options;
    this.#choices = chooseStreams(product, { ...options, hasKey: account !== undefined });
    if (product.snapshot !== null) {
      this.#snapshots = new Snapshots({
        facts: product.snapshot,
        depth: depth ?? SNAPSHOT_LEVELS,
        net,
        sink,
        isHeard: (instrument) => this.#isHeard(instrument),
        warn: onFault,
      });
    }
    this.#unheard = new UnheardBooks({
      net,
      sink,
      isAwaited: this.#snapshots && ((instrument) => this.#snapshots?.isAwaited(instrument) === true),
      links: () => this.#links.filter(({ choice }) => choice.hasBook),
    });
  }

  /** Whether it speaks for an instrument. */
  has(instrument: number): boolean {
    return this.#instruments.has(instrument);
  }

  /** Carries instruments, on connections with room or on new ones. */
  add(instruments: readonly InstrumentInfo[]): void {
    for (const instrument of instruments) {
      this.#instruments.set(instrument.id, instrument);
      const code = instrument.codes[0] ?? instrument.symbol;
      this.#snapshots?.add(instrument.id, instrumentParts(instrument.symbol, code));
    }
    for (const choice of this.#choices) {
      for (let line = 0; line < this.#options.lines; line++) this.#place(choice, line, instruments);
    }
  }

  /** Carries an instrument no more. */
  remove(instrument: number): void {
    this.#instruments.delete(instrument);
    this.#snapshots?.remove(instrument);
    this.#unheard.forget(instrument);
    for (const link of this.#links.filter((link) => link.carries(instrument))) {
      link.remove(instrument);
      this.#options.sink.drop(link.source, instrument);
      if (link.size === 0) this.#end(link);
    }
  }

  start(): void {
    this.#isStarted = true;
    for (const link of this.#links) link.connection.start();
    this.#unheard.start();
  }

  stop(): void {
    this.#isStopped = true;
    this.#unheard.stop();
    this.#snapshots?.stop();
    for (const timer of this.#lives.values()) timer.cancel();
    for (const link of this.#links) link.connection.stop();
  }

  /** Does what mends a book, in a later turn: it is asked within a call of the sink. */
  ask(ask: Ask): void {
    this.#asks.push(ask);
    if (this.#asks.length === 1) {
      queueMicrotask(() => {
        for (const each of this.#asks.splice(0)) this.#mend(each);
      });
    }
  }

  /** Says something on a source's connection; false where it is not one of these. */
  say(source: number, text: string): boolean {
    const link = this.#bySource.get(source);
    link?.connection.say(text);
    return link !== undefined;
  }

  status(): readonly LinkStatus[] {
    const { net } = this.#options;
    const { clock } = net;
    return this.#links.map(({ choice, line, connection, connects, lastLoss, instruments }) => {
      const { state, openedMs } = connection;
      const sinceMs = openedMs === 0 ? 0 : clock.wallMs() - (clock.nowMs() - openedMs);
      return {
        url: net.address(choice.facts.url),
        line,
        state,
        connectedSinceMs: sinceMs,
        reconnects: Math.max(0, connects - 1),
        lastLoss,
        instruments: [...instruments],
      };
    });
  }

  #place(choice: SocketChoice, line: number, instruments: readonly InstrumentInfo[]): void {
    const rest = [...instruments];
    const open = this.#links.filter(
      (link) => link.choice === choice && link.line === line && !this.#isSucceeded(link),
    );
    while (rest.length > 0) {
      const link = open.shift() ?? this.#open(choice, line);
      const taken: InstrumentInfo[] = [];
      // One by one, since what several have in common is subscribed once.
      for (let first = rest[0]; first !== undefined && link.hasRoomFor(first); first = rest[0]) {
        link.add([first]);
        taken.push(first);
        rest.shift();
      }
      this.#carry(link, taken);
      if (choice.hasBook) for (const { id } of taken) this.#unheard.waitFor(id);
    }
  }

  #carry({ choice, source }: Link, instruments: readonly InstrumentInfo[]): void {
    if (instruments.length === 0) return;
    const { sink } = this.#options;
    const ids = instruments.map(({ id }) => id);
    if (choice.hasBook) sink.carry(source, ids);
    else sink.carryBesideBooks(source, ids);
  }

  #open(choice: SocketChoice, line: number): Link {
    const { product, account, net, sink } = this.#options;
    const source = this.#free.pop() ?? sink.open(product.name);
    const link: Link = new Link(
      { choice, line, source, account, net },
      {
        onOpened: () => {
          sink.opened(source);
          if (choice.hasBook) for (const instrument of link.instruments) this.#unheard.waitFor(instrument);
          this.#live(link);
        },
        onAsked: (text) => sink.asked(source, Buffer.from(text)),
        onMessage: (bytes) => sink.ingest(source, bytes),
        onFarewell: () => this.#succeed(link),
        onSubscribed: () => this.#settled(link),
        onLost: (loss, wasOpen, retryMs) => this.#lost(link, loss, wasOpen, retryMs),
      },
    );
    this.#links.push(link);
    this.#bySource.set(source, link);
    if (this.#isStarted) link.connection.start();
    return link;
  }

  #end(link: Link): void {
    const { sink } = this.#options;
    link.connection.stop();
    this.#lives.get(link)?.cancel();
    this.#lives.delete(link);
    this.#successions.delete(link);
    for (const instrument of link.instruments) sink.drop(link.source, instrument);
    // What it failed at before is nothing to its next connection.
    sink.opened(link.source);
    this.#links.splice(this.#links.indexOf(link), 1);
    this.#bySource.delete(link.source);
    this.#free.push(link.source);
  }

  #lost(link: Link, loss: Loss, wasOpen: boolean, retryMs: number): void {
    const { sink, product, onFault } = this.#options;
    this.#lives.get(link)?.cancel();
    if (wasOpen) sink.sourceFailed(link.source);
    onFault(connectionFault(`${product.name} ${link.choice.facts.url}`, loss, wasOpen, retryMs));
  }

  /** Updates of what was just subscribed come in soon. */
  #settled(link: Link): void {
    const snapshots = this.#snapshots;
    if (snapshots === undefined || !link.choice.hasBook) return;
    this.#options.net.clock.after(SETTLE_MS, () => {
      for (const instrument of link.instruments) snapshots.heard(instrument);
    });
  }

  #isHeard(instrument: number): boolean {
    if (this.#isStopped) return false;
    const settledMs = this.#options.net.clock.nowMs() - SETTLE_MS;
    return this.#bookLinks(instrument).some((link) => (link.bookSentMs(instrument) ?? Infinity) <= settledMs);
  }

  #bookLinks(instrument: number): readonly Link[] {
    return this.#links.filter((link) => link.choice.hasBook && link.carries(instrument));
  }

  #mend(ask: Ask): void {
    if (this.#isStopped) return;
    const { instrument, cure } = ask;
    if (cure === 'snapshot') {
      this.#snapshots?.ask(ask);
      return;
    }
    for (const link of this.#bookLinks(instrument)) {
      const sentMs = link.bookSentMs(instrument);
      // One that is to be subscribed anyway, or has just been, is mended by that.
      if (sentMs === undefined || !this.#isDue(instrument, sentMs)) continue;
      if (cure === 'resubscribe') link.renewBook(instrument);
      else link.connection.reconnect();
    }
  }

  /** Whether a book was lost after it was subscribed, or that has brought nothing for long. */
  #isDue(instrument: number, sentMs: number): boolean {
    const { clock } = this.#options.net;
    const agoMs = clock.nowMs() - sentMs;
    const { state, losses, lostMs } = this.#options.sink.book(instrument);
    // A first book that is stale, and never was lost, came and was refused.
    const isRefused = state === 'stale' && losses === 0;
    return agoMs >= ANSWER_MS || isRefused || lostMs > clock.wallMs() - agoMs;
  }

  /** A connection has begun: before the venue ends it, another one takes its place. */
  #live(link: Link): void {
    const { lifeMs } = link.choice.facts.limits;
    if (lifeMs === null) return;
    const { clock, random } = this.#options.net;
    this.#lives.get(link)?.cancel();
    const ms = lifeMs * (LIFE_PART + LIFE_SPREAD * random());
    this.#lives.set(
      link,
      clock.after(ms, () => this.#succeed(link)),
    );
  }

  #succeed(predecessor: Link): void {
    if (this.#isStopped || this.#isSucceeded(predecessor)) return;
    const instruments = [...predecessor.instruments].flatMap((id) => this.#instruments.get(id) ?? []);
    const link = this.#open(predecessor.choice, predecessor.line);
    link.add(instruments);
    this.#carry(link, instruments);
    this.#options.sink.succeed(link.source, predecessor.source);
    this.#successions.set(link, { predecessor, subscribedMs: undefined });
    this.#watchSuccession(link);
  }

  #isSucceeded(link: Link): boolean {
    return [...this.#successions.values()].some(({ predecessor }) => predecessor === link);
  }

  #watchSuccession(link: Link): void {
    const { net, sink } = this.#options;
    const { clock } = net;
    clock.after(SUCCESSION_MS, () => {
      const succession = this.#successions.get(link);
      if (succession === undefined || this.#isStopped) return;
      const isSubscribed = link.connection.state === 'ready' && link.isSubscribed;
      succession.subscribedMs = isSubscribed ? (succession.subscribedMs ?? clock.nowMs()) : undefined;
      const waitedMs = clock.nowMs() - (succession.subscribedMs ?? clock.nowMs());
      const isTold = isSubscribed && sink.outstanding(link.source) === 0 && waitedMs >= SETTLE_MS;
      if (!isTold && waitedMs < SUCCESSION_MS_MAX) return this.#watchSuccession(link);
      this.#successions.delete(link);
      // One that had not taken another's place yet leaves that, too.
      for (let gone: Link | undefined = succession.predecessor; gone !== undefined; ) {
        const before: Link | undefined = this.#successions.get(gone)?.predecessor;
        this.#end(gone);
        gone = before;
      }
    });
  }
}
