import { assets, endOf, type List, type Listing, step } from './listing.js';

const QUOTES = ['USDT', 'USDC', 'USD', 'EUR', 'BTC', 'ETH'];

function pair({ code, priceDigits, qtyDigits }: Listing): unknown {
  const { base, quote } = assets(code, QUOTES);
  return {
    symbol: code,
    baseCoin: base,
    quoteCoin: quote,
    innovation: '0',
    status: 'Trading',
    marginTrading: 'both',
    lotSizeFilter: { basePrecision: step(qtyDigits), quotePrecision: '0.0000001', minOrderAmt: '5' },
    priceFilter: { tickSize: step(priceDigits) },
  };
}

/** A code with a date behind a hyphen is a future. */
function contract(category: string, { code, priceDigits, qtyDigits }: Listing): unknown {
  const [pair = code, ends] = code.split('-');
  const { base, quote } = assets(pair, QUOTES);
  const kind = category === 'inverse' ? 'Inverse' : 'Linear';
  const end = ends === undefined ? undefined : endOf(ends);
  return {
    symbol: code,
    contractType: `${kind}${end === undefined ? 'Perpetual' : 'Futures'}`,
    status: 'Trading',
    baseCoin: base,
    quoteCoin: quote,
    launchTime: '1585526400000',
    deliveryTime: String(end ?? 0),
    priceScale: String(priceDigits),
    leverageFilter: { minLeverage: '1', maxLeverage: '100.00', leverageStep: '0.01' },
    priceFilter: { minPrice: step(priceDigits), maxPrice: '1999999.80', tickSize: step(priceDigits) },
    lotSizeFilter: { maxOrderQty: '1190', minOrderQty: step(qtyDigits), qtyStep: step(qtyDigits) },
    settleCoin: category === 'inverse' ? base : quote,
  };
}

/** `BTC-27MAR26-100000-C-USDT`. */
function option({ code, priceDigits, qtyDigits }: Listing): unknown {
  const [base = code, ends = '', , side, settle = 'USDC'] = code.split('-');
  return {
    symbol: code,
    status: 'Trading',
    baseCoin: base,
    quoteCoin: settle,
    settleCoin: settle,
    optionsType: side === 'C' ? 'Call' : 'Put',
    launchTime: '1700005000000',
    deliveryTime: String(endOf(ends) ?? 0),
    deliveryFeeRate: '0.00015',
    priceFilter: { minPrice: step(priceDigits), maxPrice: '10000000', tickSize: step(priceDigits) },
    lotSizeFilter: { maxOrderQty: '500', minOrderQty: step(qtyDigits), qtyStep: step(qtyDigits) },
  };
}

/** "Get Instruments Info"; of options those of one coin, in one page. */
export const bybit: List = ({ listings, query }) => {
  const category = query.get('category') ?? '';
  const coin = query.get('baseCoin');
  const of = coin === null ? listings : listings.filter(({ code }) => code.startsWith(`${coin}-`));
  const list = of.map((listing) => {
    if (category === 'spot') return pair(listing);
    return category === 'option' ? option(listing) : contract(category, listing);
  });
  const result = { category, list, nextPageCursor: '' };
  return JSON.stringify({ retCode: 0, retMsg: 'OK', result, retExtInfo: {}, time: Date.now() });
};
