import { DecimalColumn } from './ladder-text.js';
import { type Line, type Span, whole, words } from './text-line.js';

/** A trade as it is drawn, or the place of some that are missing. */
export type TapeRow =
  | {
      readonly tag: 'trade';
      /** The venue's time, ms since the Unix epoch; undefined = not given. */
      readonly tsMs: number | undefined;
      readonly aggressor: 'buy' | 'sell' | 'unknown';
      readonly price: string;
      readonly qty: string;
    }
  | { readonly tag: 'missing' };

const GAP = '  ';
/** `12:34:56.789`, and the same without its fraction. */
const TIME_WIDTHS = [12, 8, 0] as const;
const SIDES = { buy: 'buy ', sell: 'sell', unknown: '    ' } as const;

/** The columns of a tape, kept from one drawing to the next. */
export class TapeColumns {
  readonly price = new DecimalColumn('price');
  readonly qty = new DecimalColumn('quantity');

  hold(rows: readonly TapeRow[]): void {
    const trades = rows.filter((row) => row.tag === 'trade');
    this.price.hold(trades.map(({ price }) => price));
    this.qty.hold(trades.map(({ qty }) => qty));
  }

  /** Columns of a terminal that a whole row takes. */
  get width(): number {
    return TIME_WIDTHS[0] + GAP.length + this.sidesWidth;
  }

  /** The same without the time. */
  get sidesWidth(): number {
    return SIDES.buy.length + GAP.length + this.price.width + GAP.length + this.qty.width;
  }
}

/**
 * Draws the newest `count` trades below a heading, the newest first: time, aggressor, price, quantity. Where they do not fit,
 * the time loses its fraction, then goes; then the word for the aggressor, whose colour stays.
 */
export function tapeLines(
  rows: readonly TapeRow[],
  count: number,
  columns: number,
  notice: string,
  layout: TapeColumns = new TapeColumns(),
): readonly Line[] {
  layout.hold(rows);
  const { price, qty } = layout;
  const timeWidth = TIME_WIDTHS.find((width) => columns >= layout.sidesWidth + width + GAP.length) ?? 0;
  const hasSide = columns >= layout.sidesWidth;
  const cells = (time: string, side: Span, rest: readonly Span[]): Line => [
    ...(timeWidth > 0 ? [words('faint', time.slice(0, timeWidth).padEnd(timeWidth) + GAP)] : []),
    ...(hasSide ? [side, words('plain', GAP)] : []),
    ...rest.flatMap((span, at) => (at === 0 ? [span] : [words('plain', GAP), span])),
  ];
  const head = cells('time, UTC', words('faint', 'side'), [
    words('faint', price.head),
    words('faint', qty.head),
  ]);
  const row = (trade: TapeRow): Line => {
    if (trade.tag === 'missing') return [words('bad', '-- trades are missing --')];
    const { aggressor } = trade;
    const style = aggressor === 'buy' ? 'bid' : aggressor === 'sell' ? 'ask' : 'plain';
    return cells(timeText(trade.tsMs), whole(style, SIDES[aggressor]), [
      whole(style, price.cell(trade.price)),
      whole('plain', qty.cell(trade.qty)),
    ]);
  };
  const shown = rows.slice(0, Math.max(0, count - (notice === '' ? 0 : 1))).map(row);
  return [head, ...(notice === '' ? [] : [[words('bad', notice)]]), ...shown].slice(0, count + 1);
}

/** The time of day in UTC, with milliseconds. */
function timeText(tsMs: number | undefined): string {
  const time = new Date(tsMs ?? Number.NaN);
  return Number.isNaN(time.getTime()) ? '–' : time.toISOString().slice(11, 23);
}
