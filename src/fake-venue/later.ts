/**
 * What of a recording goes on when it is told again: numbers by which books and trades are joined, and times. Such as have gone back
 * are old to whoever has heard the recording before. In each pattern the digits are the last group.
 */
interface Later {
  readonly numbers?: readonly RegExp[];
  /** Seconds since 1970, or thousandths, millionths, billionths of them: which, their size says. */
  readonly times?: readonly RegExp[];
  /** Times as they begin a text of hexadecimal digits with hyphens between them. */
  readonly hexTimes?: readonly RegExp[];
}

/** More than the numbers of a recording go on by. */
const PASS_NUMBERS = 1_000_000_000;
/** Messages may have been under way for long when the recording began, and all times go on by whole seconds. */
const PASS_MS = 60_000;

/** Members of these names that are numbers. */
function numbers(...names: readonly string[]): RegExp {
  return new RegExp(`("(?:${names.join('|')})"\\s*:\\s*)(\\d+)`, 'g');
}

/** The same, with quotes or without. */
function members(...names: readonly string[]): RegExp {
  return new RegExp(`("(?:${names.join('|')})"\\s*:\\s*"?)(\\d+)`, 'g');
}

/** By the beginnings of products' names. Venues whose books begin anew with each subscription have none. */
const LATER: Readonly<Record<string, Later>> = {
  binance: {
    // `a` and `l` are prices, too, in quotes.
    numbers: [numbers('U', 'u', 'pu', 'lastUpdateId', 't', 'a', 'f', 'l')],
    times: [numbers('E', 'T')],
  },
  bitstamp: {
    times: [members('timestamp', 'microtimestamp', 'datetime')],
    hexTimes: [/("(?:pre_)?event_id"\s*:\s*")([\da-f]{8}-[\da-f]{4}-[\da-f]{4})/g],
  },
  gateio: {
    numbers: [members('U', 'u', 'id')],
    times: [members('t', 'time', 'time_ms', 'create_time', 'create_time_ms', 'current', 'update')],
  },
  hyperliquid: { times: [members('time')] },
  kucoin: {
    // Of spot the rows of a change end with a number of their own.
    numbers: [members('sequence', 'sequenceStart', 'sequenceEnd'), /(\["[^"]*","[^"]*",")(\d+)(?="\])/g],
    times: [members('time', 'ts', 'timestamp')],
  },
  lighter: {
    numbers: [members('nonce', 'begin_nonce', 'offset', 'trade_id')],
    times: [members('timestamp')],
  },
};

/** What a recording of a product holds as its venue would say it so many recordings later; `lengthMs`: of the recording. */
export function later(product: string, said: Uint8Array, passes: number, lengthMs: number): Uint8Array {
  const of = LATER[product] ?? LATER[product.split('-')[0] ?? ''];
  if (of === undefined || passes === 0) return said;
  const passMs = PASS_MS * Math.ceil(1 + lengthMs / PASS_MS);
  const { numbers = [], times = [], hexTimes = [] } = of;
  let text = Buffer.from(said.buffer, said.byteOffset, said.byteLength).toString('utf8');
  for (const number of numbers) text = moved(text, number, () => passes * PASS_NUMBERS);
  for (const time of times) text = moved(text, time, (digits) => (passes * passMs * unitsOf(digits)) / 1000);
  for (const time of hexTimes)
    text = text.replace(time, (_, name: string, hex: string) => name + laterHex(hex, passes * passMs * 1000));
  return Buffer.from(text);
}

function moved(text: string, pattern: RegExp, by: (digits: string) => number): string {
  return text.replace(
    pattern,
    (_, name: string, digits: string) => name + (BigInt(digits) + BigInt(by(digits))),
  );
}

/** Units of a time that a second has. */
function unitsOf({ length }: string): number {
  if (length <= 11) return 1;
  return length <= 14 ? 1e3 : length <= 17 ? 1e6 : 1e9;
}

function laterHex(hex: string, by: number): string {
  const digits = hex.replaceAll('-', '');
  const moved = (BigInt(`0x${digits}`) + BigInt(by)).toString(16).padStart(digits.length, '0');
  let at = 0;
  return hex.replace(/[\da-f]/g, () => moved[at++] ?? '');
}
