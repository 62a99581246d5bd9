import { NamePattern } from '../../src/name-pattern.js';
import { FrameReader } from '../../src/wire/frame.js';
import { LocalBook } from '../../src/wire/local-book.js';
import { TradeTape } from '../../src/wire/trade-tape.js';
import type { Link } from './link.js';

/** What every stream was at each place, by the frames as the engine put them out. */
export interface Truth {
  /** Checksum of all levels at a place; undefined where it was not seen. */
  crcAt(instrument: number, stream: number, epoch: bigint, seq: number): number | undefined;
  /** Whether the engine left out a sequence of the trades before a place: some were lost on the way to it. */
  leavesOut(instrument: number, epoch: bigint, seq: number): boolean;
  /** Id of the trade that a place ends with. */
  tradeAt(instrument: number, epoch: bigint, seq: number): bigint | undefined;
}

/** One stream as a reader holds it. */
interface Held {
  readonly name: string;
  readonly instrument: string;
  readonly channel: Readonly<Record<string, unknown>>;
  content: LocalBook | TradeTape;
  instrumentId: number;
  stream: number;
  isBehind: boolean;
  /** An image was asked for, so frames may come that cannot be used. */
  awaitsImage: boolean;
  /** Where it will stand by the frames that are to come next. */
  due: { readonly seq: number } | undefined;
}

interface Message extends Readonly<Record<string, unknown>> {
  readonly op: string;
}

const STATUS = 4;
const TRADE_KIND = 5;
const CHANNEL_WORDS = ['channel', 'depth', 'intervalMs', 'source'] as const;

/** A client that keeps the rules of docs/protocol.md to the letter, and holds whatever it has against the truth. */
export class RandomReader {
  /** Bytes that it takes in a second. */
  bytesPerSecond = Number.POSITIVE_INFINITY;
  link: Link | undefined;
  readonly counts = { frames: 0, compared: 0, behind: 0, rejoined: 0, resumed: 0, lost: 0 };
  readonly by = new Map<string, number>();
  readonly #truth: Truth;
  readonly #random: () => number;
  readonly #held = new Map<string, Held>();
  readonly #frames = new FrameReader();
  /** What it had on its last connection. */
  #kept = new Map<string, Held>();
  #lastId = 0;
  /** What was asked to go, by the message that asked. */
  readonly #leaving = new Map<number, Readonly<Record<string, unknown>>>();
  /** What was asked for, to be asked for again on another connection. */
  #wants: readonly Readonly<Record<string, unknown>>[] = [];

  constructor(truth: Truth, random: () => number) {
    this.#truth = truth;
    this.#random = random;
  }

  get held(): readonly Held[] {
    return [...this.#held.values()];
  }

  /** Connects, asks for everything that it had, and says where it stands where `resumes` says so. */
  connect(link: Link, resumes: boolean): void {
    this.link = link;
    const places = this.held
      .filter(({ content }) => resumes && content.seq > 0 && content.state === 'synced')
      .map(({ name, instrument, content }) => ({
        name,
        instrument,
        epoch: String(content.epoch),
        seq: String(content.seq),
      }));
    // What it had counts for nothing until it is granted again.
    this.#kept = new Map(
      places.flatMap(({ name }) => this.#held.get(name) ?? []).map((held) => [held.name, held]),
    );
    this.#held.clear();
    for (const want of this.#wants) {
      const resume = places.filter(({ name }) => name.startsWith(`${wordsOf(want)}|`));
      this.#say({ ...want, op: 'subscribe', ...(resume.length === 0 ? {} : { resume }) });
    }
  }

  subscribe(want: Readonly<Record<string, unknown>>): void {
    this.#wants = [...this.#wants.filter((other) => wordsOf(other) !== wordsOf(want)), want];
    this.#say({ ...want, op: 'subscribe' });
  }

  unsubscribe(): void {
    const at = Math.floor(this.#random() * this.#wants.length);
    const want = this.#wants[at];
    if (want === undefined) return;
    this.#wants = this.#wants.filter((other) => other !== want);
    this.#say({ ...want, op: 'unsubscribe' });
    this.#leaving.set(this.#lastId, want);
  }

  resync(): void {
    const held = this.held[Math.floor(this.#random() * this.#held.size)];
    if (held === undefined || !(held.content instanceof LocalBook)) return;
    held.content.loseTruth('gap');
    held.awaitsImage = true;
    this.#say({ ...held.channel, op: 'resync', instrument: held.instrument });
  }

  /** Reads what has come in this time. */
  read(ms: number): void {
    const { link } = this;
    if (link === undefined) return;
    for (const message of link.take((this.bytesPerSecond * ms) / 1000)) {
      if (typeof message === 'string') this.#takeText(JSON.parse(message) as Message);
      else this.#takeFrames(message);
    }
    if (link.closeCode === undefined) return;
    this.link = undefined;
    this.counts.lost += 1;
  }

  /** Holds everything that it believes to be exact against the truth. */
  compareAll(): void {
    for (const held of this.#held.values()) this.#compare(held);
  }

  #say(message: object): void {
    this.#lastId += 1;
    this.link?.say({ id: this.#lastId, ...message });
  }

  #takeText(message: Message): void {
    if (message.op === 'subscribed') this.#granted(message);
    else if (message.op === 'unsubscribed') this.#ungranted(message);
    else if (message.op === 'slow') this.#slow(message);
    else if (
      message.op === 'error' &&
      message.code !== 'feed.too_slow' &&
      message.code !== 'feed.not_subscribed'
    )
      throw new Error(JSON.stringify(message));
  }

  #granted(message: Message): void {
    const { instrument, instrumentId, stream, resume } = message as unknown as {
      readonly instrument: string;
      readonly instrumentId: number;
      readonly stream: number;
      readonly resume?: { readonly by: string; readonly from: string; readonly to: string };
    };
    const name = `${wordsOf(message)}|${instrument}`;
    const already = this.#held.get(name);
    if (already !== undefined && resume === undefined) {
      // It goes on where it stands, or an image comes, which says so itself.
      this.#held.set(name, { ...already, instrumentId, stream });
      return;
    }
    const known = this.#kept.get(name);
    const isKept = resume !== undefined && resume.by !== 'image' && known !== undefined;
    const fresh = message.channel === 'trades' ? new TradeTape(TRADE_KIND) : new LocalBook();
    const channel = Object.fromEntries(CHANNEL_WORDS.map((word) => [word, message[word]]));
    const content = isKept ? known.content : fresh;
    const held = {
      name,
      instrument,
      channel,
      content,
      instrumentId,
      stream,
      isBehind: false,
      awaitsImage: !isKept,
    };
    this.#held.set(name, { ...held, due: undefined });
    this.#kept.delete(name);
    if (resume === undefined) return;
    this.counts.resumed += 1;
    this.#brought(`resume ${resume.by}`);
    if (known !== undefined) expectEqual(resume.from, String(known.content.seq), `${name} resumes from`);
    if (isKept) this.#expectNext(this.#held.get(name), resume.to);
  }

  /** What was asked to go is gone; another want of the same channel may hold the rest. */
  #ungranted(message: Message): void {
    const want = this.#leaving.get(Number(message.id));
    const patterns = (want?.instruments ?? []) as readonly string[];
    for (const [name, { instrument }] of this.#held) {
      const isMeant = patterns.some((pattern) => new NamePattern(pattern).fits(instrument));
      if (isMeant && name.startsWith(`${wordsOf(message)}|`)) this.#held.delete(name);
    }
  }

  #slow(message: Message): void {
    if (message.state === 'behind') {
      for (const told of message.streams as readonly Message[]) {
        const held = this.#held.get(`${wordsOf(told)}|${String(told.instrument)}`);
        if (held === undefined) throw new Error(`left by what is not held: ${JSON.stringify(told)}`);
        this.counts.behind += 1;
        held.isBehind = true;
        // Where it is exact, it stands where the server says that it does; zeros say that an image is owed anyhow.
        if (held.content.state === 'synced' && told.epoch !== '0') {
          expectEqual(told.seq, String(held.content.seq), `${held.name} left at`);
          expectEqual(told.epoch, String(held.content.epoch), `${held.name} left in`);
        }
        this.#compare(held);
      }
      return;
    }
    const held = this.#held.get(`${wordsOf(message)}|${String(message.instrument)}`);
    if (held === undefined) throw new Error(`rejoined to what is not held: ${JSON.stringify(message)}`);
    this.counts.rejoined += 1;
    this.#brought(`rejoin ${String(message.by)}`);
    held.isBehind = false;
    if (message.by === 'image') held.awaitsImage = true;
    else this.#expectNext(held, String(message.to));
  }

  #brought(how: string): void {
    this.by.set(how, (this.by.get(how) ?? 0) + 1);
  }

  /** The frames that come next reach a place. */
  #expectNext(held: Held | undefined, to: string): void {
    if (held === undefined || held.content.state !== 'synced') return;
    if (held.content.seq !== Number(to)) held.due = { seq: Number(to) };
    else this.#compare(held);
  }

  #takeFrames(bytes: Uint8Array): void {
    const { reader } = { reader: this.#frames.reset(bytes) };
    while (reader.next()) {
      this.counts.frames += 1;
      for (const held of this.#held.values()) {
        if (held.instrumentId !== reader.instrument) continue;
        if (reader.stream === held.stream || reader.stream === STATUS) this.#apply(held, reader);
      }
    }
    for (const held of this.#held.values()) {
      const { due } = held;
      if (due === undefined || held.stream !== reader.stream) continue;
      held.due = undefined;
      if (held.content.state === 'synced') {
        expectEqual(String(held.content.seq), String(due.seq), `${held.name} brought to`);
        this.#compare(held);
      }
    }
  }

  #apply(held: Held, frame: FrameReader): void {
    const { content } = held;
    if (content instanceof TradeTape) {
      if (frame.stream === STATUS) return;
      const { take, gap } = content.apply(frame);
      // Trades that were missed are missed at an image only, and told by it, or were lost on the way to the engine.
      const isLost = this.#truth.leavesOut(held.instrumentId, content.epoch, content.seq);
      if (gap?.reason === 'sequence' && frame.kind !== 1 && !isLost)
        throw new Error(`${held.name}: ${JSON.stringify(gap)}`);
      if (!take) return;
      this.counts.compared += 1;
      const id = this.#truth.tradeAt(held.instrumentId, content.epoch, content.seq);
      const [trade] = content.tradesOf(frame);
      expectEqual(String(trade?.id), String(id), `${held.name} at ${content.seq}`);
      return;
    }
    const outcome = content.apply(frame);
    if (outcome.tag === 'image') held.awaitsImage = false;
    const isFault =
      outcome.tag === 'gap' || outcome.tag === 'check_failed' || outcome.tag === 'contradiction';
    const isLost =
      outcome.tag === 'ignored' && (outcome.why === 'other_epoch' || outcome.why === 'awaiting_image');
    if (isFault || (isLost && !held.awaitsImage))
      throw new Error(`${held.name} at ${content.epoch}/${content.seq}: ${JSON.stringify(outcome)}`);
    if (this.#random() < 0.01) this.#compare(held);
  }

  #compare(held: Held): void {
    const { content, instrumentId, stream } = held;
    if (!(content instanceof LocalBook) || content.state !== 'synced' || held.due !== undefined) return;
    const crc = this.#truth.crcAt(instrumentId, stream, content.epoch, content.seq);
    if (crc === undefined) return;
    this.counts.compared += 1;
    expectEqual(
      String(content.check().allCrc),
      String(crc),
      `${held.name} at ${content.epoch}/${content.seq}`,
    );
  }
}

/** The words by which a subscription is known, whatever it was granted. */
function wordsOf(message: Readonly<Record<string, unknown>>): string {
  return CHANNEL_WORDS.map((word) => String(message[word] ?? ''))
    .join(' ')
    .trim();
}

function expectEqual(got: unknown, expected: string, what: string): void {
  if (got !== expected) throw new Error(`${what}: got ${String(got)}, expected ${expected}`);
}
