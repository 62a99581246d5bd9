import { assets, type List, type Listing, step } from './listing.js';

/** "Get Symbols List". */
function pair({ code, priceDigits, qtyDigits }: Listing): unknown {
  const [base = code, quote = 'USDT'] = code.split('-');
  return {
    symbol: code,
    name: code,
    baseCurrency: base,
    quoteCurrency: quote,
    feeCurrency: quote,
    market: quote,
    baseMinSize: step(qtyDigits),
    baseIncrement: step(qtyDigits),
    quoteIncrement: '0.000001',
    priceIncrement: step(priceDigits),
    priceLimitRate: '0.1',
    isMarginEnabled: true,
    enableTrading: true,
  };
}

/** "Get Active Contract List": perpetuals in USDT end with `USDTM`, inverse ones with `USDM`. */
function contract({ code, priceDigits }: Listing): unknown {
  const { base, quote } = assets(code.replace(/M$/, ''), ['USDT', 'USDC', 'USD']);
  const isInverse = quote === 'USD';
  return {
    symbol: code,
    rootSymbol: quote,
    type: 'FFWCSX',
    firstOpenDate: 1_585_555_200_000,
    expireDate: null,
    settleDate: null,
    baseCurrency: base,
    quoteCurrency: quote,
    settleCurrency: isInverse ? base : quote,
    maxOrderQty: 1_000_000,
    lotSize: 1,
    tickSize: Number(step(priceDigits)),
    multiplier: isInverse ? -1 : 0.001,
    isQuanto: false,
    isInverse,
    status: 'Open',
  };
}

export const kucoin: List = ({ product, listings }) =>
  JSON.stringify({ code: '200000', data: listings.map(product === 'kucoin' ? pair : contract) });
