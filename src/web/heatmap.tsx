import { useEffect, useRef } from 'preact/hooks';
import { decimalText } from '../wire/index.js';
import type { FrameLoop } from './frame-loop.js';
import { HeatmapDrawing } from './heatmap-drawing.js';
import { COLUMN_WIDTHS_MS } from './heatmap-feed.js';
import { partsOf } from './part.js';
import type { Session } from './session.js';
import type { Settings } from './settings.js';

/** A column is drawn when it is complete; a pointer that moves is followed as often as this at most. */
const PACE = { everyMs: 125 } as const;
const PAGE_SHARE = 0.8;

interface HeatmapProps {
  readonly session: Session;
  readonly loop: FrameLoop;
  readonly settings: Settings;
  readonly theme: string;
}

/** The depth over time, with trades and best prices. */
export function Heatmap({ session, loop, settings, theme }: HeatmapProps) {
  const panel = useRef<HTMLElement>(null);
  const drawing = useRef<HeatmapDrawing>(null);
  useEffect(() => {
    const element = panel.current;
    if (element === null) return;
    const heatmap = new HeatmapDrawing(partsOf(element), session, settings);
    drawing.current = heatmap;
    const remove = loop.add((nowMs) => heatmap.paint(nowMs), PACE);
    return () => {
      remove();
      heatmap.close();
      drawing.current = null;
    };
  }, [session, loop, settings]);
  useEffect(() => drawing.current?.recolour(), [theme]);
  const { heatms, heatstep } = settings.values;
  const onKeyDown = (event: KeyboardEvent): void => {
    const heatmap = drawing.current;
    if (heatmap === null || event.ctrlKey || event.altKey || event.metaKey) return;
    if (!heatmapKey(event.key, heatmap)) return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <section ref={panel} class="panel heatmap" aria-labelledby="heatmap-title">
      <div class="panel-head">
        <h2 id="heatmap-title">Depth over time</h2>
        <output class="numbers heat-readout" aria-live="polite" />
        <fieldset class="stepper">
          <legend class="visually-hidden">Heatmap buckets</legend>
          <button
            type="button"
            aria-label="Finer heatmap buckets"
            title="Finer buckets"
            onClick={() => settings.set('heatstep', heatstep - 1)}
          >
            −
          </button>
          <output class="numbers heat-bucket" />
          <button
            type="button"
            aria-label="Coarser heatmap buckets"
            title="Coarser buckets"
            onClick={() => settings.set('heatstep', heatstep + 1)}
          >
            +
          </button>
        </fieldset>
        <select
          aria-label="Time of a heatmap column"
          value={String(heatms)}
          onChange={(event) => settings.set('heatms', Number(event.currentTarget.value))}
        >
          {COLUMN_WIDTHS_MS.map((ms) => (
            <option key={ms} value={String(ms)}>
              {decimalText(ms, -3)} s
            </option>
          ))}
        </select>
        <button
          type="button"
          class="heat-live"
          title="Newest column: End"
          onClick={() => drawing.current?.toggleLive()}
        >
          Live
        </button>
        <button
          type="button"
          aria-label="Close the heatmap"
          title="Close: h"
          onClick={() => settings.set('heat', false)}
        >
          ×
        </button>
      </div>
      <div
        class="heat-field"
        role="application"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it takes the arrow keys, as its label says
        tabIndex={0}
        onKeyDown={onKeyDown}
        aria-label="Depth heatmap. Arrows move a cursor, Space pauses, Page Up and Page Down scroll in time, End goes live."
      >
        <canvas class="heat-canvas" />
        <div class="heat-prices numbers" aria-hidden="true" />
        <div class="heat-cross" aria-hidden="true" />
        <p class="heat-note" role="status" />
      </div>
      <div class="heat-times numbers" aria-hidden="true" />
    </section>
  );
}

/** Does what a key means in the heatmap; false for a key that means nothing there. */
function heatmapKey(key: string, heatmap: HeatmapDrawing): boolean {
  switch (key) {
    case 'ArrowLeft':
      heatmap.move(-1, 0);
      return true;
    case 'ArrowRight':
      heatmap.move(1, 0);
      return true;
    case 'ArrowUp':
      heatmap.move(0, 1);
      return true;
    case 'ArrowDown':
      heatmap.move(0, -1);
      return true;
    case 'PageUp':
      heatmap.scrollScreens(-PAGE_SHARE);
      return true;
    case 'PageDown':
      heatmap.scrollScreens(PAGE_SHARE);
      return true;
    case ' ':
      heatmap.toggleLive();
      return true;
    case 'End':
    case 'Escape':
      heatmap.goLive();
      return true;
    default:
      return false;
  }
}
