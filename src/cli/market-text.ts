import { LadderColumns, type LadderView, ladderLines } from './ladder-text.js';
import { TapeColumns, type TapeRow, tapeLines } from './tape-text.js';
import { fitted, type Line, lineWidth, padded, type Span, textWidth, whole, words } from './text-line.js';

/** How long frames take to arrive, ms. */
export interface Latency {
  readonly p50Ms: number;
  /** By how much it may be wrong, for two clocks are compared; undefined = not known. */
  readonly errorMs: number | undefined;
}

/** What is shown of an instrument, at one moment. */
export interface MarketView extends LadderView {
  readonly instrument: string;
  /** The book may be trusted: `synced`, over a connection that lives. Else why not, in capitals. */
  readonly state: string;
  /** What is in doubt about a synced book, in capitals. */
  readonly doubts: readonly string[];
  /** Where a recording stands, ms since the Unix epoch; undefined where the feed is live, NaN where it does not say. */
  readonly replayMs: number | undefined;
  readonly seq: string;
  /** Since the venue was last heard of this instrument; undefined = never. */
  readonly ageMs: number | undefined;
  readonly latency: Latency | undefined;
  /** How often the book was lost, and made whole again, since it is watched. */
  readonly gaps: number;
  readonly resyncs: number;
  /** Width of a price bucket; undefined = levels as they are. */
  readonly grouping: string | undefined;
  /** The newest first. */
  readonly trades: readonly TapeRow[];
  /** Why there are no trades, or none that can be trusted; empty where there are. */
  readonly tradesNotice: string;
}

/** The columns of one instrument's panel, kept from one drawing to the next. */
export class MarketColumns {
  readonly ladder = new LadderColumns();
  readonly tape = new TapeColumns();
}

const GUTTER = ' │ ';
/** Rows from which a panel has a line of health, headings, a tape below. */
const HEALTH_ROWS_MIN = 6;
const HEADING_ROWS_MIN = 8;
const TAPE_ROWS_MIN = 18;
/** Rows of a tape below its ladder: its heading and trades. */
const TAPE_ROWS = { min: 3, reserved: 6 } as const;

/** The lines of a panel of at most so many columns and rows: title, health, ladder, and the tape where there is room. */
export function marketLines(
  view: MarketView,
  depthMax: number,
  size: { readonly columns: number; readonly rows: number },
  layout: MarketColumns = new MarketColumns(),
): readonly Line[] {
  const { columns, rows } = size;
  layout.ladder.hold(view);
  layout.tape.hold(view.trades);
  const isBeside = columns >= layout.ladder.width + GUTTER.length + layout.tape.width;
  const head = [titleLine(view, columns), ...(rows >= HEALTH_ROWS_MIN ? [healthLine(view, columns)] : [])];
  const hasHeadings = rows >= HEADING_ROWS_MIN;
  const reserved = !isBeside && rows >= TAPE_ROWS_MIN ? TAPE_ROWS.reserved : 0;
  const levelRows = rows - head.length - (hasHeadings ? 1 : 0) - 1 - reserved;
  const depth = Math.max(1, Math.min(depthMax, Math.floor(levelRows / 2)));
  const tapeColumns = isBeside ? layout.tape.width : columns;
  const ladderColumns = isBeside ? columns - GUTTER.length - tapeColumns : columns;
  const ladder = ladderLines(view, depth, ladderColumns, layout.ladder).slice(hasHeadings ? 0 : 1);
  const left = rows - head.length - ladder.length;
  const tape = (count: number): readonly Line[] =>
    tapeLines(view.trades, count, tapeColumns, view.tradesNotice, layout.tape);
  const body = isBeside
    ? sideBySide([ladder, tape(ladder.length - 1)], [ladderColumns, tapeColumns])
    : [...ladder, ...(left >= TAPE_ROWS.min && rows >= TAPE_ROWS_MIN ? tape(left - 1) : [])];
  return [...head, ...body].slice(0, rows).map((line) => fitted(line, columns));
}

/** A book alone, as wide and as deep as it is: for a pipe. */
export function bookLines(view: MarketView, depth: number): readonly Line[] {
  const { POSITIVE_INFINITY } = Number;
  return [
    titleLine(view, POSITIVE_INFINITY),
    healthLine(view, POSITIVE_INFINITY),
    ...ladderLines(view, depth, 80),
  ];
}

/** Panels beside each other, each of so many columns. */
export function sideBySide(panels: readonly (readonly Line[])[], widths: readonly number[]): readonly Line[] {
  const rows = Math.max(...panels.map((lines) => lines.length));
  return Array.from({ length: rows }, (_, row) =>
    panels.flatMap((lines, at) => {
      const line = lines[row] ?? [];
      const isLast = at === panels.length - 1;
      return isLast
        ? fitted(line, widths[at] ?? 0)
        : [...padded(line, widths[at] ?? 0), words('faint', GUTTER)];
    }),
  );
}

/** The instrument, and before anything else whether its book can be trusted. */
function titleLine(view: MarketView, columns: number): Line {
  const { instrument, state, doubts, distrust, replayMs } = view;
  const flags: readonly Span[] = [
    whole(distrust === undefined ? 'good' : 'bad', state),
    ...(replayMs === undefined ? [] : [whole('alert', ' REPLAY ')]),
    ...(distrust === undefined ? doubts.map((doubt) => whole('bad', doubt)) : []),
  ];
  const spaced = flags.flatMap((flag) => [words('plain', '  '), flag]);
  // A name that is cut is still told apart; a state that is missing is not.
  const nameColumns = Math.max(4, columns - lineWidth(spaced));
  return [...fitted([words('strong', instrument)], nameColumns), ...spaced];
}

/** Whole facts only: what does not fit is left out. */
function healthLine(view: MarketView, columns: number): Line {
  const { seq, ageMs, latency, gaps, resyncs, grouping, replayMs } = view;
  const replayed = new Date(replayMs ?? Number.NaN);
  const facts = [
    ...(grouping === undefined ? [] : [`by ${grouping}`]),
    `age ${ageMs === undefined ? '–' : durationText(ageMs)}`,
    ...(Number.isNaN(replayed.getTime()) ? [] : [`at ${replayed.toISOString().slice(0, 19)}Z`]),
    ...(latency === undefined ? [] : [`latency ${latencyText(latency)}`]),
    `gaps ${gaps}`,
    `resyncs ${resyncs}`,
    `seq ${seq}`,
  ];
  let shown = '';
  for (const fact of facts) {
    const longer = shown === '' ? fact : `${shown}  ${fact}`;
    if (textWidth(longer) <= columns) shown = longer;
  }
  return [whole('faint', shown)];
}

function latencyText({ p50Ms, errorMs }: Latency): string {
  const text = (ms: number): string => (ms < 10 ? ms.toFixed(2) : ms.toFixed(0));
  return errorMs === undefined ? `${text(p50Ms)} ms` : `${text(p50Ms)} ± ${text(errorMs)} ms`;
}

/** `12 ms`, `1.3 s`, `4 min`, `2 h`. */
export function durationText(ms: number): string {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  return ms < 3_600_000 ? `${Math.floor(ms / 60_000)} min` : `${Math.floor(ms / 3_600_000)} h`;
}
