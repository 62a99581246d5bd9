// @ts-check
/**
 * The recording that the page is measured on: twenty books of one venue and some 1,700 messages a second at their own pace.
 * No recording at hand holds so many busy books, so one is told under several names: BTCUSDT of Binance's USD-M futures as
 * it was recorded, and ETHUSDT nineteen times, each a little later than the one before.
 */
import { createWriteStream, readFileSync } from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { gunzipSync } from 'node:zlib';

const LEADER = { file: 'binance/usdm_btcusdt_20240808.gz', symbol: 'BTCUSDT' };
const COPIED = { file: 'binance/usdm_ethusdt_20240718.gz', symbol: 'ETHUSDT' };
const COPIES = 19;
const LATER_S = 0.3;
const START_S = 1_723_161_255;
const FEED = 'wss://fstream.binance.com/stream';
const SNAPSHOTS = 'https://fapi.binance.com/fapi/v1/depth';

/** The instrument with most messages. */
export const BUSIEST = `binance-usdm:${LEADER.symbol}`;

/** The recordings that it is made of. @param {string} folder @returns {string[]} */
export function sourcesOf(folder) {
  return [LEADER, COPIED].map(({ file }) => path.join(folder, file));
}

/**
 * What a collector has written: seconds since its first line, and the message. @param {string} file
 * @returns {{ readonly atS: number, readonly text: string }[]}
 */
function messagesOf(file) {
  const lines = gunzipSync(readFileSync(file)).toString().split('\n').filter(Boolean);
  let firstNs = 0n;
  return lines.map((line) => {
    const space = line.indexOf(' ');
    const ns = BigInt(line.slice(0, space));
    firstNs ||= ns;
    return { atS: Number(ns - firstNs) / 1e9, text: line.slice(space + 1) };
  });
}

/**
 * Writes it as a capture, as long as the shorter of both recordings.
 * @param {string} folder of the recordings
 * @param {string} into a file
 */
export async function writeRecording(folder, into) {
  const [leader = [], copied = []] = sourcesOf(folder).map(messagesOf);
  const endS = copied.at(-1)?.atS ?? 0;
  const told = leader.map(({ atS, text }) => ({ atS, text, symbol: LEADER.symbol }));
  for (let copy = 0; copy < COPIES; copy += 1) {
    const symbol = `ETH${copy + 1}USDT`;
    const lower = symbol.toLowerCase();
    for (const { atS, text } of copied) {
      const renamed = text.replace('"ethusdt@', `"${lower}@`).replace('"s":"ETHUSDT"', `"s":"${symbol}"`);
      told.push({ atS: atS + copy * LATER_S, text: renamed, symbol });
    }
  }
  told.sort((a, b) => a.atS - b.atS);
  await pipeline(function* () {
    yield `${FEED} <-> ${START_S}.0\n`;
    for (const { atS, text, symbol } of told) {
      if (atS > endS) return;
      // A snapshot does not name its instrument: the address that was asked does.
      const from = text.startsWith('{"lastUpdateId"') ? `${SNAPSHOTS}?symbol=${symbol}&limit=1000 -> ` : '';
      yield `${from}${(START_S + atS).toFixed(6)}: ${text}\n`;
    }
  }, createWriteStream(into));
}
