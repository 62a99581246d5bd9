/** A level as it is drawn: exact decimals and the quantity's share of the largest one shown. */
export interface LadderLevel {
  readonly price: string;
  readonly qty: string;
  /** 0 to 1. */
  readonly share: number;
}

/** A book at one moment, best levels first. */
export interface LadderView {
  readonly instrument: string;
  /** Whether the feed is connected. */
  readonly connected: boolean;
  readonly state: string;
  readonly reason: string;
  /** What is in doubt about a synced book, in words. */
  readonly doubts: readonly string[];
  readonly seq: string;
  /** Since the last change that arrived. */
  readonly ageMs: number;
  /** Of the feed, median; undefined while it is not known. */
  readonly latencyMs: number | undefined;
  readonly bids: readonly LadderLevel[];
  readonly asks: readonly LadderLevel[];
}

const BAR_WIDTH = 24;
const STYLE = { bid: '32', ask: '31', good: '32', bad: '33;1', faint: '2' } as const;

/** A text and how it is painted. */
type Span = readonly [style: keyof typeof STYLE | 'plain', text: string];

/** Lines beside the levels: the heading and the line between the sides. */
const FRAME_ROWS = 2;

/** Levels a side whose ladder fits into so many rows, at least one. */
export function depthIn(rows: number): number {
  return Math.max(1, Math.floor((rows - FRAME_ROWS) / 2));
}

/**
 * Draws a ladder: asks above, bids below, best ones in the middle. `depth` rows a side, so that its height is constant;
 * what does not fit into `columns` is cut off.
 */
export function ladderLines(
  view: LadderView,
  depth: number,
  color: boolean,
  columns = Number.POSITIVE_INFINITY,
): readonly string[] {
  const levels = [...view.bids, ...view.asks];
  const priceColumn = columnOf(levels.map(({ price }) => price));
  const qtyColumn = columnOf(levels.map(({ qty }) => qty));
  const row = (side: 'bid' | 'ask', level: LadderLevel | undefined): readonly Span[] => {
    if (level === undefined) return [];
    const bar = '█'.repeat(Math.max(1, Math.round(level.share * BAR_WIDTH)));
    return [
      [side, `  ${priceColumn(level.price)}`],
      ['plain', `  ${qtyColumn(level.qty)}  `],
      [side, bar],
    ];
  };
  const indexes = Array.from({ length: depth }, (_, index) => index);
  const lines: readonly (readonly Span[])[] = [
    heading(view),
    ...indexes.map((index) => row('ask', view.asks[depth - 1 - index])),
    [['faint', '  ──']],
    ...indexes.map((index) => row('bid', view.bids[index])),
  ];
  return lines.map((spans) => painted(spans, columns, color));
}

/** Whether the book can be trusted stands before the numbers, so that a narrow terminal shows it. */
function heading(view: LadderView): readonly Span[] {
  const latency = view.latencyMs === undefined ? '' : `  latency ${view.latencyMs.toFixed(1)} ms`;
  const facts = `  seq ${view.seq}  age ${ageText(view.ageMs)}${latency}`;
  const trusted = view.connected && view.state === 'synced';
  return [
    ['plain', `${view.instrument}  `],
    [trusted ? 'good' : 'bad', trusted ? 'synced' : distrust(view)],
    ...(trusted ? view.doubts.map((doubt): Span => ['bad', `  ${doubt.toUpperCase()}`]) : []),
    ['faint', facts],
  ];
}

function distrust(view: LadderView): string {
  if (!view.connected) return view.seq === '0' ? 'CONNECTING' : 'NO SERVER, connecting again';
  return `${view.state.toUpperCase()} (${view.reason})`;
}

function painted(spans: readonly Span[], columns: number, color: boolean): string {
  let left = columns;
  return spans
    .map(([style, text]) => {
      const shown = text.slice(0, Math.max(0, left));
      left -= shown.length;
      return color && style !== 'plain' && shown !== '' ? `\x1b[${STYLE[style]}m${shown}\x1b[0m` : shown;
    })
    .join('');
}

function ageText(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

/** Writes decimals of a column, point below point. */
function columnOf(texts: readonly string[]): (text: string) => string {
  const fraction = (text: string): number => (text.includes('.') ? text.length - text.indexOf('.') : 0);
  const fractionMax = Math.max(0, ...texts.map(fraction));
  const aligned = (text: string): string => text + ' '.repeat(fractionMax - fraction(text));
  const width = Math.max(0, ...texts.map((text) => aligned(text).length));
  return (text) => aligned(text).padStart(width);
}
