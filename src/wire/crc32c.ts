/** The reflected Castagnoli polynomial. */
const POLYNOMIAL = 0x82f63b78;

/** Four tables of 256: table k advances a byte by k more zero bytes, so a 32-bit word takes four look-ups. */
const TABLES = buildTables();

function buildTables(): Int32Array {
  const tables = new Int32Array(1024);
  for (let byte = 0; byte < 256; byte += 1) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    tables[byte] = crc;
  }
  for (let at = 256; at < 1024; at += 1) {
    const before = tables[at - 256] as number;
    tables[at] = (before >>> 8) ^ (tables[before & 255] as number);
  }
  return tables;
}

/** The register before the first byte. */
export const CRC32C_START = -1;

/** The checksum of what was fed, as an unsigned 32-bit integer. */
export function crc32cFinish(crc: number): number {
  return ~crc >>> 0;
}

/** Feeds the four little-endian bytes of a word. */
export function crc32cWord(crc: number, word: number): number {
  const x = crc ^ word;
  return (
    (TABLES[768 + (x & 255)] as number) ^
    (TABLES[512 + ((x >>> 8) & 255)] as number) ^
    (TABLES[256 + ((x >>> 16) & 255)] as number) ^
    (TABLES[x >>> 24] as number)
  );
}

/** Feeds the 16 little-endian bytes of a level, whose mantissas are safe integers. Allocates nothing. */
export function crc32cLevel(crc: number, price: number, qty: number): number {
  let next = crc32cWord(crc, price | 0);
  next = crc32cWord(next, Math.floor(price / 4294967296) | 0);
  next = crc32cWord(next, qty | 0);
  return crc32cWord(next, Math.floor(qty / 4294967296) | 0);
}

/** The same for a level of any 64-bit mantissas. */
export function crc32cLevelBigInt(crc: number, price: bigint, qty: bigint): number {
  let next = crc32cWord(crc, Number(BigInt.asIntN(32, price)));
  next = crc32cWord(next, Number(BigInt.asIntN(32, price >> 32n)));
  next = crc32cWord(next, Number(BigInt.asIntN(32, qty)));
  return crc32cWord(next, Number(BigInt.asIntN(32, qty >> 32n)));
}

/** CRC32C of plain bytes. */
export function crc32c(bytes: Uint8Array): number {
  let crc = CRC32C_START;
  for (const byte of bytes) crc = (TABLES[(crc ^ byte) & 255] as number) ^ (crc >>> 8);
  return crc32cFinish(crc);
}
