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
