import { assets, endOf, type List, type Listing, step } from './listing.js';

/** `PERP` is what perpetuals in USDC end with. */
const QUOTES = ['USDT', 'USDC', 'PERP', 'USD', 'EUR', 'BTC'];

/** "Get Symbol Info". */
function pair({ code, priceDigits, qtyDigits }: Listing): unknown {
  const { base, quote } = assets(code, QUOTES);
  return {
    symbol: code,
    baseCoin: base,
    quoteCoin: quote,
    minTradeAmount: '0',
    maxTradeAmount: '900000000000000000000',
    takerFeeRate: '0.002',
    makerFeeRate: '0.002',
    pricePrecision: String(priceDigits),
    quantityPrecision: String(qtyDigits),
    quotePrecision: '8',
    status: 'online',
    minTradeUSDT: '1',
  };
}

/** "Get Contract Config". */
function contract({ code, priceDigits, qtyDigits }: Listing): unknown {
  const { base, quote } = assets(code, QUOTES);
  const end = /^(.+)USD([A-Z]\d\d)$/.exec(code);
  return {
    symbol: code,
    baseCoin: end?.[1] ?? base,
    quoteCoin: quote === 'PERP' ? 'USDC' : quote || 'USD',
    minTradeNum: step(qtyDigits),
    priceEndStep: '1',
    volumePlace: String(qtyDigits),
    pricePlace: String(priceDigits),
    sizeMultiplier: step(qtyDigits),
    symbolType: end === null ? 'perpetual' : 'delivery',
    symbolStatus: 'normal',
    deliveryTime: end === null ? '' : String(endOf('25DEC26') ?? ''),
    maxLever: '125',
  };
}

export const bitget: List = ({ product, listings }) =>
  JSON.stringify({
    code: '00000',
    msg: 'success',
    requestTime: Date.now(),
    data: listings.map(product === 'bitget' ? pair : contract),
  });
