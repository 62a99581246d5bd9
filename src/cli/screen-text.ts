import { durationText, type MarketColumns, type MarketView, marketLines, sideBySide } from './market-text.js';
import { fitted, type Line, lineWidth, painted, words } from './text-line.js';
import { KEY_HELP } from './watch-keys.js';

/** An instrument that is drawn, with its columns. */
export interface Panel {
  readonly view: MarketView;
  readonly columns: MarketColumns;
}

/** All that a screen shows. */
export interface ScreenView {
  /** The names of all instruments, and which of them is chosen. */
  readonly names: readonly string[];
  readonly chosen: number;
  /** The instruments that are drawn, from left to right. */
  readonly panels: readonly Panel[];
  /** Levels a side. */
  readonly depth: number;
  readonly isHelp: boolean;
  /** Whether somebody can press keys. */
  readonly hasKeys: boolean;
  /** For how long the screen has stood still; undefined = it does not. */
  readonly pausedMs: number | undefined;
  /** What a reader should know at once; empty = nothing. */
  readonly notice: string;
}

export interface ScreenSize {
  readonly columns: number;
  readonly rows: number;
}

const GUTTER_WIDTH = 3;
/** Columns below which two panels are worse than one. */
const PANEL_WIDTH_MIN = 56;
/** Rows from which there is a line of names above, and one of keys below. */
const FRAME_ROWS_MIN = 8;

/** How many panels stand side by side in so many columns, of so many instruments. */
export function panelsIn(columns: number, instruments: number): number {
  const room = Math.floor((columns + GUTTER_WIDTH) / (PANEL_WIDTH_MIN + GUTTER_WIDTH));
  return Math.max(1, Math.min(room, instruments));
}

/** The screen's lines, none wider than `columns` and no more than `rows`. */
export function screenLines(
  view: ScreenView,
  { columns, rows }: ScreenSize,
  hasColor: boolean,
): readonly string[] {
  const { panels, depth, names } = view;
  const hasFrame = rows >= FRAME_ROWS_MIN;
  const above = hasFrame && names.length > panels.length ? [tabsLine(view, columns)] : [];
  const below = hasFrame || view.pausedMs !== undefined ? [footLine(view)] : [];
  const height = Math.max(1, rows - above.length - below.length);
  const width = Math.floor((columns - GUTTER_WIDTH * (panels.length - 1)) / Math.max(1, panels.length));
  const body = view.isHelp
    ? helpLines(panels, width)
    : panels.length === 0
      ? [[words('bad', view.notice === '' ? 'nothing to show' : view.notice)]]
      : sideBySide(
          panels.map((panel) =>
            marketLines(panel.view, depth, { columns: width, rows: height }, panel.columns),
          ),
          panels.map(() => width),
        );
  const filled = [...body, ...Array.from({ length: Math.max(0, height - body.length) }, (): Line => [])];
  return [...above, ...filled.slice(0, height), ...below]
    .slice(0, rows)
    .map((line) => painted(fitted(line, columns), hasColor));
}

/** The names, as many as fit around the chosen one. */
function tabsLine({ names, chosen, panels }: ScreenView, columns: number): Line {
  const shown = new Set(panels.map((panel) => panel.view.instrument));
  const place = words('faint', `${chosen + 1}/${names.length}  `);
  const tab = (at: number): Line => {
    const name = names[at] ?? '';
    return [words(shown.has(name) ? 'strong' : 'faint', at === chosen ? `[${name}]` : ` ${name} `)];
  };
  let from = chosen;
  let to = chosen;
  let line = tab(chosen);
  const fits = (longer: Line): boolean => lineWidth([place, ...longer]) < columns - 1;
  for (let grown = true; grown; ) {
    grown = false;
    if (to + 1 < names.length && fits([...line, ...tab(to + 1)])) {
      line = [...line, ...tab(++to)];
      grown = true;
    }
    if (from > 0 && fits([...tab(from - 1), ...line])) {
      line = [...tab(--from), ...line];
      grown = true;
    }
  }
  const more = (isMore: boolean): Line => (isMore ? [words('faint', '…')] : []);
  return [place, ...more(from > 0), ...line, ...more(to < names.length - 1)];
}

function footLine({ pausedMs, notice, depth, hasKeys }: ScreenView): Line {
  if (pausedMs !== undefined) return [words('alert', ` PAUSED ${durationText(pausedMs)}: p goes on `)];
  if (notice !== '') return [words('bad', notice)];
  if (!hasKeys) return [words('faint', 'Ctrl-C ends')];
  return [words('faint', `? keys  q quit  p pause  +/- levels (${depth})  g/G price steps`)];
}

/** The keys, below the titles: whether a book can be trusted is never hidden. */
function helpLines(panels: readonly Panel[], width: number): readonly Line[] {
  const titles = sideBySide(
    panels.map((panel) => marketLines(panel.view, 1, { columns: width, rows: 1 }, panel.columns)),
    panels.map(() => width),
  );
  const pressWidth = Math.max(...KEY_HELP.map(([press]) => press.length));
  return [
    ...(panels.length === 0 ? [] : titles),
    [],
    ...KEY_HELP.map(
      ([press, does]): Line => [
        words('strong', `  ${press.padEnd(pressWidth)}`),
        words('plain', `  ${does}`),
      ],
    ),
  ];
}
