import { useEffect, useRef } from 'preact/hooks';
import { type Curve, depthCurve, flowCurve } from './curve.js';
import { compact } from './decimal-text.js';
import { depthSeries } from './depth-series.js';
import type { FrameLoop } from './frame-loop.js';
import { useLoaded } from './loaded.js';
import { Orders } from './orders.js';
import { partsOf } from './part.js';
import type { Session } from './session.js';
import type { Settings } from './settings.js';
import { TapePainter } from './tape-painter.js';
import { setData, TextCell } from './text-cell.js';

/** The curve is a picture of a shape; four times a second is as fast as a shape is read. */
const CURVE_PACE = { everyMs: 250, waitMs: 100 } as const;
/** Its columns are seconds. */
const FLOW_PACE = { everyMs: 1000, waitMs: 100 } as const;
/** A trade and the change of the book that it makes come within so long: they are drawn in one frame. */
const TAPE_PACE = { waitMs: 50 } as const;

interface MarketProps {
  readonly session: Session;
  readonly loop: FrameLoop;
  readonly settings: Settings;
  readonly theme: string;
}

/** Beside the ladder: the depth curve, the flow of trades, and the tape. */
export function Market({ session, loop, settings, theme }: MarketProps) {
  const panel = useRef<HTMLDivElement>(null);
  const curves = useRef<readonly Curve[]>([]);
  useEffect(() => {
    const element = panel.current;
    if (element === null) return;
    const part = partsOf(element);
    const tape = new TapePainter(part('.trades'));
    const depth = depthCurve(part('.curve .plot'));
    const flow = flowCurve(part('.flow .plot'));
    const cvd = new TextCell(part('.cvd'));
    curves.current = [depth, flow];
    let drawn = '';
    const removeTape = loop.add(() => {
      const { tapemin, tapelarge } = settings.values;
      const { trades } = session;
      // What is no number filters nothing.
      const largeFrom = Number(tapelarge) > 0 ? Number(tapelarge) : trades.largeFrom;
      setData(element, 'dim', session.connected && session.book.state === 'synced' ? null : '');
      return tape.paint(trades, Number(tapemin) || 0, largeFrom);
    }, TAPE_PACE);
    const removeCurve = loop.add(() => {
      const { book, selected } = session;
      const key = `${selected?.facts.name} ${book.version}`;
      if (key === drawn) return;
      drawn = key;
      const series = depthSeries(book.bids, book.asks, 10 ** book.priceExponent, 10 ** book.qtyExponent);
      depth.set([series.price, series.bid, series.ask]);
    }, CURVE_PACE);
    const removeFlow = loop.add((nowMs) => {
      const { market } = session;
      if (market === null) return;
      market.flow.advance(Math.floor(nowMs / 1000));
      const { second, delta, cumulative } = market.flow.series();
      const bought = delta.map((qty) => (qty > 0 ? qty : null));
      const sold = delta.map((qty) => (qty < 0 ? qty : null));
      flow.set([second, bought, sold, cumulative]);
      cvd.set(`CVD ${compact(market.flow.cumulative)}`);
    }, FLOW_PACE);
    return () => {
      removeTape();
      removeCurve();
      removeFlow();
      tape.close();
      depth.close();
      flow.close();
    };
  }, [session, loop, settings]);
  useEffect(() => {
    for (const curve of curves.current) curve.recolour();
  }, [theme]);
  const SignalsView = useLoaded(settings.values.signals, async () => (await import('./signals.js')).Signals);
  const { tapemin, tapelarge } = settings.values;
  return (
    <div ref={panel} class="right">
      <section class="panel curve" aria-label="Depth curve: cumulative quantity by price">
        <h2>Depth</h2>
        <div class="plot" aria-hidden="true" />
      </section>
      <section class="panel flow" aria-labelledby="flow-title">
        <h2 id="flow-title">
          Delta{' '}
          <span class="numbers cvd" title="What takers bought less what they sold, since this is watched" />
        </h2>
        <div class="plot" aria-hidden="true" />
      </section>
      {settings.values.orders && (
        <Orders session={session} loop={loop} onClose={() => settings.set('orders', false)} />
      )}
      {settings.values.signals && SignalsView !== null && (
        <SignalsView session={session} loop={loop} onClose={() => settings.set('signals', false)} />
      )}
      <section class="panel tape" aria-labelledby="trades-title">
        <div class="panel-head">
          <h2 id="trades-title">Trades</h2>
          <label>
            from{' '}
            <input
              type="text"
              inputMode="decimal"
              autocomplete="off"
              aria-label="Least quantity of a trade that is shown"
              value={tapemin}
              onInput={(event) => settings.set('tapemin', event.currentTarget.value.trim())}
            />
          </label>
          <label>
            large{' '}
            <input
              type="text"
              inputMode="decimal"
              autocomplete="off"
              placeholder="auto"
              aria-label="Quantity from which a trade stands out"
              value={tapelarge}
              onInput={(event) => settings.set('tapelarge', event.currentTarget.value.trim())}
            />
          </label>
        </div>
        <div class="trades" />
      </section>
    </div>
  );
}
