import { RecordingContents } from '#native';
import { type Engine, openEngine } from '../engine.js';
import { DepthwireError } from '../errors.js';
import { recordedStreams, type StreamDetector } from '../ingest/recorded-streams.js';
import { RecordingReader } from '../ingest/recording-reader.js';
import type { ProductFacts } from '../ingest/venues/facts.js';
import type { Listing } from './lists/listing.js';
import { FRAME_CHANNELS, type FrameChannel } from './market.js';

/** A frame as it was received. */
export interface RecordedFrame {
  /** Since the recording's first frame, by its receive time; never less than that of the frame before. */
  readonly atMs: number;
  readonly channel: FrameChannel;
  /** Whether it is of no instrument, or of several. */
  readonly isOfAll: boolean;
  readonly bytes: Uint8Array;
}

/** What was received of one instrument, and what the connection said to all. */
export interface RecordedInstrument extends Listing {
  readonly frames: readonly RecordedFrame[];
  /** Answers to requests for its book, in the order in which they came. */
  readonly answers: readonly RecordedFrame[];
}

/** Recordings of one product, one after the other. */
export interface RecordedFrames {
  readonly instruments: readonly RecordedInstrument[];
  /** Frames, each once. */
  readonly frames: number;
  /** Until the last of them. */
  readonly lastMs: number;
}

/** Everything stands in memory, so that each connection may hear another part of it. */
export const RECORDED_BYTES_MAX = 512 << 20;

/** As the addon wants it: twice what its longest frame may have. */
const OUT_BYTES = 32 << 20;
const HEADER_BYTES = 24;
const ANSWER = 7;
const GREETING = 8;
const NO_SUBJECT = 0xffffffff;
const NS_PER_MS = 1e6;

/** Channels of which a connection tells everything: where several have told one of an instrument, the first is told again. */
const WHOLE: readonly FrameChannel[] = ['book', 'orders', 'trade'];

/** The product whose recording a file is. Throws `fake.recording`, `recording.*`, `decode.*`. */
export async function recordedProduct(path: string): Promise<string> {
  return detected(async (engine) => {
    try {
      return (await recordedStreams([path], [], engine)).venue;
    } catch (cause) {
      if (!(cause instanceof DepthwireError)) throw cause;
      if (!['recording.ambiguous', 'recording.venues'].includes(cause.code)) throw cause;
      throw new DepthwireError('fake.recording', {
        what: 'a recording may be of several products',
        where: `--recording ${path}`,
        expected: 'one of a single product, or the name of the product in front',
        got: cause.got,
        fix: `Write --recording PRODUCT=${path}.`,
        cause,
      });
    }
  });
}

/**
 * Reads recordings of a product into memory. Throws `fake.recording` for those of another one, `fake.recording_bytes` beyond
 * `RECORDED_BYTES_MAX`, `recording.*` for what is none or is damaged, `decode.*`.
 */
export async function readRecordedFrames(
  product: ProductFacts,
  paths: readonly string[],
): Promise<RecordedFrames> {
  const names = await detected((engine) => namesIn(product.name, paths, engine));
  const symbols = names.map((name) => name.slice(product.name.length + 1));
  const codes = await detected(async (engine) =>
    names.map((name) => codeOf(product, engine.instrument(engine.addInstrument(name)))),
  );
  const contents = new RecordingContents(product.name, Buffer.from(symbols.join('\n')));
  const reader = new RecordingReader(paths);
  const collected = new Collected(symbols.length, paths);
  const out = new Uint8Array(OUT_BYTES);
  try {
    while (await reader.fill()) {
      for (let produced = 1; produced > 0; ) {
        const read = contents.read(reader.pending, reader.isFileEnd, out);
        reader.use(read.consumed);
        produced = read.produced;
        if (produced > 0) collected.add(out.slice(0, produced));
      }
      if (reader.damage !== undefined) throw reader.damage;
    }
    return collected.frames(
      codes.map((code, index) => {
        const [price = 0, qty = 0] = contents.exponents(index);
        return { code, priceDigits: Math.max(0, -price), qtyDigits: Math.max(0, -qty) };
      }),
    );
  } finally {
    await reader.close();
    contents.close();
  }
}

/** The instruments of a product that its recordings hold. */
async function namesIn(
  product: string,
  paths: readonly string[],
  engine: StreamDetector,
): Promise<readonly string[]> {
  const others = new Set<string>();
  const detector: StreamDetector = {
    // A product's own frames are told apart whoever's they are.
    setUp: () => false,
    detect: (bytes) =>
      engine.detect(bytes).filter((name) => {
        const isOwn = name.startsWith(`${product}:`);
        if (!isOwn) others.add(name.slice(0, name.indexOf(':')));
        return isOwn;
      }),
  };
  try {
    return (await recordedStreams(paths, [], detector)).names;
  } catch (cause) {
    if (!(cause instanceof DepthwireError) || others.size === 0) throw cause;
    throw new DepthwireError('fake.recording', {
      what: 'a recording is of another product',
      where: paths.map((path) => `--recording ${product}=${path}`).join(' '),
      expected: `frames of ${product}`,
      got: `frames of ${[...others].join(', ')}`,
      fix: `Write --recording ${[...others][0]}=${paths[0]}.`,
      cause,
    });
  }
}

async function detected<T>(look: (engine: Engine) => Promise<T>): Promise<T> {
  const engine = openEngine(
    { startId: 1, replay: true, outputBytes: 4 << 20 },
    { onFrame: () => {}, onAsk: () => {}, onSay: () => {}, onFault: () => {} },
  );
  try {
    return await look(engine);
  } finally {
    engine.close();
  }
}

/** What subscriptions call an instrument. */
function codeOf(
  { sockets }: ProductFacts,
  of: { readonly symbol: string; readonly codes: string[] },
): string {
  const args = sockets.flatMap(({ streams }) => streams.flatMap((stream) => stream.args));
  return args.some((arg) => arg.includes('{code}')) ? (of.codes[0] ?? of.symbol) : of.symbol;
}

/** Frames as they are read. */
class Collected {
  readonly #paths: readonly string[];
  readonly #frames: RecordedFrame[][];
  readonly #answers: RecordedFrame[][];
  /** The connections that tell whole channels, by instrument and channel. */
  readonly #lines = new Map<string, number>();
  #bytes = 0;
  #count = 0;
  #hasMarket = false;
  #firstNs = 0n;
  #lastMs = 0;

  constructor(instruments: number, paths: readonly string[]) {
    this.#paths = paths;
    this.#frames = Array.from({ length: instruments }, () => []);
    this.#answers = Array.from({ length: instruments }, () => []);
  }

  /** Takes frames as the addon writes them, whose memory is kept. */
  add(written: Uint8Array): void {
    this.#bytes += written.byteLength;
    if (this.#bytes > RECORDED_BYTES_MAX) throw this.#tooLarge();
    const numbers = new DataView(written.buffer, written.byteOffset, written.byteLength);
    for (let at = 0; at < written.byteLength; ) {
      const end = at + HEADER_BYTES + numbers.getUint32(at, true);
      const subject = numbers.getUint32(at + 8, true);
      this.#take(
        numbers.getUint32(at + 4, true),
        subject === NO_SUBJECT ? undefined : subject,
        numbers.getUint32(at + 12, true),
        numbers.getBigUint64(at + 16, true),
        written.subarray(at + HEADER_BYTES, end),
      );
      at = end;
    }
  }

  frames(listings: readonly Listing[]): RecordedFrames {
    if (this.#count === 0) {
      throw new DepthwireError('recording.no_lines', {
        what: 'no frame of the recording could be used',
        where: this.#paths.join(', '),
        expected: 'frames that were received over a socket',
        got: 'none',
        fix: 'Check that the file is a recording.',
      });
    }
    const instruments = listings.map((listing, index) => ({
      ...listing,
      frames: this.#frames[index] ?? [],
      answers: this.#answers[index] ?? [],
    }));
    return { instruments, frames: this.#count, lastMs: this.#lastMs };
  }

  #take(kind: number, subject: number | undefined, line: number, ns: bigint, bytes: Uint8Array): void {
    if (this.#firstNs === 0n) this.#firstNs = ns;
    if (ns > this.#firstNs) this.#lastMs = Math.max(this.#lastMs, Number(ns - this.#firstNs) / NS_PER_MS);
    const isOfAll = subject === undefined;
    const frame = (channel: FrameChannel): RecordedFrame => ({ atMs: this.#lastMs, channel, isOfAll, bytes });
    if (kind === ANSWER) {
      if (!isOfAll) this.#answers[subject]?.push(frame('book'));
      return;
    }
    // One connection is greeted once, whatever its recorder did.
    if (kind === GREETING && this.#hasMarket) return;
    const spoken = FRAME_CHANNELS[kind] ?? 'control';
    // Later on, what is said of no instrument is a sign of life at least.
    const channel = spoken === 'control' && isOfAll && kind !== GREETING ? 'heartbeat' : spoken;
    this.#hasMarket ||= spoken !== 'control';
    const key = `${subject} ${channel}`;
    const first = this.#lines.get(key) ?? line;
    this.#lines.set(key, first);
    if (WHOLE.includes(channel) && first !== line) return;
    this.#count += 1;
    const told = frame(channel);
    if (isOfAll) for (const frames of this.#frames) frames.push(told);
    else this.#frames[subject]?.push(told);
  }

  #tooLarge(): DepthwireError {
    return new DepthwireError('fake.recording_bytes', {
      what: 'a recording is too large to be told',
      where: this.#paths.join(', '),
      expected: `at most ${RECORDED_BYTES_MAX >> 20} MiB of frames`,
      got: 'more',
      fix: 'Give a part of it.',
    });
  }
}
