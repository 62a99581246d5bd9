/** What a rule looks at. `above` and `below`: the middle of the best prices. `trade`: one taker's quantity. `stale`: the book's state. */
export type AlertKind = 'above' | 'below' | 'trade' | 'stale';

export interface AlertRule {
  readonly kind: AlertKind;
  readonly instrument: string;
  /** The price or the quantity as it was typed; empty for `stale`. */
  readonly value: string;
}

/** What a rule is held against. Prices and quantities in units; NaN = not known. */
export interface AlertFacts {
  readonly middle: number;
  readonly isStale: boolean;
}

export const ALERT_KINDS: readonly AlertKind[] = ['above', 'below', 'trade', 'stale'];
/** Most rules that are kept. */
export const ALERTS_MAX = 20;
const BETWEEN_FIELDS = '~';
const BETWEEN_RULES = ',';

/** The rules as one text: `above~62000~sim:BTCUSDT,stale~~sim:BTCUSDT`. */
export function printRules(rules: readonly AlertRule[]): string {
  return rules
    .map(({ kind, value, instrument }) => [kind, value, instrument].join(BETWEEN_FIELDS))
    .join(BETWEEN_RULES);
}

/** The rules of such a text; what is none is left out. */
export function parseRules(text: string): readonly AlertRule[] {
  return text
    .split(BETWEEN_RULES)
    .flatMap((part) => {
      const [kind, value = '', instrument = ''] = part.split(BETWEEN_FIELDS);
      const rule = { kind: kind as AlertKind, value, instrument };
      return isRule(rule) ? [rule] : [];
    })
    .slice(0, ALERTS_MAX);
}

export function isRule({ kind, value, instrument }: AlertRule): boolean {
  if (!ALERT_KINDS.includes(kind) || instrument === '' || /[~,]/.test(instrument)) return false;
  if (kind === 'stale') return value === '';
  return value !== '' && Number.isFinite(Number(value)) && (kind !== 'trade' || Number(value) > 0);
}

/** A rule in words, with its instrument. */
export function ruleWords({ kind, value, instrument }: AlertRule): string {
  switch (kind) {
    case 'above':
      return `${instrument} at or above ${value}`;
    case 'below':
      return `${instrument} at or below ${value}`;
    case 'trade':
      return `${instrument} trade of ${value} or more`;
    default:
      return `${instrument} stale`;
  }
}

/**
 * Says when rules come true. One is told when its condition begins, and again only after it has ended: a price that stays
 * above is told once. What is not known neither begins nor ends anything.
 */
export class AlertWatch {
  readonly #active = new Set<string>();

  /** Whether a rule on prices or states has just come true. */
  look(rule: AlertRule, { middle, isStale }: AlertFacts): boolean {
    const key = printRules([rule]);
    if (rule.kind === 'trade' || (rule.kind !== 'stale' && Number.isNaN(middle))) return false;
    const value = Number(rule.value);
    const isTrue =
      rule.kind === 'stale' ? isStale : rule.kind === 'above' ? middle >= value : middle <= value;
    const was = this.#active.has(key);
    if (isTrue) this.#active.add(key);
    else this.#active.delete(key);
    return isTrue && !was;
  }
}
