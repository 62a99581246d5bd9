/** Letters of invented assets behind their first: 17,576 of them. */
const LETTERS = 3;
/** From one invented strike to the next. */
const STRIKE_STEP = 1000;

/** The asset that a code begins with: `BTC` of `BTC-USDT`, `btc` of `btcusd`, `KNC` of `tKNCBTC`. */
const ASSET = /BTC|XBT|KNC|btc/;
const STRIKE = /(?<=-)\d+(?=-[CP](-|$))/;

/**
 * So many codes of instruments that do not exist, each valid at the venue that has `code`: other assets, of options other strikes,
 * since venues list them by their assets, of markets with numbers other numbers. None of `taken`.
 */
export function codesLike(code: string, count: number, taken: readonly string[] = [code]): readonly string[] {
  const codes: string[] = [];
  const known = new Set(taken);
  for (let at = 0; codes.length < count; at++) {
    const other = like(code, at);
    if (!known.has(other)) codes.push(other);
    known.add(other);
  }
  return codes;
}

function like(code: string, at: number): string {
  if (/^\d+$/.test(code)) return String(at);
  const strike = STRIKE.exec(code)?.[0];
  if (strike !== undefined) return code.replace(STRIKE, String(Number(strike) + at * STRIKE_STEP));
  const asset = ASSET.exec(code)?.[0] ?? code;
  const invented = `Q${letters(at)}`;
  return code.replace(asset, asset === asset.toLowerCase() ? invented.toLowerCase() : invented);
}

/** A number in letters, `AAA` for 0; one letter more where it needs it. */
function letters(number: number): string {
  let [text, rest] = ['', number];
  for (let place = 0; place < LETTERS || rest > 0; place++) {
    text = String.fromCharCode(65 + (rest % 26)) + text;
    rest = Math.floor(rest / 26);
  }
  return text;
}

const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const WEEK_MS = 7 * 86_400_000;
/** A Friday at eight in the morning, when options end. */
const A_FRIDAY_MS = Date.UTC(2021, 0, 1, 8);
/** Strikes of an expiry of a chain. */
const STRIKES = 50;
/** Where the simulator's coin stands. */
const MIDDLE = 63_000;

/**
 * Codes of so many options on bitcoin as one chain: a call and a put of each of fifty strikes around the simulator's price, and as
 * many expiries as it takes, a week from each other, the first of them at least a day away.
 */
export function chainCodes(count: number, nowMs: number): readonly string[] {
  const first = A_FRIDAY_MS + Math.ceil((nowMs + 86_400_000 - A_FRIDAY_MS) / WEEK_MS) * WEEK_MS;
  return Array.from({ length: count }, (_, at) => {
    const expiry = new Date(first + Math.floor(at / (2 * STRIKES)) * WEEK_MS);
    // From the money outwards, so that a part of an expiry is around it.
    const nth = Math.floor((at % (2 * STRIKES)) / 2);
    const away = (nth % 2 === 0 ? 1 : -1) * Math.ceil(nth / 2);
    const ends = `${expiry.getUTCDate()}${MONTHS[expiry.getUTCMonth()]}${String(expiry.getUTCFullYear()).slice(2)}`;
    return `BTC-${ends}-${MIDDLE + away * STRIKE_STEP}-${at % 2 === 0 ? 'C' : 'P'}`;
  });
}
