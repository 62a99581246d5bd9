import type { Fields } from './venues/facts.js';

/** Control messages of a venue, which a connector reads to log in: never those that speak of markets. */
export function controlJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'));
  } catch {
    return undefined;
  }
}

/** A member by its path, `data.0.token`; undefined where there is none. */
export function member(value: unknown, path: string): unknown {
  let at = value;
  for (const name of path.split('.')) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, name)) return undefined;
    at = (at as Readonly<Record<string, unknown>>)[name];
  }
  return at;
}

/** Whether every member is as it must be; one that must be null may be anything that is there. */
export function matches(value: unknown, fields: Fields): boolean {
  return Object.entries(fields).every(([path, wanted]) => {
    const found = member(value, path);
    return wanted === null ? found !== undefined && found !== null : found === wanted;
  });
}
