import type { List } from './listing.js';

/** Spot pairs are `PURR/USDC` or, but for a few, `@1`. */
function isSpot(code: string): boolean {
  return code.includes('/') || code.startsWith('@');
}

/**
 * `{"type":"meta"}`: perpetuals; `{"type":"spotMeta"}`: pairs, and the tokens that they are of. A quantity has `szDecimals`; a price's
 * decimals follow from that and from its figures.
 */
export const hyperliquid: List = ({ listings, body }) => {
  const type =
    typeof body === 'object' && body !== null ? (body as { readonly type?: unknown }).type : undefined;
  const of = listings.filter(({ code }) => isSpot(code) === (type === 'spotMeta'));
  if (type === 'meta') {
    const universe = of.map(({ code, qtyDigits }) => ({
      name: code,
      szDecimals: qtyDigits,
      maxLeverage: 40,
      marginTableId: 56,
    }));
    return JSON.stringify({ universe, marginTables: [], collateralToken: 0 });
  }
  if (type !== 'spotMeta') return undefined;
  const token = (name: string, szDecimals: number, index: number): unknown => ({
    name,
    szDecimals,
    weiDecimals: 8,
    index,
    tokenId: `0x${index.toString(16).padStart(32, '0')}`,
    isCanonical: false,
    evmContract: null,
    fullName: null,
  });
  const tokens = of.map(({ code, qtyDigits }, at) =>
    token(code.split('/')[0]?.replace('@', 'Q') ?? code, qtyDigits, at + 1),
  );
  const universe = of.map(({ code }, index) => ({
    tokens: [index + 1, 0],
    name: code,
    index,
    isCanonical: !code.startsWith('@'),
  }));
  return JSON.stringify({ universe, tokens: [token('USDC', 8, 0), ...tokens] });
};
