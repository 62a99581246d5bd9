/** What the parts of a text stand for; see `VenueFacts`. */
export type Parts = Readonly<Record<string, string>>;

const PART = /\{([a-z]+)\}/g;

/** A message with its parts filled in, as they stand inside JSON strings. Braces around other words stay. */
export function messageOf(text: string, parts: Parts): string {
  return text.replace(PART, (whole, name: string) => {
    const value = parts[name];
    return value === undefined ? whole : JSON.stringify(value).slice(1, -1);
  });
}

/** A message of arguments that are JSON already. */
export function batchOf(text: string, args: readonly string[], parts: Parts): string {
  return messageOf(text, parts).replace('{args}', () => args.join(','));
}

/** An address with its parts filled in, percent-encoded; `{endpoint}`, which is an address itself, as it is. */
export function addressOf(text: string, parts: Parts): string {
  return text.replace(PART, (whole, name: string) => {
    const value = parts[name];
    if (value === undefined) return whole;
    return name === 'endpoint' ? value : encodeURIComponent(value);
  });
}

/** The parts that an instrument gives. */
export function instrumentParts(symbol: string, code: string): Parts {
  const [base = symbol, second] = symbol.split(/[-_/]/);
  const family = second === undefined ? base : symbol.slice(0, base.length + 1 + second.length);
  return { symbol, code, lower: symbol.toLowerCase(), base, family };
}
