import { useEffect, useRef } from 'preact/hooks';
import type { FrameLoop } from './frame-loop.js';
import type { InstrumentView } from './instrument-view.js';
import { ListRowPainter } from './list-painter.js';
import { partsOf } from './part.js';
import type { Session } from './session.js';

/** Often enough for a list; the ladder is what follows each update. */
const PACE = { everyMs: 250, waitMs: 100 } as const;

interface ListProps {
  readonly session: Session;
  readonly loop: FrameLoop;
}

/** The instruments with state, age and best prices; a listbox that moves with the arrows. */
export function InstrumentList({ session, loop }: ListProps) {
  const { instruments, selected } = session;
  const active = selected === null ? {} : { 'aria-activedescendant': optionId(selected) };
  return (
    <nav class="panel instruments" aria-labelledby="instruments-title">
      <h2 id="instruments-title">Instruments</h2>
      {instruments.length === 0 ? (
        <p class="empty">{session.catalogueNotice}</p>
      ) : (
        <div
          id="instrument-list"
          class="list"
          role="listbox"
          tabIndex={0}
          aria-label="Instruments"
          {...active}
        >
          {instruments.map((view) => (
            <ListRow
              key={view.facts.name}
              view={view}
              session={session}
              loop={loop}
              selected={view === selected}
            />
          ))}
        </div>
      )}
    </nav>
  );
}

interface RowProps extends ListProps {
  readonly view: InstrumentView;
  readonly selected: boolean;
}

function ListRow({ view, session, loop, selected }: RowProps) {
  const row = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = row.current;
    if (element === null) return;
    const painter = new ListRowPainter(element, partsOf(element));
    // Of thousands a few are seen, and no other costs anything.
    let isSeen = true;
    const seen = new IntersectionObserver((entries) => {
      isSeen = entries.at(-1)?.isIntersecting ?? true;
    });
    seen.observe(element);
    const remove = loop.add((nowMs) => isSeen && painter.paint(view, nowMs), PACE);
    return () => {
      seen.disconnect();
      remove();
    };
  }, [view, session, loop]);
  useEffect(() => {
    if (selected) row.current?.scrollIntoView({ block: 'nearest' });
  }, [selected]);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the listbox takes the keys for its options
    <div
      ref={row}
      id={optionId(view)}
      class="instrument"
      role="option"
      tabIndex={-1}
      aria-selected={selected}
      data-instrument={view.facts.name}
      onClick={() => session.select(view)}
    >
      <span class="symbol">
        {view.facts.symbol} <small>{view.facts.venue}</small>
      </span>
      <span class="state" />
      <span class="touch numbers">
        <span class="bid" />
        <span class="ask" />
      </span>
      <span class="age numbers" title="Since the venue's last input" />
    </div>
  );
}

/** The list of a narrow screen. */
export function InstrumentPicker({ session }: { readonly session: Session }) {
  return (
    <select
      class="picker"
      aria-label="Instrument"
      value={session.selected?.facts.name ?? ''}
      onChange={(event) => session.selectName(event.currentTarget.value)}
    >
      {!session.isServed && (
        <option value={session.selected?.facts.name ?? ''}>{session.selected?.facts.name ?? 'None'}</option>
      )}
      {session.instruments.map(({ facts }) => (
        <option key={facts.name} value={facts.name}>
          {facts.symbol} · {facts.venue}
        </option>
      ))}
    </select>
  );
}

function optionId(view: InstrumentView): string {
  return `instrument-${view.facts.name}`;
}
