import { assets, type List, type Listing, step } from './listing.js';

const QUOTES = ['FDUSD', 'USDT', 'USDC', 'BUSD', 'TUSD', 'USD', 'BTC', 'ETH', 'BNB', 'EUR', 'TRY'];
/** The year 2100 stands for no end. */
const NO_END = 4_133_404_800_000;

/** `exchangeInfo` of spot. */
function pair({ code, priceDigits, qtyDigits }: Listing): unknown {
  const { base, quote } = assets(code, QUOTES);
  return {
    symbol: code,
    status: 'TRADING',
    baseAsset: base,
    baseAssetPrecision: 8,
    quoteAsset: quote,
    quotePrecision: 8,
    quoteAssetPrecision: 8,
    orderTypes: ['LIMIT', 'LIMIT_MAKER', 'MARKET'],
    isSpotTradingAllowed: true,
    isMarginTradingAllowed: false,
    filters: [
      {
        filterType: 'PRICE_FILTER',
        minPrice: step(priceDigits),
        maxPrice: '1000000',
        tickSize: step(priceDigits),
      },
      { filterType: 'LOT_SIZE', minQty: step(qtyDigits), maxQty: '9000', stepSize: step(qtyDigits) },
      { filterType: 'NOTIONAL', minNotional: '5', applyMinToMarket: true, avgPriceMins: 5 },
    ],
    permissions: [],
    permissionSets: [['SPOT']],
  };
}

/** `exchangeInfo` of USD-M and COIN-M. */
function contract(product: string, { code, priceDigits, qtyDigits }: Listing): unknown {
  const isInverse = product === 'binance-coinm';
  const [pair = code, ends] = code.split('_');
  const { base, quote } = assets(pair, QUOTES);
  const date = /^(\d\d)(\d\d)(\d\d)$/.exec(ends ?? '');
  const deliveryDate =
    date === null ? NO_END : Date.UTC(2000 + Number(date[1]), Number(date[2]) - 1, Number(date[3]), 8);
  return {
    symbol: code,
    pair,
    contractType: date === null ? 'PERPETUAL' : 'CURRENT_QUARTER',
    deliveryDate,
    onboardDate: 1_569_398_400_000,
    ...(isInverse ? { contractStatus: 'TRADING', contractSize: 100 } : { status: 'TRADING' }),
    baseAsset: base,
    quoteAsset: quote,
    marginAsset: isInverse ? base : quote,
    pricePrecision: priceDigits,
    quantityPrecision: qtyDigits,
    underlyingType: 'COIN',
    filters: [
      {
        filterType: 'PRICE_FILTER',
        minPrice: step(priceDigits),
        maxPrice: '4529764',
        tickSize: step(priceDigits),
      },
      { filterType: 'LOT_SIZE', minQty: step(qtyDigits), maxQty: '1000', stepSize: step(qtyDigits) },
      { filterType: 'MAX_NUM_ORDERS', limit: 200 },
    ],
  };
}

export const binance: List = ({ product, listings }) => {
  const isSpot = product === 'binance' || product === 'binance-us';
  return JSON.stringify({
    timezone: 'UTC',
    serverTime: Date.now(),
    rateLimits: [],
    exchangeFilters: [],
    symbols: listings.map((listing) => (isSpot ? pair(listing) : contract(product, listing))),
  });
};
