import { formatDecimal } from './decimal.js';
import type { ChainExpiry, ChainOption, ChainRow } from './option-chain.js';

/** The volatility of a strike: of its option that is out of the money, by the venue's mark; 0.5 = 50 % a year. */
export interface SmilePoint {
  readonly strike: number;
  readonly volatility: number;
  /** The venue's own of the call, 0 to 1, by the option that is out of the money; undefined where it is not told. */
  readonly callDelta: number | undefined;
}

/** What the options of an expiry say together. What their venue does not tell, or what is not current, is absent. */
export interface ChainMeasures {
  /** Price of the underlying for this expiry, by the ticker that came last. */
  readonly forward: number | undefined;
  /** By strike. */
  readonly smile: readonly SmilePoint[];
  /** The smile at the forward, between the strikes beside it. */
  readonly atTheMoney: number | undefined;
  /** The volatility of the call with a delta of ¼ less that of the put with −¼. */
  readonly riskReversal25: number | undefined;
  /** The mean of the two less that at the money. */
  readonly butterfly25: number | undefined;
}

const QUARTER = 0.25;

/** An option's ticker field as a number; undefined where it is absent or the ticker is not current. */
export function tickerNumber(
  option: ChainOption | undefined,
  field: 'underlying' | 'markIvE9' | 'bidIvE9' | 'askIvE9' | 'deltaE9' | 'gammaE9' | 'vegaE9' | 'thetaE9',
): number | undefined {
  const from = option?.ticker;
  const told = from?.ticker;
  const value = told?.[field];
  if (from === undefined || told === undefined || value === undefined || from.state !== 'synced')
    return undefined;
  const exponent = field === 'underlying' ? told.priceExponent : -9;
  return Number(formatDecimal(value, exponent));
}

/** Of the options as they are now. */
export function measuresOf({ rows }: ChainExpiry): ChainMeasures {
  const forward = forwardOf(rows);
  if (forward === undefined)
    return {
      forward,
      smile: [],
      atTheMoney: undefined,
      riskReversal25: undefined,
      butterfly25: undefined,
    };
  const smile = rows.flatMap(({ strike, call, put }) => {
    const isCall = strike >= forward;
    const option = isCall ? call : put;
    const volatility = tickerNumber(option, 'markIvE9');
    if (volatility === undefined || volatility <= 0) return [];
    const delta = tickerNumber(option, 'deltaE9');
    const callDelta = delta === undefined || isCall ? delta : 1 + delta;
    return [{ strike, volatility, callDelta }];
  });
  const atTheMoney = between(smile, ({ strike }) => strike, forward);
  const byDelta = smile.filter(({ callDelta }) => callDelta !== undefined);
  const call = between(byDelta, ({ callDelta = Number.NaN }) => callDelta, QUARTER);
  const put = between(byDelta, ({ callDelta = Number.NaN }) => callDelta, 1 - QUARTER);
  const both = call === undefined || put === undefined ? undefined : { call, put };
  return {
    forward,
    smile,
    atTheMoney,
    riskReversal25: both && both.call - both.put,
    butterfly25:
      both === undefined || atTheMoney === undefined ? undefined : (both.call + both.put) / 2 - atTheMoney,
  };
}

/** By the ticker that was received last: the options of an expiry have one forward, which each tells when it is told itself. */
function forwardOf(rows: readonly ChainRow[]): number | undefined {
  let [latest, forward]: [bigint, number | undefined] = [-1n, undefined];
  for (const { call, put } of rows) {
    for (const option of [call, put]) {
      const told = tickerNumber(option, 'underlying');
      const at = option?.ticker?.ticker?.tsRecv ?? -1n;
      if (told !== undefined && told > 0 && at > latest) [latest, forward] = [at, told];
    }
  }
  return forward;
}

/** The volatility where a measure of two neighbours encloses a value, on the line between them; undefined where none do. */
function between(
  smile: readonly SmilePoint[],
  measure: (point: SmilePoint) => number,
  value: number,
): number | undefined {
  for (const [at, high] of smile.entries()) {
    const low = smile[at - 1];
    if (measure(high) === value) return high.volatility;
    if (low === undefined) continue;
    const [from, to] = [measure(low), measure(high)];
    if (from < value === to < value || from === to) continue;
    return low.volatility + ((value - from) / (to - from)) * (high.volatility - low.volatility);
  }
  return undefined;
}
