import { expect, it } from 'vitest';
import type { Ticker } from '../src/wire/index.js';
import { type ChainOption, type ChainRow, channel, OptionChain } from '../src/wire/index.js';
import { measuresOf } from '../src/wire/option-smile.js';

/** An option whose ticker says this, or is not current. */
function option(isCall: boolean, strike: number, ticker: Partial<Ticker>, state = 'synced'): ChainOption {
  const told = { priceExponent: -2, qtyExponent: -1, tsRecv: 1n, tsEvent: 0n, seq: 1, ...ticker };
  return {
    ...{ instrument: `venue:BTC-${strike}`, expiryMs: 1, strike: String(strike), isCall, heardMs: 0 },
    ...{ book: undefined, signals: undefined },
    ticker: { ticker: told, state } as unknown as NonNullable<ChainOption['ticker']>,
  };
}

const row = (strike: number, volatility: number, delta: number, forward = 10_000): ChainRow => {
  const said = (of: number): Partial<Ticker> => ({
    underlying: forward,
    markIvE9: Math.round(volatility * 1e9),
    deltaE9: Math.round(of * 1e9),
  });
  return {
    strike,
    call: option(true, strike, said(delta)),
    put: option(false, strike, said(delta - 1)),
  };
};

/** A smile around 100, where a call's delta falls by a tenth for each 5. */
const ROWS = [
  row(85, 0.62, 0.8),
  row(90, 0.58, 0.7),
  row(98, 0.51, 0.55),
  row(102, 0.49, 0.45),
  row(110, 0.5, 0.3),
  row(115, 0.54, 0.2),
];

it('a smile is of what is out of the money, and the rest lies on the lines between its points', () => {
  const { forward, smile, atTheMoney, riskReversal25, butterfly25 } = measuresOf({ expiryMs: 1, rows: ROWS });
  expect(forward).toBe(100);
  expect(smile.map(({ strike, volatility }) => [strike, volatility])).toEqual(
    ROWS.map(({ strike }, at) => [strike, [0.62, 0.58, 0.51, 0.49, 0.5, 0.54][at]]),
  );
  expect(smile.map(({ callDelta = 0 }) => Number(callDelta.toFixed(9)))).toEqual([
    0.8, 0.7, 0.55, 0.45, 0.3, 0.2,
  ]);
  expect(atTheMoney).toBeCloseTo(0.5, 12);
  // A call of ¼ between 110 and 115, a put of −¼ between 85 and 90.
  expect(riskReversal25).toBeCloseTo(0.52 - 0.6, 12);
  expect(butterfly25).toBeCloseTo((0.52 + 0.6) / 2 - 0.5, 12);
});

it('what is not known or not current is absent', () => {
  const none = measuresOf({ expiryMs: 1, rows: [] });
  expect(none).toEqual({
    ...{ forward: undefined, smile: [], atTheMoney: undefined },
    ...{ riskReversal25: undefined, butterfly25: undefined },
  });
  const stale = ROWS.map(({ strike, call, put }) => {
    const lost = (of: ChainOption | undefined): ChainOption | undefined =>
      of && {
        ...of,
        ticker: { ...of.ticker, state: 'stale' } as unknown as NonNullable<ChainOption['ticker']>,
      };
    return { strike, call: lost(call), put: lost(put) };
  });
  expect(measuresOf({ expiryMs: 1, rows: stale })).toEqual(none);
  // Of a forward beyond all strikes nothing encloses the money; deltas are enclosed still.
  const beyond = measuresOf({ expiryMs: 1, rows: ROWS.slice(0, 2) });
  expect([beyond.forward, beyond.atTheMoney, beyond.riskReversal25, beyond.butterfly25]).toEqual([
    100,
    undefined,
    undefined,
    undefined,
  ]);
  const unpriced = measuresOf({ expiryMs: 1, rows: [row(100, 0, 0.5)] });
  expect(unpriced.smile).toEqual([]);
});

it('a chain is exported with its channels', () => {
  expect([typeof OptionChain, channel.ticker.name, channel.signals.name]).toEqual([
    'function',
    'ticker',
    'signals',
  ]);
});
