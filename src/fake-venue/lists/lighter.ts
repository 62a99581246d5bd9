import type { List, Listing } from './listing.js';

/** Symbols of the markets whose numbers everybody knows. */
const SYMBOLS: Readonly<Record<string, string>> = { 0: 'ETH', 1: 'BTC' };
/** From this number on markets are of spot. */
const FIRST_SPOT = 2048;

function market({ code, priceDigits, qtyDigits }: Listing): unknown {
  const isSpot = Number(code) >= FIRST_SPOT;
  return {
    symbol: isSpot ? `Q${code}/USDC` : (SYMBOLS[code] ?? `Q${code}`),
    market_id: Number(code),
    market_type: isSpot ? 'spot' : 'perp',
    status: 'active',
    taker_fee: '0.0000',
    maker_fee: '0.0000',
    min_base_amount: '0.00020',
    min_quote_amount: '10.000000',
    size_decimals: qtyDigits,
    price_decimals: priceDigits,
    supported_size_decimals: qtyDigits,
    supported_price_decimals: priceDigits,
    supported_quote_decimals: 6,
  };
}

/** `orderBookDetails`: markets have numbers on the wire. */
export const lighter: List = ({ listings }) => {
  const is = (isSpot: boolean): readonly unknown[] =>
    listings.filter(({ code }) => Number(code) >= FIRST_SPOT === isSpot).map(market);
  return JSON.stringify({ code: 200, order_book_details: is(false), spot_order_book_details: is(true) });
};
