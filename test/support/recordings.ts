import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Where recorded market data lies, if it is there at all. */
export const DATA_FOLDER =
  process.env.DEPTHWIRE_DATA ?? join(dirname(ROOT.replace(/\/$/, '')), 'shared/data');

const FOLDER = join(DATA_FOLDER, 'binance');

/** Whether tests over recordings can run. Where the folder exists, a file that lacks fails its test. */
export const hasRecordings = existsSync(FOLDER);

/** For the name of a test that may skip. */
export const RECORDED = `(skips only where ${FOLDER} is absent)`;

/** A recording of one instrument and what an independent checker, in another language, found in it. */
export interface RecordedSet {
  readonly title: string;
  readonly files: readonly string[];
  readonly instrument: string;
  readonly frames: number;
  readonly bookMessages: number;
  readonly applied: number;
  readonly levelChanges: number;
  readonly appliedLevelChanges: number;
  readonly trades: number;
  /** Comparisons with the venue's own top of book; all agree. */
  readonly tops: number;
  readonly bids: number;
  readonly asks: number;
  readonly bestBid: string;
  readonly bestAsk: string;
  /** SHA-256 over the last book's levels. */
  readonly digest: string;
}

/** The Binance collector sets: one snapshot each, no gap, never crossed. */
export const RECORDED_SETS: readonly RecordedSet[] = [
  {
    title: 'Binance spot BTCUSDT, 2024-08-08 and 09',
    files: [join(FOLDER, 'spot_btcusdt_20240808.gz'), join(FOLDER, 'spot_btcusdt_20240809.gz')],
    instrument: 'binance:BTCUSDT',
    frames: 99_574,
    bookMessages: 6495,
    applied: 6493,
    levelChanges: 298_111,
    appliedLevelChanges: 298_094,
    trades: 19_904,
    tops: 1072,
    bids: 1971,
    asks: 2962,
    bestBid: '61602.01',
    bestAsk: '61602.02',
    digest: 'b5e5894024db0c062a92a1a28242f425f81c5b0f3299935c9045fabda1d69e22',
  },
  {
    title: 'Binance COIN-M BTCUSD_PERP, 2024-08-08 and 09',
    files: [join(FOLDER, 'cm_btcusd_perp_20240808.gz'), join(FOLDER, 'cm_btcusd_perp_20240809.gz')],
    instrument: 'binance-coinm:BTCUSD_PERP',
    frames: 98_386,
    bookMessages: 44_795,
    applied: 44_772,
    levelChanges: 659_671,
    appliedLevelChanges: 659_405,
    trades: 5235,
    tops: 1885,
    bids: 1510,
    asks: 1733,
    bestBid: '61600',
    bestAsk: '61600.1',
    digest: '0237f76446eea7196deba1f7d45c950da450db155ea590eefe6130c11af90566',
  },
  {
    title: 'Binance USD-M BTCUSDT, 2024-08-08',
    files: [join(FOLDER, 'usdm_btcusdt_20240808.gz')],
    instrument: 'binance-usdm:BTCUSDT',
    frames: 93_954,
    bookMessages: 6551,
    applied: 6547,
    levelChanges: 443_521,
    appliedLevelChanges: 443_262,
    trades: 21_313,
    tops: 629,
    bids: 5018,
    asks: 4578,
    bestBid: '61659.7',
    bestAsk: '61659.8',
    digest: '2d3ba588cdaf814fdfd4e0bbc9e6ca56c9f2666a8b683f6314d1c28eb51ffb9e',
  },
  {
    title: 'Binance USD-M ETHUSDT, 2024-07-18 and 19',
    files: [join(FOLDER, 'usdm_ethusdt_20240718.gz'), join(FOLDER, 'usdm_ethusdt_20240719.gz')],
    instrument: 'binance-usdm:ETHUSDT',
    frames: 69_913,
    bookMessages: 8929,
    applied: 8924,
    levelChanges: 355_138,
    appliedLevelChanges: 354_944,
    trades: 13_655,
    tops: 834,
    bids: 4685,
    asks: 4357,
    bestBid: '3418.62',
    bestAsk: '3418.63',
    digest: '8f12e85c3ab3156a9067197dcc238af2981ac2ee296867cf16248b655e5f8196',
  },
];
