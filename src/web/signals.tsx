import { useEffect, useRef } from 'preact/hooks';
import { channel } from '../wire/index.js';
import type { FrameLoop } from './frame-loop.js';
import { partsOf } from './part.js';
import type { Session } from './session.js';
import { SignalsPainter } from './signals-painter.js';
import { refusalWords } from './wording.js';

/** Numbers are read, not watched. */
const EVERY_MS = 250;
const PACE = { everyMs: EVERY_MS, waitMs: 100 } as const;

interface SignalsProps {
  readonly session: Session;
  readonly loop: FrameLoop;
  readonly onClose: () => void;
}

/** The signals of the selected instrument. They are asked for while this is open: a server computes none that nobody reads. */
export function Signals({ session, loop, onClose }: SignalsProps) {
  const panel = useRef<HTMLElement>(null);
  const { selected } = session;
  useEffect(() => {
    const element = panel.current;
    if (element === null || selected === null) return;
    const subscription = session.feed.subscribe(channel.signals, selected.facts.name, {
      intervalMs: EVERY_MS,
    });
    const painter = new SignalsPainter(partsOf(element));
    const remove = loop.add((nowMs) => {
      const { error } = subscription;
      const words = error === undefined ? '' : refusalWords(error);
      return painter.paint(subscription, words, session.connected, nowMs);
    }, PACE);
    return () => {
      remove();
      subscription.close();
    };
  }, [session, loop, selected]);
  return (
    <section ref={panel} key={selected?.facts.name} class="panel signals" aria-labelledby="signals-title">
      <div class="panel-head">
        <h2 id="signals-title">
          Signals <span class="numbers">of a minute</span>
        </h2>
        <button type="button" aria-label="Close the signals" title="Close: s" onClick={onClose}>
          ×
        </button>
      </div>
      <div class="signal-list" />
      <p class="signals-note" role="status" />
    </section>
  );
}
