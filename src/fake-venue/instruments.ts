import type { Said } from './pattern.js';

/** The parts that stand for an instrument in a venue's texts; see `VenueFacts`. */
export function instrumentParts(code: string): Said {
  const [base = code, second] = code.split(/[-_/]/);
  const family = second === undefined ? base : code.slice(0, base.length + 1 + second.length);
  return { symbol: code, lower: code.toLowerCase(), code, base, family };
}

/** The instruments that an argument names; none where it names one that is not listed. */
export function named(said: Said, codes: readonly string[]): readonly string[] {
  const given = Object.entries(said).filter(([name]) => name in instrumentParts(''));
  if (given.length === 0) return [];
  return codes.filter((code) => {
    const parts = instrumentParts(code);
    return given.every(([name, value]) => parts[name] === value);
  });
}
