import { SERVER_REASONS, STATE } from '../wire/generated/constants.js';

/**
 * A column of an export. In Parquet and Arrow a decimal is its mantissa, and the exponent of ten stands in a column of its own; as
 * text it is the decimal with all its digits.
 */
export type Column =
  /** A 64-bit integer. */
  | { readonly kind: 'integer'; readonly name: string; readonly isNullable: boolean }
  /** A number at the exponent of its scale: an instrument's prices, its quantities, or always 10^-9. Absent where there is none. */
  | { readonly kind: 'decimal'; readonly name: string; readonly scale: Scale }
  /** A number of any size, with an exponent of its own in each row; the nearest double where a decimal is a mantissa. */
  | { readonly kind: 'number'; readonly name: string }
  /** The exponent that decimals of a scale have in this row. */
  | { readonly kind: 'exponent'; readonly name: string; readonly scale: 'price' | 'quantity' }
  /** One of a few words. */
  | {
      readonly kind: 'word';
      readonly name: string;
      readonly words: readonly string[];
      readonly isNullable: boolean;
    }
  /** Any text, absent where it is empty. */
  | { readonly kind: 'text'; readonly name: string };

export type Scale = 'price' | 'quantity' | 'e9';

/** A version with each change of the columns that a reader has to know of. */
export interface Schema {
  /** As `levels/1`: stands in the metadata of Parquet and Arrow under `depthwire.schema`. */
  readonly name: string;
  readonly columns: readonly Column[];
}

/** The key of a schema's name in the metadata of a file. */
export const SCHEMA_KEY = 'depthwire.schema';

export const integer = (name: string, isNullable = false): Column => ({ kind: 'integer', name, isNullable });
export const decimal = (name: string, scale: Scale): Column => ({ kind: 'decimal', name, scale });
export const word = (name: string, words: readonly string[], isNullable = false): Column => ({
  kind: 'word',
  name,
  words,
  isNullable,
});

export const EXPONENTS: readonly Column[] = [
  { kind: 'exponent', name: 'price_exponent', scale: 'price' },
  { kind: 'exponent', name: 'quantity_exponent', scale: 'quantity' },
];

export const SIDES = ['bid', 'ask'] as const;
/** Words of states by their numbers; the first is of none. */
export const STATES = ['unknown', 'syncing', 'synced', 'stale'] as const;
/** A number that this version has no word for is `unknown`. */
export const REASONS: readonly string[] = [...SERVER_REASONS, 'unknown'];

/** Of which instrument a row is, when, and at which place of its stream. */
export function placeColumns(instruments: readonly string[]): readonly Column[] {
  return [
    word('instrument', instruments),
    integer('ts_event_ns'),
    integer('ts_received_ns'),
    integer('epoch'),
    integer('sequence'),
    integer('venue_sequence'),
  ];
}

/** Whether what a row says may be trusted. */
export const TRUST: readonly Column[] = [word('state', STATES), word('reason', REASONS)];

/** What a column is called where a decimal is a mantissa. */
export function columnarName(column: Column): string {
  if (column.kind !== 'decimal') return column.name;
  return column.scale === 'e9' ? `${column.name}_e9` : `${column.name}_mantissa`;
}

// The states' numbers are places among their words.
STATES[STATE.synced] satisfies 'synced';
STATES[STATE.stale] satisfies 'stale';
