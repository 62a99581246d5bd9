// @ts-check
/**
 * Feeds as files, for readers in other languages: the frames that recordings come to, back to back in `<name>.feed`, and in
 * `<name>.json` the digests of the books that end synced. The recording that ships is always among them.
 */
import { closeSync, existsSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from './sources.mjs';

/** The recording that ships. */
const SIMULATED = path.join(root, 'examples', 'sim-btcusdt.txt.gz');

/** Frames are written so many bytes at a time. */
const BATCH_BYTES = 1 << 20;

/**
 * @typedef {object} RecordedSet
 * @property {string} name
 * @property {readonly string[]} files
 * @property {readonly { readonly name: string }[]} instruments
 */

/**
 * The recorded sets whose final books are known.
 * @param {string} folder
 * @returns {RecordedSet[]} none where there are no recordings
 */
function recordedSets(folder) {
  if (!existsSync(folder)) return [];
  const { books, finalBooks, orders } = JSON.parse(
    readFileSync(path.join(root, 'test', 'recordings.json'), 'utf8'),
  );
  return [...books, ...finalBooks, ...orders]
    .filter(({ needs }) => needs.length === 0)
    .flatMap(({ name, files, books, instrument }) => {
      /** @type {readonly string[]} */
      const names = books?.map((/** @type {{ instrument: string }} */ book) => book.instrument) ?? [
        instrument,
      ];
      // A connection is of one product, a file may hold several.
      const venues = [...new Set(names.map((each) => each.slice(0, each.indexOf(':'))))];
      return venues.map((venue) => ({
        name: `${name}-${venue}`,
        files: files.map((/** @type {string} */ file) => path.join(folder, file)),
        instruments: names.filter((each) => each.startsWith(`${venue}:`)).map((each) => ({ name: each })),
      }));
    });
}

/**
 * A file as the engine reads it: a zip archive of one file, in which nothing is packed, is undone.
 * @param {string} file
 * @param {string} into
 */
function plain(file, into) {
  if (!file.endsWith('.zip')) return file;
  const archive = readFileSync(file);
  const begin = 30 + archive.readUInt16LE(26) + archive.readUInt16LE(28);
  const inner = path.join(into, path.basename(file, '.zip'));
  writeFileSync(inner, archive.subarray(begin, begin + archive.readUInt32LE(22)));
  return inner;
}

/**
 * Writes the feeds of all sets; needs a build.
 * @param {string} into a folder
 * @param {string} recordings where recordings are, if anywhere
 */
export async function writeFeeds(into, recordings) {
  const built = pathToFileURL(path.join(root, 'dist', 'cli', 'verify.js')).href;
  const { verify } = await import(built);
  /** @type {RecordedSet[]} */
  const sets = [
    { name: 'simulated', files: [SIMULATED], instruments: [{ name: 'sim:BTCUSDT' }] },
    ...recordedSets(recordings),
  ];
  for (const { name, files, instruments } of sets) {
    const feed = openSync(path.join(into, `${name}.feed`), 'w');
    /** @type {Uint8Array[]} */
    let batch = [];
    let bytes = 0;
    const flush = () => {
      writeSync(feed, Buffer.concat(batch));
      batch = [];
      bytes = 0;
    };
    const onFrame = (/** @type {Uint8Array} */ frame) => {
      batch.push(frame.slice());
      bytes += frame.byteLength;
      if (bytes > BATCH_BYTES) flush();
    };
    try {
      const { report } = await verify({
        files: files.map((file) => plain(file, into)),
        instruments,
        strict: false,
        onFrame,
      });
      flush();
      /** @type {readonly { readonly state: string, readonly digest: string }[]} */
      const books = report.books;
      const digests = books.filter(({ state }) => state === 'synced').map(({ digest }) => digest);
      writeFileSync(path.join(into, `${name}.json`), JSON.stringify({ digests }));
    } finally {
      closeSync(feed);
    }
  }
}
