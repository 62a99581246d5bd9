/** What a key does. */
export type WatchAction =
  | 'quit'
  | 'help'
  | 'next'
  | 'previous'
  | 'deeper'
  | 'shallower'
  | 'coarser'
  | 'finer'
  | 'pause'
  | 'split'
  | 'suspend';

interface Binding {
  readonly keys: readonly string[];
  readonly action: WatchAction;
  /** What a reader presses, and what that does. */
  readonly press: string;
  readonly does: string;
}

const BINDINGS: readonly Binding[] = [
  { keys: ['?', 'h'], action: 'help', press: '?', does: 'these keys, and away again' },
  { keys: ['\t', '\x1b[C', '\x1b[B'], action: 'next', press: 'tab → ↓', does: 'next instrument' },
  { keys: ['\x1b[Z', '\x1b[D', '\x1b[A'], action: 'previous', press: '← ↑', does: 'previous instrument' },
  { keys: ['s'], action: 'split', press: 's', does: 'side by side where there is room, or one alone' },
  { keys: ['+', '='], action: 'deeper', press: '+', does: 'more levels' },
  { keys: ['-', '_'], action: 'shallower', press: '-', does: 'fewer levels' },
  { keys: ['g'], action: 'coarser', press: 'g', does: 'wider price steps: 2, 5, 10, … ticks' },
  { keys: ['G'], action: 'finer', press: 'G', does: 'narrower price steps' },
  { keys: ['p', ' '], action: 'pause', press: 'p', does: 'hold what is shown; again: go on' },
  { keys: ['q'], action: 'quit', press: 'q  Ctrl-C', does: 'end' },
];

/** Not told: what every terminal does by it. */
const SUSPEND = '\x1a';

/** What a key does; undefined = nothing. Arrows come in two forms, by the mode that a terminal is in. */
export function actionOf(key: string): WatchAction | undefined {
  if (key === SUSPEND) return 'suspend';
  const form = key.startsWith('\x1bO') ? `\x1b[${key.slice(2)}` : key;
  return BINDINGS.find(({ keys }) => keys.includes(form))?.action;
}

/** The keys with what they do. */
export const KEY_HELP: readonly (readonly [press: string, does: string])[] = BINDINGS.map(
  ({ press, does }) => [press, does],
);
