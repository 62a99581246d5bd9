import { performance } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import { openEngine, startIdNow } from '../engine.js';
import { FrameReader } from '../wire/frame.js';
import type { Level } from '../wire/level.js';
import { LocalBook } from '../wire/local-book.js';
import { Stream } from '../wire/protocol.js';
import { besideHiccups } from './beside-hiccups.js';
import { LoadMeter } from './machine.js';
import { type HiccupReport, type Quantiles, Samples } from './measure.js';
import type { Scenario, ScenarioResult, Wish } from './result.js';
import { INSTRUMENT, SimBook, VENUE } from './sim-book.js';
import { QUANTILE_HEADS, quantileCells, quietText } from './time-text.js';
import { judgeHiccups, judgeLoad, type Verdict, worst } from './verdict.js';

const GAPS = 100;
const GAPS_QUICK = 8;
/** Gaps before those that count: they compile what the others run. */
const WARM = 4;
/** Updates that come between the request for the book and its answer. */
const WAITING = 20;
/** Updates before each gap. */
const BETWEEN = 50;
/** A book that is lost asks soon: one that does not in this time never will. */
const ASK_MS_MAX = 15_000;
const TICK_MS = 5;
/** More than the book has. */
const LEVELS_MAX = 1000;
const OUTPUT_BYTES = 4 << 20;

/** What is timed of a gap, each from the call into the engine that brought it about. */
const PARTS = {
  told: 'the gap came, until readers are told that the book is stale',
  shown: 'the answer came, until a reader has the whole book again',
} as const;
type Part = keyof typeof PARTS;

/** A message is lost, again and again. */
export const RECOVER: Scenario = {
  name: 'recover',
  summary:
    'a message is lost: how soon readers are told, and how soon after the venue’s answer a reader’s book is whole',
  takes: [],
  seconds: (wish) => gapsOf(wish) * 0.25 + 1,
  async run(wish) {
    const meter = new LoadMeter();
    const found = new Found();
    const [, hiccups] = await besideHiccups(wish.isQuick ? 30 : 300, async () => {
      for (let gap = -WARM; gap < gapsOf(wish) && wish.signal?.aborted !== true; gap += 1) {
        // A book that is lost again and again asks ever more rarely, so each gap has an engine of its own.
        const market = new Market(found, wish.signal);
        try {
          await market.lose(false);
          await market.lose(gap >= 0);
        } finally {
          market.close();
        }
      }
    });
    const verdict = worst([judgeLoad(meter.stop()), judgeHiccups(hiccups), found.verdict(wish)]);
    return resultOf(found, hiccups, verdict);
  },
};

function gapsOf({ isQuick }: Wish): number {
  return isQuick ? GAPS_QUICK : GAPS;
}

/** What was found over all gaps. */
class Found {
  readonly #began = performance.now();
  readonly samples: Readonly<Record<Part, Samples>> = {
    told: new Samples(this.#began),
    shown: new Samples(this.#began),
  };
  /** Why the figures are worth nothing, a line each. */
  readonly wrong = new Set<string>();

  add(part: Part, fromMs: number, toMs: number): void {
    this.samples[part].add((fromMs - this.#began) * 1e6, (toMs - fromMs) * 1e6);
  }

  verdict(wish: Wish): Verdict {
    const reasons = [...this.wrong];
    const missing = gapsOf(wish) - this.samples.shown.count;
    if (missing > 0) reasons.push(`${missing} gaps were not measured to their end`);
    return { word: reasons.length === 0 ? 'PASS' : 'FAIL', reasons };
  }
}

/** A venue’s market, the engine that follows it, and a reader of its feed. */
class Market {
  readonly #found: Found;
  readonly #signal: AbortSignal | undefined;
  readonly #venue = new SimBook();
  readonly #reader = new FrameReader();
  readonly #book = new LocalBook();
  #ticket: number | undefined;
  /** When readers were told that the book is stale, and when the reader's book was whole again; ms, 0 = not yet. */
  #toldMs = 0;
  #shownMs = 0;
  readonly #engine = openEngine(
    { startId: startIdNow(), silenceMs: 0, replay: false, outputBytes: OUTPUT_BYTES },
    {
      onFrame: (_, stream, frame) => this.#take(stream, frame),
      onAsk: ({ ticket }) => {
        this.#ticket = ticket;
      },
      onSay() {},
      onFault: (error) => void this.#found.wrong.add(error.message),
    },
  );
  readonly #id = this.#engine.addInstrument(INSTRUMENT);
  readonly #source = this.#engine.openSource(VENUE, [this.#id]);

  constructor(found: Found, signal: AbortSignal | undefined) {
    this.#found = found;
    this.#signal = signal;
  }

  /**
   * Updates, one that nobody is given, updates, the answer. The first time the book is not there yet, and what follows is its first
   * answer: that is not counted.
   */
  async lose(isCounted: boolean): Promise<void> {
    const { wrong } = this.#found;
    for (let update = 0; update < BETWEEN; update += 1) this.#engine.ingest(this.#source, this.#venue.next());
    this.#venue.next();
    const behind = this.#venue.next();
    this.#toldMs = 0;
    const lostMs = performance.now();
    this.#engine.ingest(this.#source, behind);
    if (isCounted && this.#toldMs === 0) wrong.add('a gap was not told');
    const toldMs = this.#toldMs;
    await this.#asked();
    // The run was ended, or nothing was asked for: this gap was not measured to its end.
    if (this.#ticket === undefined) return;
    const answer = this.#venue.snapshot();
    for (let update = 0; update < WAITING; update += 1) this.#engine.ingest(this.#source, this.#venue.next());
    this.#shownMs = 0;
    const [ticket, answeredMs] = [this.#ticket, performance.now()];
    this.#engine.ingestSnapshot(this.#id, ticket, answer);
    this.#ticket = undefined;
    this.#check();
    if (!isCounted) return;
    if (toldMs > 0) this.#found.add('told', lostMs, toldMs);
    if (this.#shownMs > 0) this.#found.add('shown', answeredMs, this.#shownMs);
  }

  async #asked(): Promise<void> {
    const until = performance.now() + ASK_MS_MAX;
    while (this.#ticket === undefined && performance.now() < until && this.#signal?.aborted !== true) {
      this.#engine.tick();
      if (this.#ticket === undefined) await pause(TICK_MS);
    }
    if (this.#ticket === undefined && this.#signal?.aborted !== true)
      this.#found.wrong.add(`no book was asked for within ${ASK_MS_MAX / 1000} s`);
  }

  #take(stream: number, frame: Uint8Array): void {
    this.#reader.reset(frame);
    while (this.#reader.next()) {
      if (stream !== Stream.book && stream !== Stream.status) continue;
      const { tag } = this.#book.apply(this.#reader);
      if (this.#toldMs === 0 && this.#book.state === 'stale') this.#toldMs = performance.now();
      if (tag === 'image' && this.#shownMs === 0) this.#shownMs = performance.now();
    }
  }

  /** The engine's book and the reader's are the venue's, level by level. */
  #check(): void {
    const { wrong } = this.#found;
    const { state, bids, asks } = this.#engine.depth(this.#id, LEVELS_MAX);
    if (state !== 'synced' || this.#book.state !== 'synced')
      wrong.add(`behind an answer the book is ${state}, the reader's ${this.#book.state}`);
    const { priceExponent, qtyExponent } = this.#engine.instrument(this.#id);
    const rows = (levels: readonly Level[]): string =>
      levels
        .map(
          ({ price, qty }) =>
            `${(price * 10 ** priceExponent).toFixed(8)} ${(qty * 10 ** qtyExponent).toFixed(8)}`,
        )
        .join(', ');
    const venue = this.#venue.levels();
    const reader = this.#book.depth(LEVELS_MAX);
    for (const side of ['bids', 'asks'] as const) {
      const expected = venue[side].map((level) => level.join(' ')).join(', ');
      if (rows(side === 'bids' ? bids : asks) !== expected)
        wrong.add('behind an answer the engine has another book');
      if (rows(reader[side]) !== expected) wrong.add('behind an answer the reader has another book');
    }
  }

  close(): void {
    this.#engine.close();
  }
}

function resultOf(found: Found, hiccups: HiccupReport, verdict: Verdict): ScenarioResult {
  const parts = (Object.keys(PARTS) as Part[]).map((part) => ({
    part,
    report: found.samples[part].report(`depthwire bench recover, ${part}, ns`, hiccups),
  }));
  const row = (name: string, all: Quantiles): readonly string[] => [name, ...quantileCells(all)];
  return {
    scenario: 'recover',
    title: 'A message is lost',
    verdict,
    tables: [
      {
        title: `${WAITING} updates wait while the book is asked for, which has 50 levels a side`,
        heads: ['from when', ...QUANTILE_HEADS],
        rows: [
          ...parts.flatMap(({ part, report }) => [
            row(PARTS[part], report.all),
            row(quietText(report.quietShare), report.quiet),
          ]),
          row('hiccups of the machine', hiccups.all),
        ],
      },
    ],
    notes: [
      'Within this process: what a venue takes to answer, and what its limits make a request wait for, comes on top.',
      'After each answer the engine’s book and the reader’s are held to the venue’s, level by level.',
    ],
    lines: parts.map(({ part, report: { curve } }) => ({ name: part, curve, intervals: [], hiccups: [] })),
    files: parts.flatMap(({ part, report: { hgrm, hlog } }) => [
      { name: `recover-${part}.hgrm`, text: hgrm },
      { name: `recover-${part}.hlog`, text: hlog },
    ]),
    data: {
      parts: parts.map(({ part, report: { all, quiet, quietShare } }) => ({ part, all, quiet, quietShare })),
      hiccups: hiccups.all,
    },
  };
}
