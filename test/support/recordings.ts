import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RECORDINGS, type Recordings } from './recordings-file.js';

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
export type RecordedSet = Recordings['books'][number];

/** Where files of a set lie. */
const filesOf = (files: readonly string[]): string[] => files.map((file) => join(DATA_FOLDER, file));

/** The Binance collector sets: one snapshot each, no gap, never crossed. */
export const RECORDED_SETS: readonly RecordedSet[] = RECORDINGS.books.map((set) => ({
  ...set,
  files: filesOf(set.files),
}));

/** ES futures of a day, order by order. */
export const RECORDED_ORDERS: readonly Recordings['orders'][number][] = RECORDINGS.orders.map((set) => ({
  ...set,
  files: filesOf(set.files),
}));
