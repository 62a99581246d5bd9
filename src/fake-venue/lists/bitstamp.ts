import { assets, type List } from './listing.js';

const QUOTES = ['usdt', 'usdc', 'usd', 'eur', 'gbp', 'btc', 'eth', 'pax'];

/** "Trading pairs info": slashes are escaped. */
export const bitstamp: List = ({ listings }) => {
  const pairs = listings.map(({ code, priceDigits, qtyDigits }) => {
    const { base, quote } = assets(code, QUOTES);
    return {
      name: `${base.toUpperCase()}/${quote.toUpperCase()}`,
      url_symbol: code,
      base_decimals: qtyDigits,
      counter_decimals: priceDigits,
      instant_order_counter_decimals: priceDigits,
      minimum_order: '10.0 USD',
      trading: 'Enabled',
      instant_and_market_orders: 'Enabled',
      description: `${base.toUpperCase()} / ${quote.toUpperCase()}`,
    };
  });
  return JSON.stringify(pairs).replaceAll('/', '\\/');
};
