import type { BookSide } from '../../src/wire/book-side.js';
import type { LevelTable } from '../../src/wire/level-table.js';

const FREE = -1;

/** What must hold of a side after each change. Throws what does not. It lives here, for a client has no use for it. */
export function checkInvariants(side: BookSide): void {
  const { table, topStart, isSettled, sign, length, held } = side as unknown as Inside;
  const { cells, prices } = table;
  const { order, keys, orderLength, fresh, freshKeys, freshLength } = side as unknown as Inside;
  const bits = new DataView(cells.buffer);
  const priceOf = (cell: number) => bits.getBigInt64(cell * 16, true);
  const isThere = (cell: number) => bits.getBigInt64(cell * 16 + 8, true) !== 0n;
  const isFree = (cell: number) => cells[cell * 4 + 3] === FREE;
  const isWorse = (cell: number, other: number) => BigInt(sign) * (priceOf(other) - priceOf(cell)) > 0n;
  const ordered = [...order.subarray(0, orderLength)];
  const waiting = [...fresh.subarray(0, freshLength)];
  const listed = [...ordered, ...waiting];
  const listedKeys = [...keys.subarray(0, orderLength), ...freshKeys.subarray(0, freshLength)];
  const used = Array.from({ length: cells.length / 4 }, (_, cell) => cell).filter((cell) => !isFree(cell));
  const worst = ordered[topStart];
  const faults = [
    ordered.some((cell, at) => at > 0 && !isWorse(ordered[at - 1] as number, cell)) && 'order',
    listed.filter(isThere).length !== length && 'length',
    listedKeys.some((key, at) => key !== sign * Number(priceOf(listed[at] as number))) && 'keys',
    !ordered.slice(topStart).every(isThere) && 'a level that is gone in the top',
    isSettled && (waiting.length > 0 || !ordered.every(isThere)) && 'settled',
    waiting.some((cell) => worst === undefined || isWorse(worst, cell)) && 'a level that the top lacks',
    topStart > 0 && worst === undefined && 'an empty top',
    topStart === 0 && waiting.length > 0 && 'a level that waits though nothing lies below the top',
    used.some((cell) => BigInt(side.get(priceOf(cell))) !== bits.getBigInt64(cell * 16 + 8, true)) && 'hash',
    new Set(listed).size !== listed.length && 'a cell twice',
    used.some((cell) => (held[cell] === 1) !== listed.includes(cell)) && 'held',
    used.length !== prices && 'prices',
    prices * 2 > cells.length / 4 && 'a full table',
  ].filter(Boolean);
  if (faults.length > 0) throw new Error(`book side: ${faults.join(', ')}`);
}

/** What a side keeps to itself. */
interface Inside {
  readonly table: LevelTable;
  readonly held: Uint8Array;
  readonly order: Int32Array;
  readonly keys: Float64Array;
  readonly fresh: Int32Array;
  readonly freshKeys: Float64Array;
  readonly orderLength: number;
  readonly freshLength: number;
  readonly topStart: number;
  readonly isSettled: boolean;
  readonly sign: 1 | -1;
  readonly length: number;
}
