import type { InstrumentFacts } from './instrument-view.js';

/** An instrument of GET /v1/instruments with the age of its last input. */
export interface CatalogueEntry {
  readonly facts: InstrumentFacts;
  /** Time since the venue's last input, ms; NaN = none yet. */
  readonly ageMs: number;
}

/** Reads an answer of GET /v1/instruments; entries that are not understood are left out. */
export function parseCatalogue(value: unknown): readonly CatalogueEntry[] {
  const list = isRecord(value) ? value.instruments : undefined;
  if (!Array.isArray(list)) return [];
  return list.flatMap((entry: unknown) => {
    const parsed = isRecord(entry) ? parseEntry(entry) : null;
    return parsed === null ? [] : [parsed];
  });
}

/** Whether an answer of GET /v1/instruments says that the books are of a recording. */
export function isOfRecording(value: unknown): boolean {
  return isRecord(value) && value.replay === true;
}

function parseEntry(entry: Record<string, unknown>): CatalogueEntry | null {
  const { name, priceExponent, qtyExponent, tickSize, ageMs } = entry;
  if (typeof name !== 'string' || !Number.isInteger(priceExponent) || !Number.isInteger(qtyExponent))
    return null;
  const colon = name.indexOf(':');
  return {
    facts: {
      name,
      venue: name.slice(0, Math.max(0, colon)),
      symbol: name.slice(colon + 1),
      priceExponent: Number(priceExponent),
      qtyExponent: Number(qtyExponent),
      tickSize: Number.isSafeInteger(tickSize) ? Number(tickSize) : 0,
      contractSize: typeof entry.contractSize === 'number' && entry.contractSize > 0 ? entry.contractSize : 1,
      inverse: entry.inverse === true,
      members: membersOf(entry.members),
      base: typeof entry.base === 'string' ? entry.base : '',
      ...optionOf(entry),
    },
    ageMs: typeof ageMs === 'number' ? ageMs : Number.NaN,
  };
}

/** The terms of an option; nothing of what is none, or whose end or strike is not known. */
function optionOf({ expiryMs, strike, isCall }: Record<string, unknown>): Pick<InstrumentFacts, 'option'> {
  if (typeof expiryMs !== 'number' || !(expiryMs > 0) || typeof strike !== 'string') return {};
  return { option: { expiryMs, strike, isCall: isCall === true } };
}

/** The names of what a consolidated book is made of; none of any other. */
function membersOf(value: unknown): readonly string[] {
  if (!Array.isArray(value)) return [];
  return value.map((member: unknown) => (isRecord(member) ? String(member.instrument) : ''));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
