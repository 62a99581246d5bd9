import type { IncomingHttpHeaders } from 'node:http';
import { WebSocket } from 'ws';
import type { AccountKey } from './account-key.js';
import type { Clock, Timer } from './clock.js';
import { controlJson, matches } from './control-json.js';
import { signedParts, timeParts } from './login.js';
import { type Outgoing, Pacer } from './pacer.js';
import { retryAfterMs } from './retry-after.js';
import { messageOf, type Parts } from './template.js';
import { USER_AGENT, type VenueNet } from './venue-net.js';
import type { Fields, LoginFacts, SocketFacts } from './venues/facts.js';

/** Why a connection ended, or could not be made. */
export interface Loss {
  /** `unreachable`: none was made; `refused`: the venue's HTTP status; `login`: it does not take the account. */
  readonly cause: 'closed' | 'silent' | 'unreachable' | 'refused' | 'login' | 'ended';
  /** For people. */
  readonly detail: string;
  /** How long the venue wants to be left alone; 0 where it does not say. */
  readonly pauseMs: number;
  /** What mends it, where that is known. */
  readonly remedy?: string;
}

/** Who hears of one socket. After `onEnd`, which comes once, nothing else does. */
export interface SessionListener {
  /** The socket is open, and nothing has been said on it. */
  onOpen(): void;
  /** Subscriptions may be sent. */
  onReady(): void;
  /** A message, whose memory is the listener's during the call only. */
  onMessage(bytes: Uint8Array): void;
  /** The venue is going to end the connection. */
  onFarewell(): void;
  /** Headers of the answer that opened the socket, and when it was asked for, ms since 1970. */
  onHeaders(headers: IncomingHttpHeaders, sentMs: number): void;
  onEnd(loss: Loss): void;
}

export interface SessionOptions {
  readonly url: string;
  readonly facts: SocketFacts;
  /** How often to beat, where the venue says it with the address. */
  readonly beatMs: number | undefined;
  /** Nothing of any kind for so long means that the connection is dead, whatever the beat says. */
  readonly quietMsMax: number | undefined;
  /** Of a login by a message. */
  readonly account: AccountKey | undefined;
  readonly net: VenueNet;
}

/** As large as the core's own limit of a frame. */
const MESSAGE_BYTES_MAX = 8 << 20;
const OPEN_MS_MAX = 10_000;
/** What must come after the opening: the venue's first word, the answer to a login. */
const ANSWER_MS_MAX = 10_000;
/** Longer messages are no farewell. */
const FAREWELL_BYTES_MAX = 1024;
/** Longer messages are no answer to a login. */
const CONTROL_BYTES_MAX = 16 << 10;
/**
 * Whatever the venue's beat, a connection that is quiet for so long is asked for a sign by a WebSocket ping, which every peer
 * must answer (RFC 6455, 5.5.2), and is dead when none has come after twice the time.
 */
const PROBE_MS = 15_000;

/** One socket: from its opening over the venue's first word, the opening messages and the login to its end. */
export class Session {
  readonly #facts: SocketFacts;
  readonly #options: SessionOptions;
  readonly #clock: Clock;
  readonly #listener: SessionListener;
  readonly #socket: WebSocket;
  readonly #pacer: Pacer;
  readonly #login: Extract<LoginFacts, { kind: 'message' }> | undefined;
  /** With a word that stands in each, so that few messages are read for it. */
  readonly #farewells: readonly { readonly fields: Fields; readonly word: string }[];
  #awaits: 'nothing' | 'welcome' | 'login' = 'nothing';
  #awaitsTimer: Timer | undefined;
  #beatTimer: Timer | undefined;
  #watchTimer: Timer | undefined;
  #renewTimer: Timer | undefined;
  #isReady = false;
  #hasEnded = false;
  #heardMs: number;
  #messageMs: number;
  #isProbed = false;
  /** What the last ping brought that was not answered. */
  #unanswered: Buffer | undefined;
  #lastId = 0;
  #error = '';

  constructor(options: SessionOptions, listener: SessionListener) {
    const { url, facts, net, account } = options;
    const { clock } = net;
    this.#options = options;
    this.#facts = facts;
    this.#clock = clock;
    this.#listener = listener;
    this.#pacer = new Pacer(facts.limits.rates, clock);
    this.#login = account !== undefined && facts.login?.kind === 'message' ? facts.login : undefined;
    this.#farewells = facts.farewells.map((fields) => ({ fields, word: longestWord(fields) }));
    this.#heardMs = clock.nowMs();
    this.#messageMs = this.#heardMs;
    const sentMs = clock.wallMs();
    const socket = new WebSocket(url, {
      agent: net.agent(url),
      headers: { 'user-agent': USER_AGENT },
      perMessageDeflate: facts.isPacked,
      maxPayload: MESSAGE_BYTES_MAX,
      handshakeTimeout: OPEN_MS_MAX,
      // Of pings that came at once the last is answered, when its turn has come.
      autoPong: false,
      // Bytes are the core's to judge.
      skipUTF8Validation: true,
    });
    this.#socket = socket;
    socket.on('upgrade', ({ headers }) => listener.onHeaders(headers, sentMs));
    socket.on('open', () => this.#opened());
    socket.on('message', (data: Buffer) => this.#received(data));
    socket.on('ping', (data: Buffer) => {
      this.#heard();
      this.#pong(data);
    });
    socket.on('pong', () => this.#heard());
    socket.on('error', ({ message }) => {
      this.#error = message;
    });
    socket.on('unexpected-response', (request, { statusCode = 0, headers }) => {
      request.destroy();
      const pauseMs = retryAfterMs(headers, clock.wallMs()) ?? 0;
      // A server that fails is not one that wants us to stay away.
      const cause = statusCode >= 500 ? 'unreachable' : 'refused';
      this.#end({ cause, detail: `HTTP status ${statusCode}`, pauseMs });
    });
    socket.on('close', (code, reason) => {
      const isOpen = this.#beatTimer !== undefined;
      const detail = this.#error || `code ${code} ${reason.toString('utf8')}`.trim();
      this.#end({ cause: isOpen ? 'closed' : 'unreachable', detail, pauseMs: 0 });
    });
  }

  /** Sends what `text` makes when its turn has come, and tells that it was sent. */
  request(cost: number, text: (parts: Parts) => string | undefined, sent: (text: string) => void): void {
    this.#push('request', cost, () => {
      const said = text(this.#parts());
      if (said === undefined) return;
      sent(said);
      this.#socket.send(said);
    });
  }

  /** Says something at once, as far as the venue's limits allow: an answer to its heartbeat. */
  say(text: string): void {
    this.#push('beat', 0, () => this.#socket.send(text));
  }

  /** Ends it, and tells so. */
  end(loss: Loss = { cause: 'ended', detail: 'ended by us', pauseMs: 0 }): void {
    this.#end(loss);
  }

  #push(kind: Outgoing['kind'], cost: number, send: () => void): void {
    if (!this.#hasEnded && this.#socket.readyState === WebSocket.OPEN) this.#pacer.push({ kind, cost, send });
  }

  #parts(): Parts {
    this.#lastId += 1;
    return { id: String(this.#lastId), ...timeParts(this.#clock.wallMs()) };
  }

  #opened(): void {
    if (this.#hasEnded) return;
    this.#heard();
    this.#messageMs = this.#heardMs;
    this.#listener.onOpen();
    this.#beatLater();
    this.#watch();
    if (this.#facts.welcome === null) this.#open();
    else this.#await('welcome');
  }

  /** The venue may be spoken to. */
  #open(): void {
    for (const text of this.#facts.opening)
      this.request(
        0,
        (parts) => messageOf(text, parts),
        () => {},
      );
    if (this.#login === undefined) this.#ready();
    else this.#logIn(this.#login);
  }

  #logIn(login: Extract<LoginFacts, { kind: 'message' }>): void {
    const { account } = this.#options;
    if (account === undefined) return;
    // What proves the account is handed to nobody but the venue.
    this.request(
      0,
      (parts) =>
        messageOf(login.text, {
          ...parts,
          ...signedParts(account, login.signature, this.#clock.wallMs()),
        }),
      () => {},
    );
    this.#await('login');
  }

  #ready(): void {
    const renewMs = this.#login?.renewMs ?? null;
    const login = this.#login;
    if (login !== undefined && renewMs !== null) {
      this.#renewTimer = this.#clock.after(renewMs, () => this.#logIn(login));
    }
    if (this.#isReady) return;
    this.#isReady = true;
    this.#listener.onReady();
  }

  #await(what: 'welcome' | 'login'): void {
    this.#awaits = what;
    this.#awaitsTimer?.cancel();
    this.#awaitsTimer = this.#clock.after(ANSWER_MS_MAX, () => {
      const detail = `no ${what === 'login' ? 'answer to the login' : 'first message'} in ${ANSWER_MS_MAX / 1000} s`;
      this.#end({ cause: what === 'login' ? 'login' : 'unreachable', detail, pauseMs: 0 });
    });
  }

  #received(bytes: Buffer): void {
    if (this.#hasEnded) return;
    this.#heard();
    this.#messageMs = this.#heardMs;
    if (this.#awaits !== 'nothing' && this.#isAnswer(bytes)) return;
    if (bytes.byteLength <= FAREWELL_BYTES_MAX && this.#isFarewell(bytes)) this.#listener.onFarewell();
    else this.#listener.onMessage(bytes);
  }

  #isFarewell(bytes: Buffer): boolean {
    return this.#farewells.some(
      ({ fields, word }) => bytes.includes(word) && matches(controlJson(bytes), fields),
    );
  }

  /** Whether a message is what is waited for; such a one may hold secrets and goes no further. */
  #isAnswer(bytes: Buffer): boolean {
    if (bytes.byteLength > CONTROL_BYTES_MAX) return false;
    const control = controlJson(bytes);
    const { welcome } = this.#facts;
    if (this.#awaits === 'welcome') {
      if (welcome === null || !matches(control, welcome)) return false;
      this.#answered();
      this.#open();
      return true;
    }
    const login = this.#login;
    if (login === undefined) return false;
    if (matches(control, login.accepted)) {
      this.#answered();
      this.#ready();
      return true;
    }
    if (!matches(control, login.refused)) return false;
    this.#end({ cause: 'login', detail: bytes.toString('utf8').slice(0, 200), pauseMs: 0 });
    return true;
  }

  #answered(): void {
    this.#awaits = 'nothing';
    this.#awaitsTimer?.cancel();
  }

  #heard(): void {
    this.#heardMs = this.#clock.nowMs();
    this.#isProbed = false;
  }

  /** Answers a ping, within the venue's limits: of several that wait the last one (RFC 6455, 5.5.3). */
  #pong(data: Buffer): void {
    const isWaiting = this.#unanswered !== undefined;
    this.#unanswered = data;
    if (isWaiting) return;
    this.#push('beat', 0, () => {
      this.#socket.pong(this.#unanswered);
      this.#unanswered = undefined;
    });
  }

  #beatLater(): void {
    const { beat } = this.#facts;
    const everyMs = this.#options.beatMs ?? beat.everyMs;
    this.#beatTimer = this.#clock.after(everyMs, () => {
      if (beat.from === 'us') {
        this.#push('beat', 0, () => {
          if (beat.text === null) this.#socket.ping();
          else this.#socket.send(messageOf(beat.text, this.#parts()));
        });
      }
      this.#beatLater();
    });
  }

  /** Ends a connection that gives no sign of life, and asks a quiet one for it. */
  #watch(): void {
    const nowMs = this.#clock.nowMs();
    const quietMs = nowMs - this.#heardMs;
    const deadMs = Math.min(this.#facts.beat.deadMs, 2 * PROBE_MS);
    const messageMsMax = this.#options.quietMsMax ?? Number.POSITIVE_INFINITY;
    if (quietMs >= deadMs || nowMs - this.#messageMs >= messageMsMax) {
      this.#end({
        cause: 'silent',
        detail: `nothing for ${Math.round(nowMs - this.#messageMs)} ms`,
        pauseMs: 0,
      });
      return;
    }
    if (quietMs >= PROBE_MS && !this.#isProbed) {
      this.#isProbed = true;
      this.#push('beat', 0, () => this.#socket.ping());
    }
    const probeMs = this.#isProbed ? Number.POSITIVE_INFINITY : PROBE_MS - quietMs;
    const nextMs = Math.min(deadMs - quietMs, probeMs, messageMsMax - (nowMs - this.#messageMs));
    this.#watchTimer = this.#clock.after(Math.max(1, nextMs), () => this.#watch());
  }

  #end(loss: Loss): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    for (const timer of [this.#awaitsTimer, this.#beatTimer, this.#watchTimer, this.#renewTimer])
      timer?.cancel();
    this.#pacer.stop();
    const isOrderly = loss.cause === 'ended' && this.#socket.readyState === WebSocket.OPEN;
    if (isOrderly) this.#socket.close(1000);
    else this.#socket.terminate();
    this.#listener.onEnd(loss);
  }
}

function longestWord(fields: Fields): string {
  return Object.values(fields).reduce<string>(
    (longest, value) => (typeof value === 'string' && value.length > longest.length ? value : longest),
    '',
  );
}
