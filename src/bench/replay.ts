import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Engine, type EngineListener, openEngine, startIdNow } from '../engine.js';
import { DepthwireError } from '../errors.js';
import { openStreams, recordedStreams } from '../ingest/recorded-streams.js';
import { surveyRecordings } from '../ingest/recording.js';
import { RecordingReader } from '../ingest/recording-reader.js';
import { EVERYTHING_NS } from '../ingest/source.js';
import { besideHiccups } from './beside-hiccups.js';
import { hiccupsIn } from './interval-times.js';
import { LoadMeter } from './machine.js';
import { type HiccupReport, Samples, type SamplesReport } from './measure.js';
import type { Scenario, Table, Wish } from './result.js';
import { QUANTILE_HEADS, quantileCells, quietText } from './time-text.js';
import { judgeHiccups, judgeLoad, type Verdict, worst } from './verdict.js';

/** Times of the recording's own pace. */
const SPEEDS = [1, 8] as const;
const SECONDS = 10;
const SECONDS_QUICK = 1;
const WARM_SECONDS = 0.3;
const OUTPUT_BYTES = 8 << 20;
/** What is read ahead while nothing is due. */
const AHEAD_BYTES = 4 << 20;
/** A message that is due later leaves the time to read ahead. */
const IDLE_MS = 2;
/** Where time jumps by more, as between two files, the recording's pace goes on behind it. */
const JUMP_NS = 10_000_000_000n;

/** What came of one speed. */
interface Ran {
  readonly speed: number | 'max';
  readonly messages: number;
  readonly frames: number;
  readonly seconds: number;
  /** From a time of the recording until all that was heard by then had been published. */
  readonly lag: SamplesReport;
  readonly hiccups: HiccupReport;
  /** The worst hiccup in each interval of the lag. */
  readonly hiccupsBeside: readonly number[];
  readonly isWhole: boolean;
  readonly synced: number;
  readonly books: number;
  readonly gaps: number;
  readonly wrong: readonly string[];
  /** Messages of the busiest second and hundredth of a second, by the recording's time. */
  readonly busiest: readonly [second: number, hundredth: number];
}

/** A recording at its own pace. */
export const REPLAY: Scenario = {
  name: 'replay',
  summary:
    'a recording at its own pace, eight times as fast and without a pause: how far the engine is behind it',
  takes: ['seconds', 'instruments'],
  seconds: (wish) => (SPEEDS.length + 0.5) * (secondsOf(wish) + 0.5),
  async check(wish) {
    const engine = silentEngine();
    try {
      await recordedStreams(filesOf(wish), wish.instruments ?? [], engine);
    } finally {
      engine.close();
    }
  },
  async run(wish) {
    const files = filesOf(wish);
    const meter = new LoadMeter();
    const rans: Ran[] = [];
    // What compiles the way of all that follows is not counted.
    await replayed(files, 'max', { ...wish, seconds: WARM_SECONDS });
    for (const speed of [...SPEEDS, 'max'] as const) {
      if (wish.signal?.aborted === true) break;
      rans.push(await replayed(files, speed, wish));
    }
    const wrong = rans.flatMap(({ speed, wrong }) => wrong.map((what) => `${speedText(speed)}: ${what}`));
    if (rans.length <= SPEEDS.length) wrong.push('the run was ended before its time');
    const judged: Verdict = { word: wrong.length === 0 ? 'PASS' : 'FAIL', reasons: wrong };
    return {
      scenario: 'replay',
      title: 'A recording at its own pace',
      verdict: worst([judgeLoad(meter.stop()), ...rans.map(({ hiccups }) => judgeHiccups(hiccups)), judged]),
      tables: [lagTable(rans), countsTable(rans)],
      notes: [
        'From the time at which the recording says that a message was received, until its frames are out, within this process: a burst that is more than the engine takes shows as lag.',
        'Without a pause the time is that of reading the files, unpacking them, and the engine.',
      ],
      lines: rans.flatMap(({ speed, lag, hiccupsBeside }) =>
        speed === 'max' ? [] : [{ name: speedText(speed), ...lag, hiccups: hiccupsBeside }],
      ),
      files: rans.flatMap(({ speed, lag }) =>
        speed === 'max'
          ? []
          : [
              { name: `replay-${speed}x.hgrm`, text: lag.hgrm },
              { name: `replay-${speed}x.hlog`, text: lag.hlog },
            ],
      ),
      data: rans.map(({ lag, hiccups, hiccupsBeside: _, ...ran }) => ({
        ...ran,
        lag: lag.all,
        lagQuiet: lag.quiet,
        quietShare: lag.quietShare,
        hiccups: hiccups.all,
      })),
    };
  },
};

function filesOf({ files = [] }: Wish): readonly string[] {
  if (files.length > 0) return files;
  throw new DepthwireError('bench.replay', {
    what: 'nothing to replay',
    expected: 'a recording, or several that follow one another',
    got: 'no file',
    fix: 'depthwire bench replay recording.gz',
  });
}

/** Tells only of its frames and faults. */
function silentEngine(on: Partial<Pick<EngineListener, 'onFrameBytes' | 'onFault'>> = {}): Engine {
  return openEngine(
    { startId: startIdNow(), silenceMs: 0, replay: true, outputBytes: OUTPUT_BYTES },
    { onFrame() {}, onAsk() {}, onSay() {}, onFault() {}, ...on },
  );
}

function secondsOf({ seconds, isQuick }: Wish): number {
  return seconds ?? (isQuick ? SECONDS_QUICK : SECONDS);
}

function speedText(speed: Ran['speed']): string {
  return speed === 'max' ? 'without a pause' : `${speed}×`;
}

async function replayed(files: readonly string[], speed: Ran['speed'], wish: Wish): Promise<Ran> {
  const surveys = await surveyRecordings(files);
  let frames = 0;
  const wrong = new Set<string>();
  const engine = silentEngine({
    onFrameBytes: () => {
      frames += 1;
    },
    onFault: (error) => void wrong.add(error.message),
  });
  const reader = new RecordingReader(files, surveys);
  try {
    const streams = await recordedStreams(files, wish.instruments ?? [], engine);
    const listed = new Map(engine.instruments().map(({ name, id }) => [name, id]));
    const ids = streams.names.map((name) => listed.get(name) ?? engine.addInstrument(name));
    const source = openStreams(engine, streams, ids);
    const pass = new Pass(engine, source, reader, wish);
    const [{ isWhole, seconds }, hiccups] = await besideHiccups(secondsOf(wish), async () => {
      const began = performance.now();
      const isWhole = speed === 'max' ? await pass.flatOut() : await pass.paced(speed);
      return { isWhole, seconds: (performance.now() - began) / 1000 };
    });
    const { frames: messages, gaps } = engine.stats();
    if (messages === 0) wrong.add('no message of the recording was due within the time: give more --seconds');
    const states = ids.map((id) => engine.book(id).state);
    const synced = states.filter((state) => state === 'synced').length;
    if (synced === 0) wrong.add('no book was synced: what is timed is no work on books');
    else if (isWhole && synced < ids.length)
      wrong.add(`${ids.length - synced} of ${ids.length} books end unsynced`);
    if (pass.lag.dropped > 0)
      wrong.add(`${pass.lag.dropped} samples are beyond what is kept: give fewer --seconds`);
    const comment = `depthwire bench replay ${speedText(speed)}, ns behind the recording`;
    const lag = pass.lag.report(comment, hiccups);
    return {
      speed,
      messages,
      frames,
      seconds,
      lag,
      hiccups,
      hiccupsBeside: hiccupsIn(lag.intervals, hiccups.intervals, (pass.beganMs - hiccups.startedMs) * 1e6),
      isWhole,
      synced,
      books: ids.length,
      gaps,
      wrong: [...wrong],
      busiest: pass.busiest,
    };
  } finally {
    await reader.close();
    engine.close();
  }
}

/** One way through the files. */
class Pass {
  readonly #began = performance.now();
  readonly lag = new Samples(this.#began);
  readonly #second = new Busiest(1_000_000_000n);
  readonly #hundredth = new Busiest(10_000_000n);
  readonly #engine: Engine;
  readonly #source: number;
  readonly #reader: RecordingReader;
  readonly #wish: Wish;

  constructor(engine: Engine, source: number, reader: RecordingReader, wish: Wish) {
    this.#engine = engine;
    this.#source = source;
    this.#reader = reader;
    this.#wish = wish;
  }

  /** What the times of the lag run from, since the epoch. */
  get beganMs(): number {
    return performance.timeOrigin + this.#began;
  }

  get busiest(): Ran['busiest'] {
    return [this.#second.most, this.#hundredth.most];
  }

  /** As fast as it goes; whether the end was reached. */
  async flatOut(): Promise<boolean> {
    const until = performance.now() + secondsOf(this.#wish) * 1000;
    while (await this.#reader.fill()) {
      this.#ingest(EVERYTHING_NS);
      await nextTurn();
      if (performance.now() > until || this.#isOver()) return false;
    }
    return true;
  }

  /** By the recording's times; whether the end was reached. */
  async paced(speed: number): Promise<boolean> {
    const [reader, secondsMax] = [this.#reader, secondsOf(this.#wish)];
    let nextNs = await this.#next(0n);
    const began = performance.now();
    /** The recording's time that is due at `began`, and the last one. */
    let [originNs, lastNs] = [nextNs, nextNs];
    let messages = this.#engine.stats().frames;
    while (nextNs !== 0n) {
      if (nextNs - lastNs > JUMP_NS || nextNs < originNs) {
        originNs = nextNs - BigInt(Math.round((performance.now() - began) * 1e3)) * 1000n * BigInt(speed);
      }
      const dueMs = began + Number(nextNs - originNs) / 1e6 / speed;
      if (dueMs - began > secondsMax * 1000 || this.#isOver()) return false;
      let now = performance.now();
      while (now < dueMs && !this.#isOver()) {
        if (dueMs - now > IDLE_MS) {
          // Reads ahead while nothing is due; what then waits is used from the next call on.
          if (reader.pending.byteLength < AHEAD_BYTES && !reader.isFileEnd && (await reader.fill()))
            this.#ingest(lastNs);
          else await nextTurn();
        }
        now = performance.now();
      }
      if (this.#isOver()) return false;
      lastNs = nextNs;
      nextNs = await this.#next(nextNs);
      const [dueNs, lagNs] = [(dueMs - this.#began) * 1e6, (performance.now() - dueMs) * 1e6];
      const { frames } = this.#engine.stats();
      for (let message = messages; message < frames; message += 1) this.lag.add(dueNs, lagNs);
      this.#second.add(lastNs, frames - messages);
      this.#hundredth.add(lastNs, frames - messages);
      messages = frames;
    }
    return true;
  }

  #isOver(): boolean {
    return this.#wish.signal?.aborted === true;
  }

  /** Takes what was heard up to a time, and answers with the time of what waits; 0 behind the last file. */
  async #next(untilNs: bigint): Promise<bigint> {
    for (;;) {
      this.#ingest(untilNs);
      const nextNs = this.#engine.nextNs;
      if (nextNs !== 0n) return nextNs;
      if (!(await this.#reader.fill())) return 0n;
    }
  }

  #ingest(untilNs: bigint): void {
    const { pending, isFileEnd } = this.#reader;
    this.#reader.use(this.#engine.ingestRecording(this.#source, pending, untilNs, isFileEnd));
  }
}

/** The most messages of a stretch of the recording's time. */
class Busiest {
  most = 0;
  #stretch = -1n;
  #count = 0;
  readonly #lengthNs: bigint;

  constructor(lengthNs: bigint) {
    this.#lengthNs = lengthNs;
  }

  add(atNs: bigint, count: number): void {
    const stretch = atNs / this.#lengthNs;
    if (stretch !== this.#stretch) this.#count = 0;
    this.#stretch = stretch;
    this.#count += count;
    this.most = Math.max(this.most, this.#count);
  }
}

function lagTable(rans: readonly Ran[]): Table {
  return {
    title: 'behind the recording',
    heads: ['speed', ...QUANTILE_HEADS],
    rows: rans
      .filter(({ speed }) => speed !== 'max')
      .flatMap(({ speed, lag, hiccups }) => [
        [speedText(speed), ...quantileCells(lag.all)],
        [`${speedText(speed)}, ${quietText(lag.quietShare)}`, ...quantileCells(lag.quiet)],
        [`${speedText(speed)}, hiccups of the machine`, ...quantileCells(hiccups.all)],
      ]),
  };
}

function countsTable(rans: readonly Ran[]): Table {
  return {
    title: 'what went through',
    heads: [
      'speed',
      'messages',
      'a second',
      'frames',
      'busiest second',
      'busiest 10 ms',
      'gaps',
      'books synced',
      'read',
    ],
    rows: rans.map(({ speed, messages, seconds, frames, busiest, gaps, synced, books, isWhole }) => [
      speedText(speed),
      String(messages),
      (messages / seconds).toFixed(0),
      String(frames),
      ...busiest.map((count) => (count === 0 ? '–' : String(count))),
      String(gaps),
      `${synced} of ${books}`,
      isWhole ? 'whole' : 'in part',
    ]),
  };
}
