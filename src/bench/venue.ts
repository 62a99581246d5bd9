import { setTimeout as pause } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { instrumentName, openEngine, startIdNow } from '../engine.js';
import { DepthwireError } from '../errors.js';
import { FrameReader } from '../wire/frame.js';
import { besideHiccups } from './beside-hiccups.js';
import { LoadMeter } from './machine.js';
import { type HiccupReport, Samples } from './measure.js';
import type { Scenario, ScenarioResult, Wish } from './result.js';
import { nsText, QUANTILE_HEADS, quantileCells, quietText } from './time-text.js';
import { judgeHiccups, judgeLoad, type Verdict, worst } from './verdict.js';

const SECONDS = 30;
const SECONDS_QUICK = 3;
/** Binance ends a connection that says more than five things a second, pings included ("WebSocket Limits" of its API). */
const PING_MS = 500;
const OPEN_MS_MAX = 10_000;
/** Of the events that may be dated behind their receipt. */
const YOUNGER_SHARE_MAX = 0.01;
const OUTPUT_BYTES = 8 << 20;
/** No message of a venue is longer. */
const MESSAGE_BYTES_MAX = 64 << 20;

/** A line to a venue: what its network and its own clock say of it. */
export const VENUE: Scenario = {
  name: 'venue',
  summary:
    'a venue’s own line: round trips, how evenly messages come, and how old they are where the venue dates them',
  takes: ['seconds', 'say'],
  seconds: (wish) => secondsOf(wish) + 2,
  async check(wish) {
    lineOf(wish);
  },
  async run(wish) {
    const { url, name } = lineOf(wish);
    const meter = new LoadMeter();
    const [line, hiccups] = await besideHiccups(secondsOf(wish) + OPEN_MS_MAX / 1000, async () => {
      const line = new Line(url, wish.say ?? [], name);
      try {
        await line.open(wish.signal);
        await line.hear(secondsOf(wish) * 1000, wish.signal);
      } finally {
        line.close();
      }
      return line;
    });
    const verdict = worst([judgeLoad(meter.stop()), judgeHiccups(hiccups), line.verdict(wish)]);
    return resultOf(line, url, hiccups, verdict);
  },
};

/** The address, and the instrument if there is one. */
function lineOf({ files = [] }: Wish): { readonly url: URL; readonly name: string | undefined } {
  const [text, name, ...more] = files;
  if (more.length > 0) throw unusable('more than an address and an instrument', more.join(' '));
  return { url: addressOf(text), name: name === undefined ? undefined : instrumentName(name) };
}

function addressOf(text: string | undefined): URL {
  if (text === undefined || !URL.canParse(text)) throw unusable('no address of a venue', text ?? 'nothing');
  const url = new URL(text);
  const isSocket = url.protocol === 'ws:' || url.protocol === 'wss:';
  if (!isSocket || url.hash !== '') throw unusable('no address of a WebSocket', text);
  return url;
}

function unusable(what: string, got: string): DepthwireError {
  return new DepthwireError('bench.address', {
    what,
    expected: 'ws:// or wss:// and the rest, and perhaps an instrument whose messages come',
    got,
    fix: 'depthwire bench venue "wss://stream.binance.com:9443/ws/btcusdt@trade" binance:BTCUSDT',
  });
}

function secondsOf({ seconds, isQuick }: Wish): number {
  return seconds ?? (isQuick ? SECONDS_QUICK : SECONDS);
}

/** One connection. */
class Line {
  readonly #began = performance.now();
  readonly trips = new Samples(this.#began);
  /** Between one message and the next. */
  readonly gaps = new Samples(this.#began);
  /** From the venue's time of an event to its receipt here, by two clocks. */
  readonly ages = new Samples(this.#began);
  messages = 0;
  bytes = 0;
  openMs = 0;
  /** Events dated behind their receipt, which have no age: our clock is behind the venue's. */
  younger = 0;
  refused = 0;
  ended: string | undefined;
  readonly #socket: WebSocket;
  readonly #says: readonly string[];
  readonly #dated: Dated | undefined;
  #lastMs = 0;
  /** When pings were due that have no answer yet, the first one first. */
  #pingsMs: number[] = [];

  constructor(url: URL, says: readonly string[], name: string | undefined) {
    this.#dated = name === undefined ? undefined : new Dated(name);
    this.#says = says;
    this.#socket = new WebSocket(url, { perMessageDeflate: false, maxPayload: MESSAGE_BYTES_MAX });
  }

  async open(signal: AbortSignal | undefined): Promise<void> {
    const failed = (got: string): DepthwireError =>
      new DepthwireError('bench.venue', {
        what: 'the venue cannot be reached',
        where: this.#socket.url,
        expected: `a WebSocket within ${OPEN_MS_MAX / 1000} s`,
        got,
        fix: 'look at the address, and whether this machine has a way to it: depthwire doctor',
      });
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve, reject) => {
      timer = setTimeout(() => reject(failed('no answer')), OPEN_MS_MAX);
      signal?.addEventListener('abort', () => reject(failed('the run was ended')), { once: true });
      this.#socket.on('error', (error) => reject(failed(error.message)));
      this.#socket.once('open', resolve);
    }).finally(() => clearTimeout(timer));
    this.openMs = performance.now() - this.#began;
    this.#socket.on('close', (code) => {
      this.ended ??= `the venue closed the connection (${code})`;
    });
    this.#socket.on('pong', () => {
      const dueMs = this.#pingsMs.shift();
      if (dueMs !== undefined) this.trips.add(this.#at(dueMs), (performance.now() - dueMs) * 1e6);
    });
    this.#socket.on('message', (data: Buffer) => this.#take(data));
    for (const text of this.#says) this.#socket.send(text);
  }

  /** Listens, and pings at planned times, whatever became of the pings before. */
  async hear(ms: number, signal: AbortSignal | undefined): Promise<void> {
    const began = performance.now();
    const until = began + ms;
    for (let ping = 0; this.ended === undefined; ping += 1) {
      if (signal?.aborted === true) this.ended = 'the run was ended before its time';
      const dueMs = began + ping * PING_MS;
      if (dueMs >= until) break;
      this.#pingsMs.push(dueMs);
      this.#socket.ping();
      await pause(Math.max(1, Math.min(dueMs + PING_MS, until) - performance.now()));
    }
    // What is still waited for took at least so long.
    const now = performance.now();
    if (this.#pingsMs.length > 1)
      for (const dueMs of this.#pingsMs) this.trips.add(this.#at(dueMs), (now - dueMs) * 1e6);
    if (this.messages > 0) this.gaps.add(this.#at(this.#lastMs), (now - this.#lastMs) * 1e6);
  }

  /** Pings without an answer; the last one may be on its way. */
  get unanswered(): number {
    return Math.max(0, this.#pingsMs.length - 1);
  }

  #at(ms: number): number {
    return (ms - this.#began) * 1e6;
  }

  #take(data: Buffer): void {
    const now = performance.now();
    if (this.messages > 0) this.gaps.add(this.#at(this.#lastMs), (now - this.#lastMs) * 1e6);
    this.#lastMs = now;
    this.messages += 1;
    this.bytes += data.byteLength;
    if (this.#dated === undefined) return;
    const before = this.#dated.faults;
    for (const ageNs of this.#dated.take(data)) {
      if (ageNs < 0) this.younger += 1;
      else this.ages.add(this.#at(now), ageNs);
    }
    this.refused += this.#dated.faults - before;
  }

  verdict(wish: Wish): Verdict {
    const reasons = this.ended === undefined ? [] : [this.ended];
    if (this.messages === 0)
      reasons.push(
        (wish.say ?? []).length === 0
          ? 'no message came: does the venue want a subscription? say it with --say'
          : 'no message came',
      );
    if (this.refused > 0)
      reasons.push(`${this.refused} messages could not be read as those of the instrument`);
    if (this.unanswered > 0) reasons.push(`${this.unanswered} pings had no answer`);
    const dated = this.ages.count + this.younger;
    if (this.#dated !== undefined && this.messages > 0 && dated === 0)
      reasons.push('no message said when its event was');
    if (this.younger > dated * YOUNGER_SHARE_MAX)
      reasons.push(
        `${this.younger} of ${dated} events are dated behind their receipt: our clock is behind the venue’s`,
      );
    const dropped = this.trips.dropped + this.gaps.dropped + this.ages.dropped;
    if (dropped > 0) reasons.push(`${dropped} samples are beyond what is kept: give fewer --seconds`);
    return { word: reasons.length === 0 ? 'PASS' : 'FAIL', reasons };
  }

  close(): void {
    this.#socket.removeAllListeners().on('error', () => {});
    this.#socket.terminate();
    this.#dated?.close();
  }
}

/** Reads messages of an instrument by the engine, and says how old what they tell is. */
class Dated {
  faults = 0;
  readonly #reader = new FrameReader();
  #ages: number[] = [];
  readonly #engine = openEngine(
    { startId: startIdNow(), silenceMs: 0, replay: false, outputBytes: OUTPUT_BYTES },
    {
      onFrame: (_, __, frame) => {
        this.#reader.reset(frame);
        while (this.#reader.next()) {
          const { tsEvent, tsRecv } = this.#reader;
          if (tsEvent > 0n && tsRecv > 0n) this.#ages.push(Number(tsRecv - tsEvent));
        }
      },
      onAsk() {},
      onSay() {},
      onFault: () => {
        this.faults += 1;
      },
    },
  );
  readonly #source: number;

  constructor(name: string) {
    const id = this.#engine.addInstrument(name);
    this.#source = this.#engine.openSource(name.slice(0, name.indexOf(':')), [id]);
  }

  /** Ages of what a message told, ns. */
  take(data: Buffer): readonly number[] {
    this.#ages = [];
    this.#engine.ingest(this.#source, data);
    return this.#ages;
  }

  close(): void {
    this.#engine.close();
  }
}

function resultOf(line: Line, url: URL, hiccups: HiccupReport, verdict: Verdict): ScenarioResult {
  const parts = [
    { name: 'round trip', report: line.trips.report('depthwire bench venue, round trips, ns', hiccups) },
    {
      name: 'between messages',
      report: line.gaps.report('depthwire bench venue, between messages, ns', hiccups),
    },
    { name: 'age when received', report: line.ages.report('depthwire bench venue, ages, ns', hiccups) },
  ].filter(({ report }) => report.all.count > 0);
  return {
    scenario: 'venue',
    title: 'A line to a venue',
    verdict,
    tables: [
      {
        title: url.host,
        heads: ['what', ...QUANTILE_HEADS],
        rows: [
          ...parts.flatMap(({ name, report }) => [
            [name, ...quantileCells(report.all)],
            [quietText(report.quietShare), ...quantileCells(report.quiet)],
          ]),
          ['hiccups of the machine', ...quantileCells(hiccups.all)],
        ],
      },
    ],
    notes: [
      `Open after ${nsText(line.openMs * 1e6)}; ${line.messages} messages, ${line.bytes} bytes.`,
      'Round trips are of WebSocket pings that are due each half second, answered or not. An age is of two clocks, ours and the venue’s, and holds their offset.',
    ],
    lines: parts.map(({ name, report }) => ({
      name,
      curve: report.curve,
      intervals: report.intervals,
      hiccups: [],
    })),
    files: parts.flatMap(({ name, report }) => {
      const file = `venue-${name.replaceAll(' ', '-')}`;
      return [
        { name: `${file}.hgrm`, text: report.hgrm },
        { name: `${file}.hlog`, text: report.hlog },
      ];
    }),
    data: {
      openMs: line.openMs,
      messages: line.messages,
      bytes: line.bytes,
      younger: line.younger,
      parts: parts.map(({ name, report: { all, quiet, quietShare } }) => ({ name, all, quiet, quietShare })),
      hiccups: hiccups.all,
    },
  };
}
