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
  readonly state: string;
  readonly reason: string;
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

/** Draws a ladder: asks above, bids below, best ones in the middle. `depth` rows a side, so that its height is constant. */
export function ladderLines(view: LadderView, depth: number, color: boolean): readonly string[] {
  const paint = (style: keyof typeof STYLE, text: string): string =>
    color ? `\x1b[${STYLE[style]}m${text}\x1b[0m` : text;
  const levels = [...view.bids, ...view.asks];
  const priceWidth = widest(levels.map(({ price }) => price));
  const qtyWidth = widest(levels.map(({ qty }) => qty));
  const row = (side: 'bid' | 'ask', level: LadderLevel | undefined): string => {
    if (level === undefined) return '';
    const bar = '█'.repeat(Math.max(1, Math.round(level.share * BAR_WIDTH)));
    const { price, qty } = level;
    return `  ${paint(side, price.padStart(priceWidth))}  ${qty.padStart(qtyWidth)}  ${paint(side, bar)}`;
  };
  const trusted = view.state === 'synced';
  const state = trusted ? 'synced' : `${view.state.toUpperCase()} (${view.reason})`;
  const latency = view.latencyMs === undefined ? '' : `  latency ${view.latencyMs.toFixed(1)} ms`;
  const heading = `${view.instrument}  ${paint(trusted ? 'good' : 'bad', state)}  `;
  const facts = paint('faint', `seq ${view.seq}  age ${ageText(view.ageMs)}${latency}`);
  const rows = Array.from({ length: depth }, (_, index) => index);
  return [
    heading + facts,
    ...rows.map((index) => row('ask', view.asks[depth - 1 - index])),
    paint('faint', '  ──'),
    ...rows.map((index) => row('bid', view.bids[index])),
  ];
}

function ageText(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

function widest(texts: readonly string[]): number {
  return texts.reduce((width, text) => Math.max(width, text.length), 0);
}
