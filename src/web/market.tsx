import { useEffect, useRef } from 'preact/hooks';
import { type Curve, depthCurve } from './curve.js';
import { depthSeries } from './depth-series.js';
import type { FrameLoop } from './frame-loop.js';
import { partsOf } from './part.js';
import type { Session } from './session.js';
import { TapePainter } from './tape-painter.js';
import { setData } from './text-cell.js';

/** The curve is a picture of a shape; five times a second is as fast as a shape is read. */
const CURVE_EVERY_MS = 200;

interface MarketProps {
  readonly session: Session;
  readonly loop: FrameLoop;
  readonly theme: string;
}

/** Beside the ladder: the depth curve and the trades. */
export function Market({ session, loop, theme }: MarketProps) {
  const panel = useRef<HTMLDivElement>(null);
  const curve = useRef<Curve>(null);
  useEffect(() => {
    const element = panel.current;
    if (element === null) return;
    const part = partsOf(element);
    const tape = new TapePainter(part('.trades'));
    const depth = depthCurve(part('.plot'));
    curve.current = depth;
    let drawn = '';
    const removeTape = loop.add(() => {
      if (session.selected !== null) tape.paint(session.trades, session.selected.facts);
      setData(element, 'dim', session.connected && session.book.state === 'synced' ? null : '');
    });
    const removeCurve = loop.add(() => {
      const { book, selected } = session;
      const key = `${selected?.facts.name} ${book.version}`;
      if (key === drawn) return;
      drawn = key;
      const series = depthSeries(book.bids, book.asks, 10 ** book.priceExponent, 10 ** book.qtyExponent);
      depth.set([series.price, series.bid, series.ask]);
    }, CURVE_EVERY_MS);
    return () => {
      removeTape();
      removeCurve();
      tape.close();
      depth.close();
    };
  }, [session, loop]);
  useEffect(() => curve.current?.recolour(), [theme]);
  return (
    <div ref={panel} class="right">
      <section class="panel curve" aria-label="Depth curve: cumulative quantity by price">
        <h2>Depth</h2>
        <div class="plot" aria-hidden="true" />
      </section>
      <section class="panel tape" aria-labelledby="trades-title">
        <h2 id="trades-title">Trades</h2>
        <div class="trades" />
      </section>
    </div>
  );
}
