/** How a time is written. */
export const TIME_FORM = 'ns since the epoch, or a time with its zone, as 2024-08-08T10:00:00Z';

/** Digits are ns since the epoch; anything else is ISO 8601 with its zone, to the ns. Undefined for what is neither. */
export function timeNs(text: string): bigint | undefined {
  if (/^\d{1,19}$/.test(text)) return BigInt(text);
  const [, whole, fraction = '', zone] =
    /^(\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/.exec(text) ?? [];
  const ms = whole === undefined ? Number.NaN : Date.parse(`${whole}${zone}`);
  return Number.isNaN(ms) || ms < 0 ? undefined : BigInt(ms) * 1_000_000n + BigInt(fraction.padEnd(9, '0'));
}
