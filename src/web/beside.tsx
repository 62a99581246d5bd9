import { useEffect, useRef } from 'preact/hooks';
import { copyExactly } from './exact-copy.js';
import type { FrameLoop } from './frame-loop.js';
import type { InstrumentView } from './instrument-view.js';
import { ladderCopies, touchCopies } from './ladder-copy.js';
import { LadderPainter } from './ladder-painter.js';
import { partsOf } from './part.js';
import { tradedDoubt } from './profile-painter.js';
import type { Session } from './session.js';
import type { Settings } from './settings.js';
import { setData, TextCell } from './text-cell.js';
import { TouchPainter } from './touch-painter.js';
import { isDoubted, reasonWords, stateWords } from './wording.js';

/** Instruments beside the selected one: with it, four. */
export const BESIDE_MAX = 3;

/** The names of the instruments beside the selected one, each once. */
export function namesBeside(setting: string): readonly string[] {
  return [...new Set(setting.split(',').filter((name) => name !== ''))].slice(0, BESIDE_MAX);
}

/** The setting with an instrument more, or less where it stood there. */
export function toggledBeside(setting: string, name: string): string {
  const names = namesBeside(setting);
  return (
    names.includes(name) ? names.filter((one) => one !== name) : [...names, name].slice(-BESIDE_MAX)
  ).join(',');
}

interface BesideProps {
  readonly session: Session;
  readonly loop: FrameLoop;
  readonly settings: Settings;
}

/** Ladders of other instruments beside the selected one's, where the window is wide. */
export function Beside({ session, loop, settings }: BesideProps) {
  const { beside } = settings.values;
  return (
    <>
      {viewsBeside(session, settings).map((view) => (
        <Pane
          key={view.facts.name}
          view={view}
          session={session}
          loop={loop}
          onClose={() => settings.set('beside', toggledBeside(beside, view.facts.name))}
        />
      ))}
    </>
  );
}

/** The instruments whose ladders are shown beside: those that are served, without the selected one. */
export function viewsBeside(session: Session, settings: Settings): readonly InstrumentView[] {
  return namesBeside(settings.values.beside).flatMap((name) => {
    const view = session.instruments.find(({ facts }) => facts.name === name);
    return view === undefined || view.facts.name === session.selected?.facts.name ? [] : [view];
  });
}

/** Chooses what stands beside. */
export function BesidePicker({ session, settings }: Omit<BesideProps, 'loop'>) {
  const { beside } = settings.values;
  const names = namesBeside(beside);
  return (
    <select
      class="beside-picker"
      aria-label="Show another instrument beside, or no longer"
      value=""
      onChange={(event) => {
        settings.set('beside', toggledBeside(beside, event.currentTarget.value));
        event.currentTarget.value = '';
      }}
    >
      <option value="">Beside…</option>
      {session.instruments
        .filter((view) => view !== session.selected)
        .map(({ facts }) => (
          <option key={facts.name} value={facts.name}>
            {names.includes(facts.name) ? '✓ ' : ''}
            {facts.symbol} · {facts.venue}
          </option>
        ))}
    </select>
  );
}

interface PaneProps {
  readonly view: InstrumentView;
  readonly session: Session;
  readonly loop: FrameLoop;
  readonly onClose: () => void;
}

function Pane({ view, session, loop, onClose }: PaneProps) {
  const panel = useRef<HTMLElement>(null);
  const painter = useRef<LadderPainter>(null);
  const { name, symbol } = view.facts;
  useEffect(() => {
    const element = panel.current;
    if (element === null) return;
    const part = partsOf(element);
    const market = session.markets.open(view);
    const ladder = new LadderPainter(part('.rungs'), null, `rung-${name}`);
    const touch = new TouchPainter(part);
    const state = new TextCell(part('.book-state'));
    painter.current = ladder;
    const copies = [
      copyExactly(ladderCopies(part('.rungs'), ladder, () => market)),
      copyExactly(touchCopies(part('.touch-bar'), () => market.book)),
    ];
    const remove = loop.add(() => {
      const { book } = market;
      const isExact = session.connected && book.state === 'synced';
      setData(element, 'dim', isExact ? null : '');
      setData(element, 'empty', book.hasLevels ? null : '');
      // Of the volumes, too: a ladder beside has no line for them.
      const traded = tradedDoubt(market);
      setData(element, 'traded', traded || null);
      state.set(`${stateWords(book.state, book.reason, book.doubts)}${traded && `, traded ${traded}`}`);
      setData(state.element, 'state', book.state);
      const isInDoubt = isDoubted(book.state, book.doubts) || (book.state === 'synced' && traded !== '');
      setData(state.element, 'doubt', isInDoubt ? '' : null);
      const reason = book.state === 'stale' ? reasonWords(book.reason) : '';
      if (state.element.title !== reason) state.element.title = reason;
      market.settleProfile();
      touch.paint(book, name);
      return ladder.paint(market, null);
    });
    return () => {
      remove();
      for (const end of copies) end();
      ladder.close();
      painter.current = null;
      session.markets.release(market);
    };
  }, [session, loop, view, name]);
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.altKey || event.metaKey || painter.current === null) return;
    if (!paneKey(event.key, painter.current)) return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <section ref={panel} class="panel pane" aria-label={`Ladder of ${name}`} data-instrument={name}>
      <div class="panel-head">
        <button
          type="button"
          class="pane-title"
          title="Show in the middle"
          onClick={() => session.select(view)}
        >
          {symbol}
        </button>
        <span class="state book-state" />
        <button type="button" aria-label={`Close ${symbol}`} onClick={onClose}>
          ×
        </button>
      </div>
      <div class="touch-bar">
        <span class="price bid">
          <span class="visually-hidden">Best bid </span>
          <span class="best-bid" />
          <span class="tail tail-bid" aria-hidden="true" />
        </span>
        <span class="spread numbers">
          <span class="market-state" role="status" />
          <span class="visually-hidden spread-value" />
          <span class="visually-hidden imbalance" />
        </span>
        <span class="price ask">
          <span class="visually-hidden">Best ask </span>
          <span class="best-ask" />
          <span class="tail tail-ask" aria-hidden="true" />
        </span>
      </div>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the painter makes it a grid that takes the keys */}
      <div class="rungs" onKeyDown={onKeyDown} />
    </section>
  );
}

/** Does what a key means in a ladder beside; false for a key that means nothing there. */
function paneKey(key: string, ladder: LadderPainter): boolean {
  switch (key) {
    case 'ArrowDown':
    case 'j':
      ladder.scroll(1);
      return true;
    case 'ArrowUp':
    case 'k':
      ladder.scroll(-1);
      return true;
    case 'PageDown':
      ladder.scroll(Math.max(1, ladder.rows - 2));
      return true;
    case 'PageUp':
      ladder.scroll(-Math.max(1, ladder.rows - 2));
      return true;
    case '[':
    case '-':
      ladder.regroup(-1);
      return true;
    case ']':
    case '+':
      ladder.regroup(1);
      return true;
    case 'f':
    case 'Home':
      ladder.follow();
      return true;
    default:
      return false;
  }
}
