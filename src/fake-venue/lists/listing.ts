/** An instrument as a venue lists it: the decimals of prices and quantities, whose last one is a step. */
export interface Listing {
  /** The venue's code of it, as subscriptions name it. */
  readonly code: string;
  readonly priceDigits: number;
  readonly qtyDigits: number;
}

/** A request for a list. */
export interface ListRequest {
  /** The core's name of the product. */
  readonly product: string;
  /** All that the product has. */
  readonly listings: readonly Listing[];
  /** Members of the address's query: `category`, `instType`. */
  readonly query: URLSearchParams;
  /** What was posted; undefined for what is no JSON. */
  readonly body: unknown;
}

/** The body of the venue's answer; undefined: the venue does not understand the request. */
export type List = (request: ListRequest) => string | undefined;

/** One step of so many decimals, as a decimal. */
export function step(digits: number): string {
  return digits === 0 ? '1' : `0.${'1'.padStart(digits, '0')}`;
}

/** What ends a code of one of these assets stands for, longest first: base and quote; the quote is empty where none fits. */
export function assets(
  code: string,
  quotes: readonly string[],
): { readonly base: string; readonly quote: string } {
  const quote = quotes.find((quote) => code.endsWith(quote) && code.length > quote.length) ?? '';
  return { base: code.slice(0, code.length - quote.length), quote };
}

const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];

/** The ms since 1970 of `25JUN27` or `260327`, at the hour at which venues let contracts end; undefined for what is no date. */
export function endOf(text: string): number | undefined {
  const [, day, month, year] = /^(\d{1,2})([A-Z]{3})(\d{2})$/.exec(text) ?? [];
  const at = MONTHS.indexOf(month ?? '');
  if (at !== -1) return Date.UTC(2000 + Number(year), at, Number(day), 8);
  const [, century, years, months, days] = /^(20)?(\d{2})(\d{2})(\d{2})$/.exec(text) ?? [];
  if (years === undefined) return undefined;
  return Date.UTC(Number(`${century ?? '20'}${years}`), Number(months) - 1, Number(days), 8);
}
