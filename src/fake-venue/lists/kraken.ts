import { type List, step } from './listing.js';

/** Assets by the names that version 2 of the sockets has not. */
const OLDER: Readonly<Record<string, string>> = { BTC: 'XBT', DOGE: 'XDG' };

/** "Get Tradable Asset Pairs": `wsname` is the pair's name in version 1. */
export const kraken: List = ({ listings }) =>
  JSON.stringify({
    error: [],
    result: Object.fromEntries(
      listings.map(({ code, priceDigits, qtyDigits }) => {
        const [base = code, quote = ''] = code.split('/').map((asset) => OLDER[asset] ?? asset);
        return [
          `${base}${quote}`,
          {
            altname: `${base}${quote}`,
            wsname: `${base}/${quote}`,
            aclass_base: 'currency',
            base,
            aclass_quote: 'currency',
            quote,
            lot: 'unit',
            cost_decimals: 5,
            pair_decimals: priceDigits,
            lot_decimals: qtyDigits,
            lot_multiplier: 1,
            ordermin: step(qtyDigits),
            costmin: '0.5',
            tick_size: step(priceDigits),
            status: 'online',
          },
        ];
      }),
    ),
  });
