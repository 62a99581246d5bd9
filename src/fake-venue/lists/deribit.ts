import { endOf, type List, type Listing, step } from './listing.js';

/** Perpetuals end in the year 3000. */
const NO_END = 32_503_708_800_000;

/** `BTC-PERPETUAL`, `BTC-25JUN27`, `BTC-27MAR26-100000-C`; with `_USDC` behind the coin what is settled in it. */
function instrument({ code, priceDigits, qtyDigits }: Listing): unknown {
  const [names = code, ends = '', strike, side] = code.split('-');
  const [base = names, linear] = names.split('_');
  const isOption = strike !== undefined;
  const end = endOf(ends);
  return {
    instrument_name: code,
    kind: isOption ? 'option' : end === undefined && ends !== 'PERPETUAL' ? 'spot' : 'future',
    settlement_period: end === undefined ? 'perpetual' : 'month',
    ...(isOption ? { option_type: side === 'C' ? 'call' : 'put', strike: Number(strike) } : {}),
    base_currency: base,
    counter_currency: linear ?? 'USD',
    quote_currency: linear ?? (isOption ? base : 'USD'),
    settlement_currency: linear ?? base,
    instrument_type: linear === undefined ? 'reversed' : 'linear',
    price_index: `${base}_${linear ?? 'USD'}`.toLowerCase(),
    tick_size: Number(step(priceDigits)),
    tick_size_steps: [],
    min_trade_amount: Number(step(qtyDigits)),
    contract_size: Number(step(qtyDigits)),
    creation_timestamp: 1_534_242_287_000,
    expiration_timestamp: end ?? NO_END,
    is_active: true,
    state: 'open',
  };
}

/** `public/get_instruments`. */
export const deribit: List = ({ listings }) => {
  const now = Date.now() * 1000;
  const result = listings.map(instrument);
  return JSON.stringify({ jsonrpc: '2.0', result, usIn: now, usOut: now, usDiff: 0, testnet: false });
};
