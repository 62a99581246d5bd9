import { BINANCE } from './binance.js';
import type { VenueFacts } from './facts.js';
import { KRAKEN } from './kraken.js';
import { DATABENTO, NASDAQ, SIM } from './recorded.js';

/** Every venue of the core has one entry that names it, and no entry names another. */
export const VENUE_FACTS: readonly VenueFacts[] = [BINANCE, SIM, NASDAQ, DATABENTO, KRAKEN];
