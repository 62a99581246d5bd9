import { type List, step } from './listing.js';

/** "Get instruments" of Derivatives: `PF_` are flexible perpetuals, `PI_` inverse ones. */
export const krakenFutures: List = ({ listings }) =>
  JSON.stringify({
    result: 'success',
    instruments: listings.map(({ code, priceDigits, qtyDigits }) => {
      const base = code.slice(3, -3);
      const isFlexible = code.startsWith('PF_');
      return {
        symbol: code,
        pair: `${base}:USD`,
        type: isFlexible ? 'flexible_futures' : 'futures_inverse',
        underlying: `rr_${base.toLowerCase()}usd`,
        base,
        quote: 'USD',
        tickSize: Number(step(priceDigits)),
        contractSize: 1,
        contractValueTradePrecision: qtyDigits,
        impactMidSize: 1000,
        maxPositionSize: 75_000_000,
        openingDate: '2018-08-31T00:00:00Z',
        tradeable: true,
        postOnly: false,
        category: 'Layer 1',
        tags: [],
      };
    }),
    serverTime: new Date().toISOString(),
  });
