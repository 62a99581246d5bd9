import { DepthwireError, shown } from '../errors.js';
import { expectation } from './faults.js';
import { type InstrumentOverride, instrumentSchema } from './schema.js';

/** How an instrument is written on the command line. */
const INSTRUMENT_EXAMPLE = 'binance:BTCUSDT,tick=0.01,lot=0.00001';

/** The members of a setting, and whether they are integers rather than decimals. */
const MEMBERS = {
  tick: { member: 'tick', isInteger: false },
  lot: { member: 'lot', isInteger: false },
  price_exponent: { member: 'priceExponent', isInteger: true },
  qty_exponent: { member: 'qtyExponent', isInteger: true },
} as const;

/**
 * Reads the command line's form: `NAME[,tick=0.25,lot=1,price_exponent=-2,qty_exponent=-5]`, where tick and lot are in
 * units of price and quantity. Throws `config.instrument`.
 */
export function parseInstrument(text: string): InstrumentOverride {
  return instrumentFrom(text, '--instrument');
}

/** The same of a text that `origin`, a flag or a variable, gave. */
export function instrumentFrom(text: string, origin: string): InstrumentOverride {
  const [name = '', ...settings] = text.split(',');
  const input: Record<string, unknown> = { name };
  for (const setting of settings) {
    const [word = '', value = ''] = setting.split('=', 2);
    const known = Object.hasOwn(MEMBERS, word) ? MEMBERS[word as keyof typeof MEMBERS] : undefined;
    if (known === undefined || (known.isInteger && !/^-?\d{1,3}$/.test(value))) {
      throw new DepthwireError('config.instrument', {
        what: known === undefined ? 'a setting of an instrument is unknown' : 'an exponent is no integer',
        where: `${origin} ${text}`,
        expected: 'tick= or lot= with a decimal, price_exponent= or qty_exponent= with an integer',
        got: shown(setting),
        fix: `Write for example --instrument ${INSTRUMENT_EXAMPLE}.`,
      });
    }
    input[known.member] = known.isInteger ? Number(value) : value;
  }
  const parsed = instrumentSchema.safeParse(input);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const [member] = issue?.path ?? [];
  throw new DepthwireError('config.instrument', {
    what: 'an instrument cannot be understood',
    where: `${origin} ${text}`,
    expected: expectation(issue, ['instruments', 0, ...(issue?.path ?? [])]),
    got: shown(member === undefined ? text : input[String(member)]),
    fix: `Write for example --instrument ${INSTRUMENT_EXAMPLE}.`,
  });
}
