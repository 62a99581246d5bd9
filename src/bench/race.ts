import { Race } from '#native';
import { guarded } from '../engine/guarded.js';
import { DepthwireError } from '../errors.js';
import { isPacked } from '../ingest/recording.js';
import { RecordingReader } from '../ingest/recording-reader.js';
import type { Scenario, ScenarioResult, Wish } from './result.js';
import { timeCell } from './time-text.js';
import type { Verdict } from './verdict.js';

/** Times with a sign, ns; see `crates/latency/src/race.rs`. */
interface Difference {
  readonly count: number;
  readonly min: number;
  readonly p1: number;
  readonly p10: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
}

interface Side {
  readonly name: string;
  readonly messages: number;
  readonly ambiguous: number;
  readonly alone: number;
  readonly first: number;
  readonly lead: Difference;
}

export interface RaceReport {
  readonly sides: readonly [Side, Side];
  readonly matched: number;
  readonly ties: number;
  readonly difference: Difference;
  readonly lines: readonly (readonly [name: string, messages: number])[];
  readonly unread: number;
}

const HEADS = ['least', '1 %', '10 %', '50 %', '90 %', '99 %', 'greatest'] as const;
/** A lead is above 0: it is told from its middle on. */
const LEAD_FROM = 3;
/** Chunks between two looks at whether the race is to end. */
const PAUSE_CHUNKS = 64;

/** Who is first: two lines of a capture, or two recordings of the same messages. */
export const RACE: Scenario = {
  name: 'race',
  summary:
    'which of two lines, or two recordings, is first with each message, by how much, and how often alone',
  takes: ['lines'],
  seconds: () => 5,
  async check(wish) {
    // Each file is opened, and its first bytes are read.
    for (const file of filesOf(wish)) await isPacked(file);
  },
  async run(wish) {
    const { lines, signal } = wish;
    const files = filesOf(wish);
    const race = new Race();
    try {
      const wrong: string[] = [];
      for (const [at, file] of files.entries()) wrong.push(...(await read(race, at, file, signal)));
      const [first, second] = lines ?? ['', ''];
      const report = JSON.parse(guarded(() => race.report(first, second))) as RaceReport;
      return resultOf(report, wrong);
    } finally {
      race.close();
    }
  },
};

function filesOf({ files = [] }: Wish): readonly string[] {
  if (files.length === 1 || files.length === 2) return files;
  throw new DepthwireError('bench.race', {
    what: 'a race is of two lines',
    expected: 'one capture with two lines, or two recordings',
    got: files.length === 0 ? 'no file' : `${files.length} files`,
    fix: 'depthwire bench race capture.pcap, or depthwire bench race a.gz b.gz',
  });
}

/** Reads a recording to its end, and returns what is wrong with it. */
async function read(race: Race, at: number, file: string, signal?: AbortSignal): Promise<readonly string[]> {
  const reader = new RecordingReader([file]);
  const wrong: string[] = [];
  try {
    for (let chunks = 0; await reader.fill(); chunks++) {
      reader.use(guarded(() => race.take(at, reader.pending, reader.isFileEnd)));
      if (reader.damage !== undefined) wrong.push(`${file}: ${reader.damage.what}`);
      if (chunks % PAUSE_CHUNKS === 0 && signal?.aborted) {
        wrong.push(`${file}: read in part, for the race was ended before its time`);
        return wrong;
      }
    }
    return wrong;
  } finally {
    await reader.close();
  }
}

function resultOf(report: RaceReport, wrong: readonly string[]): ScenarioResult {
  const { sides, matched, ties, difference, unread } = report;
  const share = (count: number): string =>
    `${count} (${((count / Math.max(matched, 1)) * 100).toFixed(1)} %)`;
  const reasons = [...wrong];
  if (matched === 0)
    reasons.push('no message came on both sides: they are not of the same feed, or not of one time');
  if (unread > 0) reasons.push(`${unread} entries of the recordings cannot be read`);
  const verdict: Verdict = { word: reasons.length === 0 ? 'PASS' : 'FAIL', reasons };
  const [first, second] = sides;
  return {
    scenario: 'race',
    title: 'Who is first',
    verdict,
    tables: [
      {
        title: `${matched} messages came on both sides, ${ties} of them at one time`,
        heads: [
          'side',
          'messages',
          'first',
          'never on the other',
          'more than once',
          'lead p50',
          'p90',
          'p99',
          'greatest',
        ],
        rows: sides.map((side) => [
          side.name,
          String(side.messages),
          share(side.first),
          String(side.alone),
          String(side.ambiguous),
          ...cells(side.lead).slice(LEAD_FROM),
        ]),
      },
      {
        title: 'difference: above 0 where the second was first',
        heads: ['', ...HEADS],
        rows: [[`${first.name} − ${second.name}`, ...cells(difference)]],
      },
    ],
    notes: [
      'Messages match by their bytes, by the time of receipt and not by their place in the file; what a line has more than once names none.',
      'Both were recorded with one clock, so nothing is synchronised. Two recordings of two machines have two clocks: then the differences hold their offset.',
    ],
    lines: [],
    files: [],
    data: report,
  };
}

function cells({ count, min, p1, p10, p50, p90, p99, max }: Difference): readonly string[] {
  return [
    timeCell('max', min, count),
    timeCell('p99', p1, count),
    timeCell('p90', p10, count),
    timeCell('p50', p50, count),
    timeCell('p90', p90, count),
    timeCell('p99', p99, count),
    timeCell('max', max, count),
  ];
}
