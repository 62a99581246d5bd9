import { setTimeout as pause } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { instrumentName, openEngine, startIdNow } from '../engine.js';
import { DepthwireError } from '../errors.js';
import { FrameReader } from '../wire/frame.js';
import { LoadMeter } from './machine.js';
import { measureHiccups, type Quantiles, Samples } from './measure.js';
import type { Scenario, ScenarioResult, Wish } from './result.js';
import { nsText, QUANTILE_HEADS, quantileCells } from './time-text.js';
import { judgeLoad, type Verdict, worst } from './verdict.js';

const SECONDS = 30;
const SECONDS_QUICK = 3;
/** Binance ends a connection that says more than five things a second, pings included ("WebSocket Limits" of its API). */
const PING_MS = 500;
const OPEN_MS_MAX = 10_000;
const OUTPUT_BYTES = 8 << 20;
/** No message of a venue is longer. */
const MESSAGE_BYTES_MAX = 64 << 20;

/** A line to a venue: what its network and its own clock say of it. */
export const VENUE: Scenario = {
  name: 'venue',
  summary:
    'a venue’s own line: round trips, how evenly messages come, and how old they are where the venue dates them',
  seconds: (wish) => secondsOf(wish) + 2,
  async run(wish) {
    const [url, name, ...more] = wish.files ?? [];
    if (url === undefined || more.length > 0 || !/^wss?:\/\/[^/]/.test(url)) {
      throw new DepthwireError('bench.address', {
        what: 'no address of a venue',
        expected: 'ws:// or wss:// and the rest, and perhaps an instrument whose messages come',
        got: url ?? 'nothing',
        fix: 'depthwire bench venue "wss://stream.binance.com:9443/ws/btcusdt@trade" binance:BTCUSDT',
      });
    }
    const meter = new LoadMeter();
    const over = new AbortController();
    const hiccups = measureHiccups(secondsOf(wish) + 60, over.signal);
    try {
      const line = new Line(url, wish.say ?? [], name === undefined ? undefined : instrumentName(name));
      try {
        await line.open();
        await line.hear(secondsOf(wish) * 1000, wish.signal);
      } finally {
        line.close();
      }
      over.abort();
      return resultOf(line, url, (await hiccups).all, worst([judgeLoad(meter.stop()), line.verdict(wish)]));
    } finally {
      over.abort();
    }
  },
};

function secondsOf({ seconds, isQuick }: Wish): number {
  return seconds ?? (isQuick ? SECONDS_QUICK : SECONDS);
}

/** One connection. */
class Line {
  readonly trips = new Samples();
  /** Between one message and the next. */
  readonly gaps = new Samples();
  /** From the venue's time of an event to its receipt here, by two clocks. */
  readonly ages = new Samples();
  messages = 0;
  bytes = 0;
  openMs = 0;
  /** Ages below 0: our clock is behind the venue's. */
  younger = 0;
  refused = 0;
  ended: string | undefined;
  readonly #socket: WebSocket;
  readonly #says: readonly string[];
  readonly #dated: Dated | undefined;
  readonly #began = performance.now();
  #lastMs = 0;
  #pingMs = 0;

  constructor(url: string, says: readonly string[], name: string | undefined) {
    this.#dated = name === undefined ? undefined : new Dated(name);
    this.#says = says;
    this.#socket = new WebSocket(url, { perMessageDeflate: false, maxPayload: MESSAGE_BYTES_MAX });
  }

  async open(): Promise<void> {
    const failed = (got: string): DepthwireError =>
      new DepthwireError('bench.venue', {
        what: 'the venue cannot be reached',
        where: this.#socket.url,
        expected: `a WebSocket within ${OPEN_MS_MAX / 1000} s`,
        got,
        fix: 'look at the address, and whether this machine has a way to it: depthwire doctor',
      });
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(failed('no answer')), OPEN_MS_MAX);
      this.#socket.on('error', (error) => reject(failed(error.message)));
      this.#socket.once('open', () => {
        clearTimeout(timer);
        resolve();
      });
    });
    this.openMs = performance.now() - this.#began;
    this.#socket.on('close', (code) => {
      this.ended ??= `the venue closed the connection (${code})`;
    });
    this.#socket.on('pong', () => {
      if (this.#pingMs > 0) this.trips.add(this.#at(this.#pingMs), (performance.now() - this.#pingMs) * 1e6);
      this.#pingMs = 0;
    });
    this.#socket.on('message', (data: Buffer) => this.#take(data));
    for (const text of this.#says) this.#socket.send(text);
  }

  /** Listens, and pings as soon as the last one was answered. */
  async hear(ms: number, signal: AbortSignal | undefined): Promise<void> {
    const until = performance.now() + ms;
    while (performance.now() < until && this.ended === undefined) {
      if (signal?.aborted === true) {
        this.ended = 'the run was ended before its time';
        return;
      }
      if (this.#pingMs === 0) {
        this.#pingMs = performance.now();
        this.#socket.ping();
      }
      await pause(Math.min(PING_MS, Math.max(1, until - performance.now())));
    }
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
      this.ages.add(this.#at(now), ageNs);
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
    if (this.#dated !== undefined && this.messages > 0 && this.ages.count === 0)
      reasons.push('no message said when its event was');
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

function resultOf(line: Line, url: string, hiccups: Quantiles, verdict: Verdict): ScenarioResult {
  const parts = [
    { name: 'round trip', report: line.trips.report('depthwire bench venue, round trips, ns') },
    { name: 'between messages', report: line.gaps.report('depthwire bench venue, between messages, ns') },
    { name: 'age when received', report: line.ages.report('depthwire bench venue, ages, ns') },
  ].filter(({ report }) => report.all.count > 0);
  const younger =
    line.younger === 0
      ? []
      : [`${line.younger} events are dated after their receipt: our clock is behind the venue’s.`];
  return {
    scenario: 'venue',
    title: 'A line to a venue',
    verdict,
    tables: [
      {
        title: new URL(url).host,
        heads: ['what', ...QUANTILE_HEADS],
        rows: [
          ...parts.map(({ name, report }) => [name, ...quantileCells(report.all)]),
          ['hiccups of the machine', ...quantileCells(hiccups)],
        ],
      },
    ],
    notes: [
      `Open after ${nsText(line.openMs * 1e6)}; ${line.messages} messages, ${line.bytes} bytes.`,
      'Round trips are of WebSocket pings, one at a time. An age is of two clocks, ours and the venue’s, and holds their offset.',
      ...younger,
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
      parts: parts.map(({ name, report: { all } }) => ({ name, all })),
      hiccups,
    },
  };
}
