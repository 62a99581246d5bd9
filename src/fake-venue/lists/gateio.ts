import { endOf, type List, type Listing, step } from './listing.js';

/** "List all currency pairs supported". */
function pair({ code, priceDigits, qtyDigits }: Listing): unknown {
  const [base = code, quote = ''] = code.split('_');
  return {
    id: code,
    base,
    base_name: base,
    quote,
    quote_name: quote,
    fee: '0.2',
    min_quote_amount: '3',
    amount_precision: qtyDigits,
    precision: priceDigits,
    trade_status: 'tradable',
    sell_start: 0,
    buy_start: 0,
    type: 'normal',
  };
}

/** "List all futures contracts", and of deliveries, whose codes end with their date; quantities are contracts. */
function contract({ code, priceDigits }: Listing): unknown {
  const end = endOf(code.split('_')[2] ?? '');
  return {
    name: code,
    type: 'direct',
    quanto_multiplier: '0.0001',
    mark_type: 'index',
    order_price_round: step(priceDigits),
    mark_price_round: '0.01',
    order_size_min: 1,
    order_size_max: 1_000_000,
    in_delisting: false,
    ...(end === undefined ? {} : { expire_time: end / 1000, cycle: 'QUARTERLY' }),
  };
}

export const gateio: List = ({ product, listings }) =>
  JSON.stringify(listings.map(product === 'gateio' ? pair : contract));
