import { BINANCE } from './binance.js';
import { BITFINEX } from './bitfinex.js';
import { BITGET } from './bitget.js';
import { BITMEX } from './bitmex.js';
import { BITSTAMP } from './bitstamp.js';
import { BYBIT } from './bybit.js';
import { COINBASE } from './coinbase.js';
import { DERIBIT } from './deribit.js';
import type { ProductFacts, VenueFacts } from './facts.js';
import { GATEIO } from './gateio.js';
import { HYPERLIQUID } from './hyperliquid.js';
import { KRAKEN } from './kraken.js';
import { KRAKEN_FUTURES } from './kraken-futures.js';
import { KUCOIN } from './kucoin.js';
import { LIGHTER } from './lighter.js';
import { OKX } from './okx.js';
import { DATABENTO, NASDAQ, SIM } from './recorded.js';

/** Every venue of the core has one entry that names it, and no entry names another. */
export const VENUE_FACTS: readonly VenueFacts[] = [
  BINANCE,
  SIM,
  NASDAQ,
  DATABENTO,
  KRAKEN,
  BYBIT,
  BITFINEX,
  COINBASE,
  DERIBIT,
  LIGHTER,
  HYPERLIQUID,
  OKX,
  GATEIO,
  BITSTAMP,
  KRAKEN_FUTURES,
  BITGET,
  BITMEX,
  KUCOIN,
];

/** The facts of a product by the core's name of it. */
export function productFacts(
  name: string,
): { readonly facts: VenueFacts; readonly product: ProductFacts } | undefined {
  for (const facts of VENUE_FACTS) {
    const product = facts.products.find((product) => product.name === name);
    if (product !== undefined) return { facts, product };
  }
  return undefined;
}
