import { endOf, type List, type Listing, step } from './listing.js';

type Kind = 'SPOT' | 'SWAP' | 'FUTURES' | 'OPTION';

/** `BTC-USDT`, `BTC-USD-SWAP`, `BTC-USD-260327`, `BTC-USD-260327-60000-C`. */
function kindOf(code: string): Kind {
  const parts = code.split('-');
  if (parts.length === 2) return 'SPOT';
  if (parts.length === 5) return 'OPTION';
  return parts[2] === 'SWAP' ? 'SWAP' : 'FUTURES';
}

function instrument({ code, priceDigits, qtyDigits }: Listing): unknown {
  const [base = code, quote = '', ends = '', strike = '', side = ''] = code.split('-');
  const kind = kindOf(code);
  const isContract = kind !== 'SPOT';
  const isInverse = quote === 'USD';
  const isOption = kind === 'OPTION';
  return {
    alias: '',
    baseCcy: isContract ? '' : base,
    category: '1',
    ctMult: isContract ? (isOption ? '0.01' : '1') : '',
    ctType: isContract && !isOption ? (isInverse ? 'inverse' : 'linear') : '',
    ctVal: isContract ? (isOption ? '1' : isInverse ? '10' : '0.01') : '',
    ctValCcy: isContract ? (isInverse && !isOption ? 'USD' : base) : '',
    expTime: String(endOf(ends) ?? ''),
    instFamily: isContract ? `${base}-${quote}` : '',
    instId: code,
    instType: kind,
    lever: isOption ? '' : '10',
    listTime: '1606468572000',
    lotSz: step(qtyDigits),
    minSz: step(qtyDigits),
    optType: side,
    quoteCcy: isContract ? '' : quote,
    ruleType: 'normal',
    settleCcy: isContract ? (isInverse ? base : quote) : '',
    state: 'live',
    stk: strike,
    tickSz: step(priceDigits),
    uly: isContract ? `${base}-${quote}` : '',
  };
}

/** "Get instruments": of one kind, of options those of one family. */
export const okx: List = ({ listings, query }) => {
  const [kind, family] = [query.get('instType'), query.get('instFamily')];
  const data = listings
    .filter(({ code }) => kindOf(code) === kind && (family === null || code.startsWith(`${family}-`)))
    .map(instrument);
  return JSON.stringify({ code: '0', msg: '', data });
};
