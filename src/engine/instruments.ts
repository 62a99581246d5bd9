import {
  type InstrumentInfo,
  type InstrumentPage as NativeInstrumentPage,
  instrumentName as nativeInstrumentName,
  instrumentPage as nativeInstrumentPage,
  venues as nativeVenues,
  type VenueInfo,
} from '#native';
import { DepthwireError } from '../errors.js';
import { guarded } from './guarded.js';

/** How an instrument's numbers are scaled; what is not given is as its venue's messages are. */
export interface InstrumentScale {
  readonly priceExponent?: number | undefined;
  readonly qtyExponent?: number | undefined;
  readonly tickSize?: number | undefined;
  readonly lotSize?: number | undefined;
}

/** How each product of each venue behaves, as the core has it. */
export function venues(): readonly VenueInfo[] {
  return guarded(() => nativeVenues());
}

/** An instrument as its venue lists it. */
export interface ListedInstrument extends Omit<InstrumentInfo, 'id'> {
  /** `unknown`, `trading`, `halted`, `auction`, `limited` or `closed`. */
  readonly status: string;
}

/** A page of a venue's list. */
export interface InstrumentPage extends Omit<NativeInstrumentPage, 'instruments'> {
  readonly instruments: readonly ListedInstrument[];
}

/** Reads the untouched answer of a product's endpoint of instruments. Throws `decode.*` for one that is none. */
export function instrumentPage(venue: string, answer: Uint8Array): InstrumentPage {
  const page = guarded(() => nativeInstrumentPage(venue, answer));
  const instruments = page.instruments.map(({ instrument: { id: _, ...listed }, status }) => ({
    ...listed,
    status,
  }));
  return { ...page, instruments };
}

/** The name of an instrument by any of the names that its venue has for it. Throws `instrument.*`. */
export function instrumentName(name: string): string {
  return guarded(() => nativeInstrumentName(name));
}

/** As `instrumentName`; undefined for what is no name. */
export function instrumentNameIfAny(name: string): string | undefined {
  try {
    return instrumentName(name);
  } catch (error) {
    if (error instanceof DepthwireError) return undefined;
    throw error;
  }
}
