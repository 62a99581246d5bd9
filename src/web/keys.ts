/** Where the keyboard's focus is: the arrows mean the thing that has it. */
export type KeyPlace = 'list' | 'ladder' | 'elsewhere' | 'field';

export type Command =
  | { readonly kind: 'list-move'; readonly by: number }
  | { readonly kind: 'ladder-move'; readonly by: number }
  | { readonly kind: 'ladder-page'; readonly by: number }
  | { readonly kind: 'ladder-clear' }
  | { readonly kind: 'group'; readonly by: number }
  | { readonly kind: 'follow' }
  | { readonly kind: 'theme' }
  | { readonly kind: 'heatmap' }
  | { readonly kind: 'orders' }
  | { readonly kind: 'chain' }
  | { readonly kind: 'signals' }
  | { readonly kind: 'copy' }
  | { readonly kind: 'pause' }
  | { readonly kind: 'help' };

export interface KeyPress {
  readonly key: string;
  /** Any of control, alt or meta: such keys belong to the browser. */
  readonly modified: boolean;
  readonly place: KeyPlace;
}

/** The keys as the help dialog lists them. */
export const KEY_HELP: readonly (readonly [keys: string, meaning: string])[] = [
  [
    '↑ ↓ or k j',
    'Move in the list or the ladder, whichever has the focus; elsewhere k j choose the instrument',
  ],
  ['PgUp PgDn', 'Scroll the ladder by a screen'],
  ['[ ] or − +', 'Finer or coarser price grouping'],
  ['f or Home', 'Follow the best prices'],
  ['Esc', 'Leave the chosen ladder row'],
  [
    'h',
    'Open or close the depth over time; in it the arrows move a cursor, Space pauses, PgUp PgDn scroll, End goes live',
  ],
  [
    'x',
    'Open or close the chain of the options; in it the arrows choose one, Enter opens it, [ ] the expiry',
  ],
  ['o', 'Show or hide the orders at the chosen ladder row, in the order in which they are filled'],
  ['s', 'Show or hide the signals of the selected instrument'],
  ['c', 'Copy the chosen ladder row exactly, or all rows in view'],
  [
    'Ctrl c',
    'Copy what is selected, in the ladder and the trades with all digits; without a selection the part that has the focus',
  ],
  ['p', 'Pause a replay, or go on'],
  ['t', 'Dark or light'],
  ['?', 'This help'],
];

/** The command of a key press, or null when the key is not ours. */
export function commandFor({ key, modified, place }: KeyPress): Command | null {
  if (modified || place === 'field') return null;
  switch (key) {
    case '[':
    case '-':
      return { kind: 'group', by: -1 };
    case ']':
    case '+':
    case '=':
      return { kind: 'group', by: 1 };
    case 'f':
      return { kind: 'follow' };
    case 'p':
      return { kind: 'pause' };
    case 't':
      return { kind: 'theme' };
    case 'o':
      return { kind: 'orders' };
    case 'x':
      return { kind: 'chain' };
    case 's':
      return { kind: 'signals' };
    case 'c':
      return { kind: 'copy' };
    case 'h':
      return { kind: 'heatmap' };
    case '?':
      return { kind: 'help' };
    case 'j':
    case 'k':
      return moveIn(place === 'ladder' ? 'ladder' : 'list', key === 'j' ? 1 : -1);
    case 'ArrowDown':
    case 'ArrowUp':
      return place === 'elsewhere' ? null : moveIn(place, key === 'ArrowDown' ? 1 : -1);
    default:
      return place === 'ladder' ? ladderCommand(key) : null;
  }
}

function moveIn(place: 'list' | 'ladder', by: number): Command {
  return place === 'ladder' ? { kind: 'ladder-move', by } : { kind: 'list-move', by };
}

function ladderCommand(key: string): Command | null {
  switch (key) {
    case 'PageDown':
      return { kind: 'ladder-page', by: 1 };
    case 'PageUp':
      return { kind: 'ladder-page', by: -1 };
    case 'Home':
      return { kind: 'follow' };
    case 'Escape':
      return { kind: 'ladder-clear' };
    default:
      return null;
  }
}
