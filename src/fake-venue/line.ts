import type { Socket } from 'node:net';
import type { RawData, WebSocket } from 'ws';
import type { StreamFacts } from '../ingest/venues/facts.js';
import type { Address } from './address.js';
import { farewellOf } from './farewells.js';
import { LOGIN_FAULTS } from './fault.js';
import { named } from './instruments.js';
import { jsonOf } from './json.js';
import { Allowance } from './ledger.js';
import { messageWith } from './login.js';
import { type Answered, type Manners, mannersOf } from './manners.js';
import { BRINGS, type FrameChannel, type Hearing, isBook, type Market, type Take } from './market.js';
import { type Endings, Outlet, webSocketMedium } from './outlet.js';
import type { Said } from './pattern.js';
import type { Asked, Reading } from './subscriptions.js';

/** Status of a close by the venue: RFC 6455, section 7.4.1. */
const POLICY = 1008;
const GOING_AWAY = 1001;

/** An instrument that a connection hears. */
export interface Heard {
  readonly market: Market;
  readonly hearing: Hearing;
  readonly code: string;
  /** Which one it is of those of its code, counted from 0: at other depths, of levels or of orders. */
  readonly nth: number;
  readonly wanted: Set<FrameChannel>;
}

/** One client's connection: what it may say, what it hears, and how long it lives. */
export class Line {
  /** The first of them: products that share an address have its limits, its login and its ways in common. */
  readonly #address: Address;
  readonly #addresses: readonly Address[];
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
  readonly #opened = new Map<number, { readonly stream: StreamFacts; readonly of: Heard }>();
  /** The instrument that was heard first: what greets a client comes with it. */
  #greeter: Heard | undefined;
  /** Books that were told of markets that are told once. */
  readonly #spent = new Set<string>();
  /** Frames that were numbered by the connection. */
  #numbered = 0;
  #token: string | undefined;

  /** `addresses`: those of one URL, at least one. */
  constructor(
    addresses: readonly [Address, ...Address[]],
    socket: WebSocket,
    wire: Socket,
    nowMs: () => number,
  ) {
    const [address] = addresses;
    this.#address = address;
    this.#addresses = addresses;
    this.#socket = socket;
    this.#nowMs = nowMs;
    this.#manners = mannersOf(address.market.product);
    const { ledger, url: where, faults, unsentBytesMax } = address;
    const onSlow = (beyond: string): void =>
      ledger.note({ atMs: nowMs(), kind: 'slow', where, units: 1, beyond });
    const endings: Endings = { unsentBytesMax, onSlow, onFarewell: (afterMs) => this.#farewell(afterMs) };
    this.#outlet = new Outlet(webSocketMedium(socket, wire), faults, endings);
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
    const heard = [...this.#heard.values()];
    for (const of of heard) of.hearing.step(of.market.nowMs, this.#taker(of));
    if (heard.length > 0 && heard.every(({ hearing }) => hearing.isOver))
      this.close(GOING_AWAY, 'nothing more will come');
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
    const { lifeMs, firstSubscribeMs } = limits;
    if (lifeMs !== null) this.#after(lifeMs, () => this.close(GOING_AWAY, 'a day is over'));
    if (firstSubscribeMs !== null)
      this.#after(firstSubscribeMs, () => {
        if (this.#subscriptions.size === 0) this.close(POLICY, 'no subscription came');
      });
  }

  /** The connection is going to end; returns what the venue says of it. */
  #farewell(afterMs: number | undefined): string | undefined {
    const farewell = farewellOf(this.#address.market.product);
    this.#after(afterMs ?? farewell?.afterMs ?? 0, () => this.close(GOING_AWAY, 'as announced'));
    return farewell?.text(this.#nowMs());
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
      this.#outlet.say(this.#manners.pong?.() ?? text.replace('ping', 'pong'), 'control');
      return;
    }
    if (!this.#counted('requests', null, 1)) return;
    const message = jsonOf(text);
    const login = this.#address.login?.message(message, this.#nowMs());
    if (login !== undefined) {
      this.#login(login.refused);
      return;
    }
    const meant = this.#meant(message);
    if (meant !== undefined) this.#answer(message, meant.reading, meant.market);
    else this.#leave(message);
  }

  /** Which product's subscription a message is: of one that is heard already, or else of one that has what it names. */
  #meant(message: unknown): { readonly reading: Reading; readonly market: Market } | undefined {
    const read = this.#addresses.flatMap(({ reader, market }) => {
      const reading = reader.read(message);
      return reading === undefined ? [] : [{ reading, market }];
    });
    const isHeard = (market: Market): boolean => [...this.#heard.values()].some((of) => of.market === market);
    const has = ({ reading, market }: (typeof read)[number]): boolean =>
      reading.asked.some(({ said }) => named(said, market.codes()).length > 0);
    return (
      read.find((each) => has(each) && isHeard(each.market)) ?? read.find((each) => has(each)) ?? read[0]
    );
  }

  /** Ends the stream that the venue opened under a number. */
  #leave(message: unknown): void {
    const left = this.#manners.leaves?.(message);
    const opened = left && this.#opened.get(left.channel);
    if (!opened) return;
    const { stream, of } = opened;
    this.#opened.delete(left.channel);
    this.#unsubscribe(of.market, stream, of.code);
    for (const [key, codes] of this.#subscriptions)
      if (key.startsWith(`${stream.name} `) && codes.includes(of.code)) this.#subscriptions.delete(key);
    this.#outlet.say(left.answer, 'control');
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

  #answer(message: unknown, reading: Reading, market: Market): void {
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
        if (reading.verb === 'subscribe') this.#subscribe(market, stream, said, code);
        else this.#unsubscribe(market, stream, code, said.depth);
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

  #subscribe(market: Market, stream: StreamFacts, said: Said, code: string): void {
    const wanted = stream.channels.map((channel) => BRINGS[channel]);
    const isByOrder = stream.channels.includes('orders') || market.isByOrder;
    const [usual] = stream.depths;
    const depth = Number(said.depth ?? (usual && (this.#manners.depth ?? usual.levels)) ?? 0);
    let heard = this.#find(market, code, isByOrder, stream.depths.length > 0 ? depth : undefined);
    if (heard !== undefined) {
      const of = heard;
      const isNewBook = wanted.some((channel) => isBook(channel) && !of.wanted.has(channel));
      if (isNewBook && this.#isSpent(market, code)) return;
      for (const channel of wanted) of.wanted.add(channel);
      if (isNewBook) of.hearing.resubscribe(market.nowMs, this.#taker(of));
      return;
    }
    if (wanted.some(isBook) && this.#isSpent(market, code)) return;
    const hearing = market.hear(code, isByOrder, depth);
    if (hearing === undefined) return;
    const alike = [...this.#heard.values()].filter((of) => of.market === market && of.code === code);
    let nth = 0;
    while (alike.some((of) => of.nth === nth)) nth += 1;
    heard = { market, hearing, code, nth, wanted: new Set(wanted) };
    this.#heard.set(`${market.product}\n${code}\n${isByOrder}\n${hearing.depth}`, heard);
    hearing.open(market.nowMs, this.#taker(heard));
  }

  /** Whether a book cannot be told again on this connection, which ends then: a venue's numbers never go back on one. */
  #isSpent(market: Market, code: string): boolean {
    const isSpent = this.#spent.has(`${market.product}\n${code}`);
    if (isSpent) this.close(GOING_AWAY, 'what was told is told from its beginning only');
    return isSpent;
  }

  #taker(heard: Heard): Take {
    return (channel, frame, isOfAll) => this.#hand(heard, channel, frame, isOfAll === true);
  }

  /** The instrument as it is heard already: at that depth, or at any. */
  #find(market: Market, code: string, isByOrder: boolean, depth: number | undefined): Heard | undefined {
    for (const [key, heard] of this.#heard) {
      if (!key.startsWith(`${market.product}\n${code}\n${isByOrder}\n`)) continue;
      if (depth === undefined || heard.hearing.depth === depth || heard.hearing.depth === 0) return heard;
    }
    return undefined;
  }

  /** `depth`: of the one that is meant, where the same is heard at several. */
  #unsubscribe(market: Market, stream: StreamFacts, code: string, depth?: string): void {
    const of = [...this.#heard].filter(([, heard]) => heard.market === market && heard.code === code);
    const meant = of.filter(([, { hearing }]) => String(hearing.depth) === depth);
    for (const [key, heard] of meant.length > 0 ? meant : of) {
      for (const channel of stream.channels) heard.wanted.delete(BRINGS[channel]);
      if (heard.wanted.size > 0) continue;
      heard.hearing.close();
      this.#heard.delete(key);
    }
  }

  #hand(heard: Heard, channel: FrameChannel, frame: Uint8Array, isOfAll: boolean): void {
    const isFirst = this.#heard.values().next().value === heard;
    if (!isFirst && (isOfAll || channel === 'heartbeat')) return;
    // A client is greeted once, whatever it leaves and comes back to.
    this.#greeter ??= heard;
    if (isOfAll && channel === 'control' && heard !== this.#greeter) return;
    if (!this.#isWanted(heard, channel)) return;
    if (isBook(channel) && heard.market.isToldOnce) this.#spent.add(`${heard.market.product}\n${heard.code}`);
    const { channelled, renumber, isOfConnection } = this.#manners;
    const bytes = Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength);
    const said =
      heard.nth === 0 || channelled === undefined ? bytes : channelled(bytes.toString(), heard.nth);
    if (channel === 'control') this.#note(heard, said.toString());
    const isGreeted = channel === 'control' && heard !== this.#greeter;
    if (isGreeted && isOfConnection?.(said.toString()) === true) return;
    const numbered = renumber?.(said.toString(), this.#numbered) ?? null;
    if (numbered !== null) this.#numbered += 1;
    this.#outlet.say(numbered ?? said, channel);
  }

  /** Remembers the number of a stream that an answer opens. */
  #note(of: Heard, answer: string): void {
    const opened = this.#manners.opens?.(answer) ?? null;
    const stream = this.#address.socket.streams.find(({ name }) => name === opened?.stream);
    if (opened !== null && stream !== undefined) this.#opened.set(opened.channel, { stream, of });
  }

  #isWanted({ wanted }: Heard, channel: FrameChannel): boolean {
    if (channel === 'control') return this.#manners.answer === undefined;
    if (channel === 'definition') return this.#hasStreamOfAll();
    if (channel === 'heartbeat') return true;
    return wanted.has(channel);
  }

  /** Whether a stream is subscribed that tells of all instruments. */
  #hasStreamOfAll(): boolean {
    const streams = this.#addresses.flatMap(({ socket }) => socket.streams);
    return streams.some(
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

function costOf(stream: StreamFacts, said: Said): number {
  return stream.depths.find(({ levels }) => String(levels) === said.depth)?.cost ?? 1;
}

/** Whether a text is the client's beat; numbers in it may differ. */
function isBeat(text: string, beat: string | null): boolean {
  return beat !== null && text.replace(/\d+/g, '') === beat.replace(/\{[a-z]+\}|\d+/g, '');
}
