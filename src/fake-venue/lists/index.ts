import { binance } from './binance.js';
import { bitfinex } from './bitfinex.js';
import { bitget } from './bitget.js';
import { bitmex } from './bitmex.js';
import { bitstamp } from './bitstamp.js';
import { bybit } from './bybit.js';
import { coinbase } from './coinbase.js';
import { deribit } from './deribit.js';
import { gateio } from './gateio.js';
import { hyperliquid } from './hyperliquid.js';
import { kraken } from './kraken.js';
import { krakenFutures } from './kraken-futures.js';
import { kucoin } from './kucoin.js';
import { lighter } from './lighter.js';
import type { List } from './listing.js';
import { okx } from './okx.js';

/** By the beginnings of products' names. */
const LISTS: Readonly<Record<string, List>> = {
  binance,
  bitfinex,
  bitget,
  bitmex,
  bitstamp,
  bybit,
  coinbase,
  deribit,
  gateio,
  hyperliquid,
  kraken,
  'kraken-futures': krakenFutures,
  kucoin,
  lighter,
  okx,
};

/** How a product's venue lists its instruments. */
export function listOf(product: string): List | undefined {
  return LISTS[product] ?? LISTS[product.split('-')[0] ?? ''];
}
