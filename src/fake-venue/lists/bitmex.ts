import { assets, type List, step } from './listing.js';

/** `instrument/active`: inverse perpetuals. */
export const bitmex: List = ({ listings }) =>
  JSON.stringify(
    listings.map(({ code, priceDigits, qtyDigits }) => {
      const { base, quote } = assets(code, ['USDT', 'USD', 'EUR']);
      return {
        symbol: code,
        rootSymbol: base,
        state: 'Open',
        typ: 'FFWCSX',
        listing: '2016-05-04T12:00:00.000Z',
        front: '2016-05-04T12:00:00.000Z',
        expiry: null,
        settle: null,
        positionCurrency: 'USD',
        underlying: base,
        quoteCurrency: quote || 'USD',
        settlCurrency: 'XBt',
        maxOrderQty: 10_000_000,
        maxPrice: 1_000_000,
        tickSize: Number(step(priceDigits)),
        lotSize: Number(step(qtyDigits)),
        multiplier: -100_000_000,
        underlyingToPositionMultiplier: null,
        underlyingToSettleMultiplier: -100_000_000,
        quoteToSettleMultiplier: null,
        isInverse: true,
        isQuanto: false,
      };
    }),
  );
