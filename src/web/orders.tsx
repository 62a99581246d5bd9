import { useEffect, useRef } from 'preact/hooks';
import { channel } from '../wire/index.js';
import type { FrameLoop } from './frame-loop.js';
import { OrdersPainter } from './orders-painter.js';
import { partsOf } from './part.js';
import type { Session } from './session.js';
import { refusalWords } from './wording.js';

/** A queue is read, not watched: often enough for that. */
const PACE = { everyMs: 250, waitMs: 100 } as const;

interface OrdersProps {
  readonly session: Session;
  readonly loop: FrameLoop;
  readonly onClose: () => void;
}

/**
 * The orders at the chosen price in the order in which they are filled, where the venue tells orders; of a consolidated book what
 * each venue has there.
 */
export function Orders({ session, loop, onClose }: OrdersProps) {
  const panel = useRef<HTMLElement>(null);
  const { selected } = session;
  const isConsolidated = selected !== null && (selected.facts.members ?? []).length > 0;
  useEffect(() => {
    const element = panel.current;
    if (element === null || selected === null) return;
    const subscription = session.feed.subscribe(channel.orders, selected.facts.name);
    const { members } = selected.facts;
    const painter = new OrdersPainter(partsOf(element));
    const remove = loop.add(() => {
      const { error } = subscription;
      const words = error === undefined ? '' : refusalWords(error);
      painter.paint(subscription.orders, words, session.book, selected.position, members);
    }, PACE);
    return () => {
      remove();
      subscription.close();
    };
  }, [session, loop, selected]);
  return (
    <section ref={panel} key={selected?.facts.name} class="panel orders" aria-labelledby="orders-title">
      <div class="panel-head">
        <h2 id="orders-title">
          {isConsolidated ? 'Venues' : 'Orders'} <span class="numbers orders-at" />
        </h2>
        <button type="button" aria-label="Close the orders" title="Close: o" onClick={onClose}>
          ×
        </button>
      </div>
      <div class="order-list" />
      <p class="orders-note" role="status" />
    </section>
  );
}
