import type { Socket } from 'node:net';
import type { RawData, WebSocket } from 'ws';
import type { Channel, SocketFacts, StreamFacts } from '../ingest/venues/facts.js';
import { type FaultPlan, LOGIN_FAULTS } from './fault.js';
import { named } from './instruments.js';
import { Allowance, type Ledger } from './ledger.js';
import { type LoginDesk, messageWith } from './login.js';
import { type Answered, type Manners, mannersOf } from './manners.js';
import { type FrameChannel, type Hearing, type Market, speaks } from './market.js';
import { Outlet, webSocketMedium } from './outlet.js';
import type { Said } from './pattern.js';
import type { Asked, Reading, SubscriptionReader } from './subscriptions.js';

/** Which frames of a dialect bring a channel. */
const BRINGS: Readonly<Record<Channel, FrameChannel>> = {
  book: 'book',
  orders: 'orders',
  bbo: 'ticker',
  trades: 'trade',
  ticker: 'ticker',
  liquidations: 'ticker',
  status: 'definition',
};

/** Status of a close by the venue: RFC 6455, section 7.4.1. */
const POLICY = 1008;
const GOING_AWAY = 1001;

/** What a connection shares with the others of its address. */
export interface Address {
  /** As the facts have it. */
  readonly url: string;
  readonly socket: SocketFacts;
  readonly market: Market;
  readonly reader: SubscriptionReader;
  readonly login: LoginDesk | null;
  readonly ledger: Ledger;
  readonly faults: FaultPlan;
}

/** An instrument that a connection hears. */
export interface Heard {
  readonly hearing: Hearing;
  readonly code: string;
  readonly wanted: Set<FrameChannel>;
}

/** One client's connection: what it may say, what it hears, and how long it lives. */
export class Line {
  readonly #address: Address;
  readonly #socket: WebSocket;
  readonly #outlet: Outlet;
  readonly #nowMs: () => number;
  readonly #manners: Manners;
  readonly #heard = new Map<string, Heard>();
  /** Subscriptions, by their streams and what they say. */
  readonly #subscriptions = new Map<string, readonly string[]>();
  readonly #rates: readonly { readonly of: string; readonly allowance: Allowance }[];
  readonly #timers: NodeJS.Timeout[] = [];
  /** When the client was last heard. */
  #lifeMs: number;
  #isLoggedIn = false;
  /** Streams by the numbers under which they were opened. */
  readonly #opened = new Map<number, { readonly stream: StreamFacts; readonly code: string }>();
  /** Frames that were numbered by the connection. */
  #numbered = 0;
  #token: string | undefined;

  constructor(address: Address, socket: WebSocket, wire: Socket, nowMs: () => number) {
    this.#address = address;
    this.#socket = socket;
    this.#nowMs = nowMs;
    this.#manners = mannersOf(address.market.product);
    this.#outlet = new Outlet(webSocketMedium(socket, wire), address.faults);
    this.#lifeMs = nowMs();
    this.#rates = address.socket.limits.rates.map((rate) => ({
      of: rate.of,
      allowance: new Allowance(rate),
    }));
    // What is wrong with a connection ends it, and that is told by its close.
    socket.on('error', () => {});
    socket.on('message', (data, isBinary) => this.#said(data, isBinary));
    socket.on('ping', (data: Buffer) => {
      this.#lives();
      if (!this.#outlet.isSilent) socket.pong(data);
    });
    socket.on('pong', () => this.#lives());
    socket.on('close', () => this.#ended());
    this.#begin();
  }

  get isOpen(): boolean {
    return this.#socket.readyState === this.#socket.OPEN;
  }

  heard(): readonly Heard[] {
    return [...this.#heard.values()];
  }

  subscriptions(): number {
    return this.#subscriptions.size;
  }

  /** Nothing more is said, and nothing answered; the connection stays open. */
  mute(): void {
    this.#outlet.isSilent = true;
  }

  /** Breaks it without a word. */
  cut(): void {
    this.#outlet.cut();
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason);
  }

  /** Says what is due by the market's time. */
  step(): void {
    if (!this.isOpen) return;
    const { nowMs } = this.#address.market;
    let isFirst = true;
    for (const heard of this.#heard.values()) {
      const beats = isFirst;
      heard.hearing.step(nowMs, (channel, frame) => this.#hand(heard, channel, frame, beats));
      isFirst = false;
    }
  }

  #begin(): void {
    const { socket } = this.#address;
    const { beat, limits, welcome } = socket;
    for (const text of this.#manners.greeting?.() ?? []) this.#outlet.say(text, 'control');
    if (welcome !== null && this.#manners.greeting === undefined)
      this.#outlet.say(messageWith(welcome), 'control');
    if (beat.from === 'venue')
      this.#each(beat.everyMs, () => {
        if (!this.#outlet.isSilent) this.#socket.ping();
      });
    this.#each(Math.min(beat.deadMs, 1000), () => {
      // One that is silent by a fault stays open: its client is to notice.
      if (!this.#outlet.isSilent && this.#nowMs() - this.#lifeMs > beat.deadMs) this.cut();
    });
    if (limits.lifeMs !== null) this.#after(limits.lifeMs, () => this.close(GOING_AWAY, 'a day is over'));
    if (limits.firstSubscribeMs !== null)
      this.#after(limits.firstSubscribeMs, () => {
        if (this.#subscriptions.size === 0) this.close(POLICY, 'no subscription came');
      });
  }

  /** A ping or a pong came: both are messages, as venues count. */
  #lives(): void {
    this.#lifeMs = this.#nowMs();
    this.#counted('messages', 'message', 1);
  }

  #each(ms: number, call: () => void): void {
    this.#timers.push(setInterval(call, ms));
  }

  #after(ms: number, call: () => void): void {
    this.#timers.push(setTimeout(call, Math.min(ms, 2 ** 31 - 1)));
  }

  #said(data: RawData, isBinary: boolean): void {
    this.#lifeMs = this.#nowMs();
    if (!this.#counted('messages', 'message', 1)) return;
    const text = Buffer.isBuffer(data) ? data.toString('utf8') : Buffer.from(data as ArrayBuffer).toString();
    const { beat } = this.#address.socket;
    if (!isBinary && beat.from === 'us' && isBeat(text, beat.text)) {
      this.#outlet.say(beatAnswer(text), 'control');
      return;
    }
    if (!this.#counted('requests', null, 1)) return;
    const message = jsonOf(text);
    const login = this.#address.login?.message(message, this.#nowMs());
    if (login !== undefined) {
      this.#login(login.refused);
      return;
    }
    const reading = this.#address.reader.read(message);
    if (reading !== undefined) this.#answer(message, reading);
    else this.#leave(this.#manners.leaves?.(message) ?? null);
  }

  /** Ends the stream that the venue opened under a number. */
  #leave(channel: number | null): void {
    const opened = channel === null ? undefined : this.#opened.get(channel);
    if (channel === null || opened === undefined) return;
    this.#opened.delete(channel);
    this.#unsubscribe(opened.stream, opened.code);
    for (const [key, codes] of this.#subscriptions)
      if (key.startsWith(`${opened.stream.name} `) && codes.includes(opened.code))
        this.#subscriptions.delete(key);
    this.#outlet.say(this.#manners.left?.(channel) ?? '', 'control');
  }

  #login(reason: string | null): void {
    const { socket, ledger, faults, url } = this.#address;
    const refused = faults.next(LOGIN_FAULTS) === undefined ? reason : 'as planned';
    ledger.note({ atMs: this.#nowMs(), kind: 'login', where: url, units: 1, beyond: refused });
    this.#isLoggedIn = refused === null;
    if (socket.login?.kind !== 'message') return;
    const { accepted, refused: answer } = socket.login;
    this.#outlet.say(messageWith(refused === null ? accepted : answer), 'control');
  }

  #answer(message: unknown, reading: Reading): void {
    const { market } = this.#address;
    const codes = market.codes();
    const answered: Answered[] = reading.asked.map((asked) => {
      const refused = this.#refusal(asked);
      return { ...asked, refused, codes: refused === null ? named(asked.said, codes) : [] };
    });
    const cost = reading.asked.reduce((sum, { stream, said }) => sum + costOf(stream, said), 0);
    if (!this.#counted('subscriptions', 'subscribe', cost)) return;
    for (const text of this.#manners.answer?.(message, reading, answered) ?? [])
      this.#outlet.say(text, 'control');
    for (const { stream, said, codes } of answered) {
      const { id: _, ...argument } = said;
      const key = `${stream.name} ${JSON.stringify(argument)}`;
      if (reading.verb === 'subscribe') this.#subscriptions.set(key, codes);
      else this.#subscriptions.delete(key);
      for (const code of codes) {
        if (reading.verb === 'subscribe') this.#subscribe(stream, said, code);
        else this.#unsubscribe(stream, code);
      }
    }
    const { subscriptionsMax } = this.#address.socket.limits;
    if (subscriptionsMax !== null && this.#subscriptions.size > subscriptionsMax)
      this.#breach('subscribe', 1, `more than ${subscriptionsMax} subscriptions of a connection`);
  }

  /** What is wrong with the login of a subscription that needs one. */
  #refusal({ stream, said }: Asked): string | null {
    const { login, ledger, faults, url } = this.#address;
    if (!stream.needsKey || login === null) return null;
    const wrong = login.subscription(said, this.#isLoggedIn, this.#nowMs());
    const refused = faults.next(LOGIN_FAULTS) === undefined ? wrong : 'as planned';
    this.#token ??= said.token;
    ledger.note({ atMs: this.#nowMs(), kind: 'login', where: url, units: 1, beyond: refused });
    return refused;
  }

  #subscribe(stream: StreamFacts, said: Said, code: string): void {
    const { market } = this.#address;
    const wanted = stream.channels.map((channel) => BRINGS[channel]);
    const isByOrder = stream.channels.includes('orders') || !speaks(market.product, false);
    const depth = Number(said.depth ?? stream.depths[0]?.levels ?? 0);
    let heard = this.#find(code, isByOrder, stream.depths.length > 0 ? depth : undefined);
    if (heard !== undefined) {
      const of = heard;
      const isNewBook = wanted.some((channel) => isBook(channel) && !of.wanted.has(channel));
      for (const channel of wanted) of.wanted.add(channel);
      if (isNewBook) {
        of.hearing.resubscribe(market.nowMs, (channel, frame) => this.#hand(of, channel, frame, false));
      }
      return;
    }
    const hearing = market.hear(code, isByOrder, depth);
    if (hearing === undefined) return;
    heard = { hearing, code, wanted: new Set(wanted) };
    this.#heard.set(`${code}\n${isByOrder}\n${hearing.depth}`, heard);
    const of = heard;
    hearing.open(market.nowMs, (channel, frame) => this.#hand(of, channel, frame, false));
  }

  /** The instrument as it is heard already: at that depth, or at any. */
  #find(code: string, isByOrder: boolean, depth: number | undefined): Heard | undefined {
    for (const [key, heard] of this.#heard) {
      const [of, orders] = key.split('\n');
      if (of !== code || orders !== String(isByOrder)) continue;
      if (depth === undefined || heard.hearing.depth === depth || heard.hearing.depth === 0) return heard;
    }
    return undefined;
  }

  #unsubscribe(stream: StreamFacts, code: string): void {
    for (const [key, heard] of this.#heard) {
      if (heard.code !== code) continue;
      for (const channel of stream.channels) heard.wanted.delete(BRINGS[channel]);
      if (heard.wanted.size > 0) continue;
      heard.hearing.close();
      this.#heard.delete(key);
    }
  }

  #hand(heard: Heard, channel: FrameChannel, frame: Uint8Array, beats: boolean): void {
    if (!(channel === 'heartbeat' ? beats : this.#isWanted(heard, channel))) return;
    const { renumber, isOfConnection } = this.#manners;
    const text = Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength);
    if (channel === 'control') this.#note(heard, text.toString('utf8'));
    const isFirst = this.#heard.values().next().value === heard;
    if (channel === 'control' && !isFirst && isOfConnection?.(text.toString('utf8')) === true) return;
    const numbered = renumber?.(text.toString('utf8'), this.#numbered) ?? null;
    if (numbered !== null) this.#numbered += 1;
    this.#outlet.say(numbered ?? frame, channel);
  }

  /** Remembers the number of a stream that an answer opens. */
  #note({ code }: Heard, answer: string): void {
    const opened = this.#manners.opens?.(answer) ?? null;
    const stream = this.#address.socket.streams.find(({ name }) => name === opened?.stream);
    if (opened !== null && stream !== undefined) this.#opened.set(opened.channel, { stream, code });
  }

  #isWanted({ wanted }: Heard, channel: FrameChannel): boolean {
    if (channel === 'control') return this.#manners.answer === undefined;
    if (channel === 'definition') return this.#hasStreamOfAll();
    return wanted.has(channel);
  }

  /** Whether a stream is subscribed that tells of all instruments. */
  #hasStreamOfAll(): boolean {
    return this.#address.socket.streams.some(
      ({ name, channels }) =>
        (channels.length === 0 || channels.includes('status')) &&
        [...this.#subscriptions.keys()].some((key) => key.startsWith(`${name} `)),
    );
  }

  /** Counts against the limits of that kind; false where it was beyond one, which ends the connection. */
  #counted(of: string, kind: 'message' | 'subscribe' | null, units: number): boolean {
    const nowMs = this.#nowMs();
    const over = this.#rates.find((rate) => rate.of === of && !rate.allowance.use(nowMs, units));
    const beyond = over === undefined ? null : `more than ${over.allowance.max} ${of} in a window`;
    if (beyond !== null) this.#breach(kind ?? 'message', units, beyond);
    else if (kind !== null)
      this.#address.ledger.note({ atMs: nowMs, kind, where: this.#address.url, units, beyond });
    return beyond === null;
  }

  #breach(kind: 'message' | 'subscribe', units: number, beyond: string): void {
    this.#address.ledger.note({ atMs: this.#nowMs(), kind, where: this.#address.url, units, beyond });
    this.close(POLICY, beyond.slice(0, 120));
  }

  #ended(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    for (const { hearing } of this.#heard.values()) hearing.close();
    this.#heard.clear();
    if (this.#token !== undefined) this.#address.login?.forget(this.#token);
  }
}

function isBook(channel: FrameChannel): boolean {
  return channel === 'book' || channel === 'orders';
}

function costOf(stream: StreamFacts, said: Said): number {
  return stream.depths.find(({ levels }) => String(levels) === said.depth)?.cost ?? 1;
}

/** Whether a text is the client's beat; numbers in it may differ. */
function isBeat(text: string, beat: string | null): boolean {
  return beat !== null && text.replace(/\d+/g, '') === beat.replace(/\{[a-z]+\}|\d+/g, '');
}

/** What a venue says to a beat: `pong` where it said `ping`. */
function beatAnswer(text: string): string {
  return text.replace('ping', 'pong');
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
