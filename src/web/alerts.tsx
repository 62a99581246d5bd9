import { useEffect, useMemo, useReducer, useRef, useState } from 'preact/hooks';
import {
  ALERT_KINDS,
  ALERTS_MAX,
  type AlertKind,
  type AlertRule,
  AlertWatch,
  isRule,
  parseRules,
  printRules,
  ruleWords,
} from './alert-rules.js';
import type { InstrumentView } from './instrument-view.js';
import type { Session } from './session.js';
import type { Settings } from './settings.js';
import { clockWords } from './wording.js';

/** Also in the background, where nothing is drawn. */
const LOOK_EVERY_MS = 500;
const TOLD_MAX = 5;
const KIND_WORDS: Readonly<Record<AlertKind, string>> = {
  above: 'Price ≥',
  below: 'Price ≤',
  trade: 'Trade ≥',
  stale: 'Stale',
};

interface AlertsProps {
  readonly session: Session;
  readonly settings: Settings;
}

interface Told {
  readonly id: number;
  readonly text: string;
}

/** Alerts on price, size and staleness: told in the page, and by the system where the reader allows it. */
export function Alerts({ session, settings }: AlertsProps) {
  const [told, setTold] = useState<readonly Told[]>([]);
  const [kind, setKind] = useState<AlertKind>('above');
  const [value, setValue] = useState('');
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  const lastId = useRef(0);
  const rules = useMemo(() => parseRules(settings.values.alerts), [settings.values.alerts]);
  useEffect(() => {
    const tell = (rule: AlertRule, detail: string): void => {
      const text = `${clockWords(Date.now())} ${ruleWords(rule)}${detail}`;
      lastId.current += 1;
      const id = lastId.current;
      setTold((before) => [{ id, text }, ...before].slice(0, TOLD_MAX));
      notify(text);
    };
    return watchRules(session, rules, tell);
  }, [session, rules, session.market]);
  const name = session.selected?.facts.name ?? '';
  const rule: AlertRule = { kind, instrument: name, value: kind === 'stale' ? '' : value.trim() };
  const canAdd = isRule(rule) && rules.length < ALERTS_MAX;
  const setRules = (next: readonly AlertRule[]): void => settings.set('alerts', printRules(next));
  return (
    <section class="panel alerts" aria-labelledby="alerts-title">
      <details open={rules.length > 0}>
        <summary>
          <h2 id="alerts-title">Alerts</h2>
        </summary>
        <form
          class="alert-form"
          onSubmit={(event) => {
            event.preventDefault();
            if (!canAdd) return;
            setRules([...rules.filter((one) => printRules([one]) !== printRules([rule])), rule]);
            setValue('');
          }}
        >
          <select
            aria-label="What to be told of"
            value={kind}
            onChange={(event) => setKind(event.currentTarget.value as AlertKind)}
          >
            {ALERT_KINDS.map((one) => (
              <option key={one} value={one}>
                {KIND_WORDS[one]}
              </option>
            ))}
          </select>
          <input
            type="text"
            inputMode="decimal"
            autocomplete="off"
            aria-label="Price or quantity"
            disabled={kind === 'stale'}
            value={kind === 'stale' ? '' : value}
            onInput={(event) => setValue(event.currentTarget.value)}
          />
          <button type="submit" disabled={!canAdd}>
            Add
          </button>
        </form>
        <ul class="alert-rules">
          {rules.map((one) => (
            <li key={printRules([one])}>
              <span>{ruleWords(one)}</span>
              <button
                type="button"
                aria-label={`Remove the alert: ${ruleWords(one)}`}
                onClick={() => setRules(rules.filter((other) => other !== one))}
              >
                ×
              </button>
            </li>
          ))}
        </ul>
        {canAskSystem() && (
          <button
            type="button"
            class="alert-system"
            title="Tell alerts by the system too, while this page is in the background"
            onClick={() => void Notification.requestPermission().then(() => redraw(undefined))}
          >
            Tell in the background too
          </button>
        )}
      </details>
      <div class="alert-log" role="log" aria-live="assertive" aria-label="Alerts that were told">
        {told.map(({ id, text }) => (
          <p key={id}>{text}</p>
        ))}
      </div>
    </section>
  );
}

/** Holds the rules against what the session knows, and each trade against those on size; the result ends that. */
function watchRules(
  session: Session,
  rules: readonly AlertRule[],
  tell: (rule: AlertRule, detail: string) => void,
): () => void {
  const watch = new AlertWatch();
  const look = (): void => {
    for (const rule of rules) {
      const view = session.instruments.find(({ facts }) => facts.name === rule.instrument);
      if (view === undefined) continue;
      const middle = middleOf(view);
      const detail = rule.kind === 'stale' ? '' : `: ${middle}`;
      // A page without its server holds nothing as true, and its books are stale.
      if (watch.look(rule, { middle: session.connected ? middle : Number.NaN, isStale: isStale(view) }))
        tell(rule, detail);
    }
  };
  const timer = setInterval(look, LOOK_EVERY_MS);
  const { market } = session;
  const sizes = rules.filter(
    ({ kind, instrument }) => kind === 'trade' && instrument === market?.instrument.facts.name,
  );
  let lastVersion = market?.trades.version ?? 0;
  const ends = market?.onTrade(() => {
    const newest = market.trades.at(0);
    if (newest?.tag !== 'trade' || market.trades.version === lastVersion) return;
    lastVersion = market.trades.version;
    for (const rule of sizes) {
      // Fills are added up: the one that makes the taker's quantity large enough is told, and those after it are not.
      const before = newest.qty - market.lastQty;
      const isFirst = newest.fills === 1 || before < Number(rule.value);
      if (newest.qty >= Number(rule.value) && isFirst)
        tell(rule, `: ${newest.aggressor} ${newest.qtyText} at ${newest.price}`);
    }
  });
  return () => {
    clearInterval(timer);
    ends?.();
  };
}

function middleOf({ best }: InstrumentView): number {
  const [bid, ask] = [best?.bestBid, best?.bestAsk];
  if (best == null || best.state !== 'synced' || bid === undefined || ask === undefined) return Number.NaN;
  return Number((((bid.price + ask.price) / 2) * 10 ** best.priceExponent).toPrecision(15));
}

function isStale({ best }: InstrumentView): boolean {
  return best?.state === 'stale';
}

function canAskSystem(): boolean {
  return 'Notification' in window && Notification.permission === 'default';
}

/** By the system only where nobody looks at the page. */
function notify(text: string): void {
  if (!document.hidden || !('Notification' in window) || Notification.permission !== 'granted') return;
  new Notification('depthwire', { body: text });
}
