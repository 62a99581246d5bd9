import { type Line, type Span, textWidth, whole, words } from './text-line.js';

/** A level as it is drawn: exact decimals, and the quantity's share of the largest one shown. */
export interface LadderLevel {
  readonly price: string;
  readonly qty: string;
  /** The quantity up to here, from the best price. */
  readonly total: string;
  /** 0 to 1. */
  readonly share: number;
  /** The venue has not made its book known as far as this price. */
  readonly beyondKnown: boolean;
}

/** What lies between the best prices. */
export interface LadderSpread {
  /** The exact difference; negative in a crossed book, 0 in a locked one. */
  readonly text: string;
  /** The same in hundredths of a percent of the middle. */
  readonly bp: number;
}

/** A book at one moment, best levels first. */
export interface LadderView {
  readonly bids: readonly LadderLevel[];
  readonly asks: readonly LadderLevel[];
  /** Undefined where a side is empty. */
  readonly spread: LadderSpread | undefined;
  /** Why this is no market at present, in capitals; undefined where it is one. */
  readonly distrust: string | undefined;
}

/** Columns between two numbers. */
const GAP = 2;
const BAR_WIDTH_MAX = 24;
const BAR_WIDTH_MIN = 4;
/** In front of each level: nothing, a price beyond what is known, a level that may be gone. */
const MARK = { none: ' ', beyondKnown: '?', distrust: '~' } as const;

/** A column of decimals, point below point. It never becomes narrower, so that a ladder that is redrawn stands still. */
export class DecimalColumn {
  private readonly heading: string;
  private integer = 0;
  private fraction = 0;

  constructor(heading: string) {
    this.heading = heading;
  }

  /** Makes room for more decimals. */
  hold(texts: readonly string[]): void {
    for (const text of texts) {
      const fraction = fractionOf(text);
      this.fraction = Math.max(this.fraction, fraction);
      this.integer = Math.max(this.integer, text.length - fraction);
    }
  }

  get width(): number {
    return Math.max(this.heading.length, this.integer + this.fraction);
  }

  /** The heading, above the last digits. */
  get head(): string {
    return this.heading.padStart(this.width);
  }

  /** A decimal that it has made room for. */
  cell(text: string): string {
    return (text + ' '.repeat(this.fraction - fractionOf(text))).padStart(this.width);
  }
}

/** The columns of a ladder, kept from one drawing to the next. */
export class LadderColumns {
  readonly price = new DecimalColumn('price');
  readonly qty = new DecimalColumn('quantity');
  readonly total = new DecimalColumn('total');

  /** Makes room for what a ladder shows. */
  hold({ bids, asks }: LadderView): void {
    const levels = [...bids, ...asks];
    this.price.hold(levels.map(({ price }) => price));
    this.qty.hold(levels.map(({ qty }) => qty));
    this.total.hold(levels.map(({ total }) => total));
  }

  /** Columns of a terminal that the numbers and the shortest bar take. */
  get width(): number {
    return 1 + this.price.width + GAP + this.qty.width + GAP + this.total.width + GAP + BAR_WIDTH_MIN;
  }
}

/**
 * Draws a ladder: headings, asks, the spread, bids; best prices in the middle. `depth` rows a side, so that its height is
 * constant. A column that does not fit is left out: first the bars, then the totals, then the quantities. A book that is
 * no market has no bars and no colours, a mark before each level, and says so where the spread would stand.
 */
export function ladderLines(
  view: LadderView,
  depth: number,
  columns: number,
  layout: LadderColumns = new LadderColumns(),
): readonly Line[] {
  layout.hold(view);
  const { price, qty, total } = layout;
  const cellsMax =
    columns >= layout.width - GAP - BAR_WIDTH_MIN ? 3 : columns >= 1 + price.width + GAP + qty.width ? 2 : 1;
  const barWidth = Math.min(BAR_WIDTH_MAX, columns - layout.width + BAR_WIDTH_MIN);
  const gap = words('plain', ' '.repeat(GAP));
  const cells = (spans: readonly Span[]): Line =>
    spans.slice(0, cellsMax).flatMap((span, at) => (at === 0 ? [span] : [gap, span]));
  const row = (side: 'bid' | 'ask', level: LadderLevel | undefined): Line => {
    if (level === undefined) return [];
    const isMarket = view.distrust === undefined;
    const mark = isMarket ? (level.beyondKnown ? MARK.beyondKnown : MARK.none) : MARK.distrust;
    const style = isMarket && !level.beyondKnown ? side : 'faint';
    const numbers = cells([
      whole(style, mark + price.cell(level.price)),
      whole(isMarket ? 'plain' : 'faint', qty.cell(level.qty)),
      whole('faint', total.cell(level.total)),
    ]);
    if (!isMarket || barWidth < BAR_WIDTH_MIN) return numbers;
    return [...numbers, gap, words(style, barText(level.share, barWidth))];
  };
  const indexes = Array.from({ length: depth }, (_, index) => index);
  return [
    cells([words('faint', ` ${price.head}`), words('faint', qty.head), words('faint', total.head)]),
    ...indexes.map((index) => row('ask', view.asks[depth - 1 - index])),
    spreadLine(view, columns),
    ...indexes.map((index) => row('bid', view.bids[index])),
  ];
}

/** What stands between the sides, and whether it is a market at all. */
function spreadLine({ spread, distrust }: LadderView, columns: number): Line {
  const line = (text: Span): Line => {
    const left = Math.max(0, Math.min(columns, 40) - textWidth(text.text) - 5);
    return [words('faint', ' ── '), text, words('faint', left > 0 ? ` ${'─'.repeat(left)}` : '')];
  };
  if (distrust !== undefined) return line(words('bad', `NO MARKET: ${distrust}`));
  if (spread === undefined) return line(words('faint', 'a side is empty'));
  const { text, bp } = spread;
  if (text.startsWith('-')) return line(whole('bad', `CROSSED by ${text.slice(1)}`));
  if (Number(text) === 0) return line(whole('bad', 'LOCKED: best bid and ask are equal'));
  return line(whole('faint', `spread ${text}  ${bpText(bp)}`));
}

/** A share of so many columns, in eighths of one; the smallest is still seen. */
function barText(share: number, columns: number): string {
  const eighths = Math.max(1, Math.round(share * columns * 8));
  return '█'.repeat(Math.floor(eighths / 8)) + ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'][eighths % 8];
}

function bpText(bp: number): string {
  return Number.isFinite(bp)
    ? `${bp >= 10 ? bp.toFixed(0) : bp >= 1 ? bp.toFixed(1) : bp.toFixed(2)} bp`
    : '';
}

function fractionOf(text: string): number {
  const point = text.indexOf('.');
  return point < 0 ? 0 : text.length - point;
}
