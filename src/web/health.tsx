import { useEffect, useRef } from 'preact/hooks';
import { type Curve, latencyCurve } from './curve.js';
import type { FrameLoop } from './frame-loop.js';
import { healthRows } from './health-rows.js';
import { LatencyHistory } from './latency-history.js';
import { partsOf } from './part.js';
import { RateMeter } from './rate-meter.js';
import type { Session } from './session.js';
import { StageTable } from './stage-table.js';
import { setData, TextCell } from './text-cell.js';

const PACE = { everyMs: 250, waitMs: 100 } as const;
const RATE_WINDOW_MS = 3000;
/** Longer values may not fit. */
const VALUE_CHARS = 17;
/** Two minutes of the latency line, at a sample each 500 ms. */
const HISTORY_SAMPLES = 240;
const HISTORY_PACE = { everyMs: 500, waitMs: 100 } as const;

interface HealthProps {
  readonly session: Session;
  readonly loop: FrameLoop;
  readonly theme: string;
}

/** What the feed is doing, beside the market that it carries. */
export function Health({ session, loop, theme }: HealthProps) {
  const panel = useRef<HTMLElement>(null);
  const curve = useRef<Curve>(null);
  useEffect(() => {
    const element = panel.current;
    if (element === null) return;
    const part = partsOf(element);
    const cells = new Map(
      healthRows(session, loop, 0, 0).map(({ key }) => [key, new TextCell(part(`[data-health="${key}"]`))]),
    );
    const messages = new RateMeter(RATE_WINDOW_MS);
    const bytes = new RateMeter(RATE_WINDOW_MS);
    const history = new LatencyHistory(HISTORY_SAMPLES);
    const latency = latencyCurve(part('.plot'));
    curve.current = latency;
    const removeRows = loop.add((nowMs) => {
      const messageRate = messages.sample(nowMs, session.counters.messages);
      const byteRate = bytes.sample(nowMs, session.counters.bytes);
      for (const row of healthRows(session, loop, messageRate, byteRate)) {
        const cell = cells.get(row.key);
        if (cell === undefined) continue;
        cell.set(row.value);
        setData(cell.element, 'long', row.value.length > VALUE_CHARS ? '' : null);
        setData(cell.element, 'alert', row.alert ? '' : null);
      }
    }, PACE);
    const removeLine = loop.add((nowMs) => {
      history.push(nowMs, session.latency?.p50Ms ?? null, session.latency?.p99Ms ?? null);
      latency.set(history.columns(nowMs));
    }, HISTORY_PACE);
    return () => {
      removeRows();
      removeLine();
      latency.close();
    };
  }, [session, loop]);
  useEffect(() => curve.current?.recolour(), [theme]);
  return (
    <section ref={panel} class="panel health" aria-labelledby="health-title">
      <h2 id="health-title">Feed health</h2>
      <dl>
        {healthRows(session, loop, 0, 0).map(({ key, label, title }) => (
          <div class="pair" key={key} title={title}>
            <dt>{label}</dt>
            <dd data-health={key} />
          </div>
        ))}
      </dl>
      <p class="legend">
        Latency <span class="legend-p50">p50</span> <span class="legend-p99">p99</span>
      </p>
      <div class="plot" aria-hidden="true" />
      <StageTable session={session} />
    </section>
  );
}
