import { type List, type Listing, step } from './listing.js';

function advanced({ code, priceDigits, qtyDigits }: Listing): unknown {
  const [base = code, quote = 'USD'] = code.split('-');
  return {
    product_id: code,
    price: '1',
    base_increment: step(qtyDigits),
    quote_increment: step(priceDigits),
    price_increment: step(priceDigits),
    quote_min_size: '1',
    base_min_size: step(qtyDigits),
    base_name: base,
    quote_name: quote,
    base_currency_id: base,
    quote_currency_id: quote,
    base_display_symbol: base,
    quote_display_symbol: quote,
    status: 'online',
    product_type: 'SPOT',
    is_disabled: false,
    cancel_only: false,
    limit_only: false,
    post_only: false,
    trading_disabled: false,
    auction_mode: false,
    view_only: false,
    alias: '',
    alias_to: [],
    future_product_details: null,
  };
}

function exchange({ code, priceDigits, qtyDigits }: Listing): unknown {
  const [base = code, quote = 'USD'] = code.split('-');
  return {
    id: code,
    base_currency: base,
    quote_currency: quote,
    quote_increment: step(priceDigits),
    base_increment: step(qtyDigits),
    display_name: `${base}-${quote}`,
    min_market_funds: '1',
    margin_enabled: false,
    post_only: false,
    limit_only: false,
    cancel_only: false,
    status: 'online',
    status_message: '',
    trading_disabled: false,
    fx_stablecoin: false,
    auction_mode: false,
  };
}

/** "List Public Products" of Advanced Trade, "Get all known trading pairs" of Exchange. */
export const coinbase: List = ({ product, listings }) =>
  product === 'coinbase'
    ? JSON.stringify({ products: listings.map(advanced), num_products: listings.length })
    : JSON.stringify(listings.map(exchange));
