// @ts-check
/**
 * What happens to a server while it is under load: played by this process, which is neither the server nor the load.
 *
 * @typedef {{ kind: keyof typeof KINDS, what?: string, everyMs?: number }} Beside
 *
 * What was found.
 * @typedef {object} Found
 * @property {readonly string[]} wrong answers that were not as they have to be; one of them fails the row
 * @property {number} [scrapesPerSecond]
 * @property {number} [waitingBytes] for the slow reader, at most
 * @property {number} [booksDiffer] of the slow reader, in the end
 * @property {number} [fellBehind] how often the slow reader was told that it is behind
 * @property {number} [rotations]
 * @property {number} [attempts]
 * @property {Readonly<Record<string, number>>} [outcomes]
 */
import { abuse } from './abuse.mjs';
import { rotation } from './rotation.mjs';
import { scraper } from './scraper.mjs';
import { slowReader } from './slow-reader.mjs';

const KINDS = { abuse, rotation, scraper, slowReader };

/** Begins; the function that comes back ends it and says what was found. @param {import('./rig.mjs').Server} server @param {Beside} beside @returns {Promise<() => Promise<Found>>} */
export function begin(server, beside) {
  return KINDS[beside.kind](server, beside);
}
