import type { RefObject } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { decimalText } from '../wire/index.js';
import { copyExactly } from './exact-copy.js';
import type { FrameLoop } from './frame-loop.js';
import { Inspector } from './inspector.js';
import { ladderCopies, touchCopies } from './ladder-copy.js';
import { LadderPainter } from './ladder-painter.js';
import { OwnSizePainter } from './own-size-painter.js';
import { partsOf } from './part.js';
import { ProfilePainter, tradedDoubt } from './profile-painter.js';
import type { Session } from './session.js';
import type { Settings } from './settings.js';
import { setData, TextCell } from './text-cell.js';
import { TouchPainter } from './touch-painter.js';
import { VolumeProfile } from './volume-profile.js';
import { isDoubted, stateWords } from './wording.js';

interface LadderProps {
  readonly session: Session;
  readonly loop: FrameLoop;
  readonly settings: Settings;
  /** Where the page's keyboard commands find the ladder. */
  readonly painter: RefObject<LadderPainter | null>;
  readonly onGroup: (by: number) => void;
  readonly onFollow: () => void;
  readonly onOrders: () => void;
  readonly onCopy: () => void;
  /** Whether it has just been copied. */
  readonly copied: boolean;
}

/** Of an instrument that is not served. */
const NOTHING_TRADED = new VolumeProfile();

/** The selected book: best prices, the ladder, and what the row under the pointer costs. */
export function Ladder({
  session,
  loop,
  settings,
  painter,
  onGroup,
  onFollow,
  onOrders,
  onCopy,
  copied,
}: LadderProps) {
  const panel = useRef<HTMLElement>(null);
  useEffect(() => {
    const element = panel.current;
    if (element === null) return;
    return drawLadder(element, session, loop, settings, painter);
  }, [session, loop, settings, painter]);
  const facts = session.selected?.facts;
  return (
    <main ref={panel} class="panel ladder" aria-labelledby="ladder-title">
      <div class="panel-head">
        <h2 id="ladder-title">{facts?.symbol ?? 'No instrument'}</h2>
        <span class="state book-state" />
        <fieldset class="stepper">
          <legend class="visually-hidden">Price grouping</legend>
          <span class="label">Group</span>
          <button type="button" aria-label="Finer grouping" title="Finer: [" onClick={() => onGroup(-1)}>
            −
          </button>
          <output class="numbers group-size" aria-live="polite" />
          <button type="button" aria-label="Coarser grouping" title="Coarser: ]" onClick={() => onGroup(1)}>
            +
          </button>
        </fieldset>
        <button type="button" class="follow" title="Follow the best prices: f" onClick={onFollow}>
          Follow
        </button>
        <button
          type="button"
          title="Orders at the chosen price: o"
          aria-pressed={settings.values.orders}
          onClick={onOrders}
        >
          Orders
        </button>
        <button
          type="button"
          class="copy-row"
          title="Copy the chosen row exactly, or all rows in view: c"
          onClick={onCopy}
        >
          <span aria-live="polite">{copied ? 'Copied' : 'Copy'}</span>
        </button>
      </div>
      <div class="touch-bar">
        <span class="price bid">
          <span class="visually-hidden">Best bid </span>
          <span id="best-bid" class="best-bid" />
          <span class="tail tail-bid" aria-hidden="true" />
        </span>
        <span class="spread numbers">
          <span
            class="market-state"
            role="status"
            title="Crossed: the best bid is above the best ask. Locked: they are equal."
          />
          <span class="spread-label">spread </span>
          <span class="spread-value" />
          <span class="imbalance" title="Share of bids in the best ten levels of both sides" />
        </span>
        <span class="price ask">
          <span class="visually-hidden">Best ask </span>
          <span id="best-ask" class="best-ask" />
          <span class="tail tail-ask" aria-hidden="true" />
        </span>
      </div>
      <p class="notice" role="status" />
      <div class="columns" aria-hidden="true">
        <span class="sum-bid">Sum</span>
        <span class="qty-bid">Bid qty</span>
        <span class="rung-price">Price</span>
        <span class="qty-ask">Ask qty</span>
        <span class="sum-ask">Sum</span>
        <span class="volume">Traded</span>
      </div>
      <div id="ladder" class="rungs" />
      <dl class="inspector">
        <div>
          <dt>Level</dt>
          <dd class="at-level" />
        </div>
        <div>
          <dt>Quantity</dt>
          <dd class="at-qty" />
        </div>
        <div>
          <dt>Cumulative</dt>
          <dd class="at-cumulative" />
        </div>
        <div>
          <dt>Cost to sweep</dt>
          <dd class="at-cost" />
        </div>
        <div>
          <dt>Mean price</dt>
          <dd class="at-mean" />
        </div>
      </dl>
      <div class="own-size">
        <label>
          My size{' '}
          <input
            type="text"
            inputMode="decimal"
            autocomplete="off"
            value={settings.values.size}
            onInput={(event) => settings.set('size', event.currentTarget.value.trim())}
          />
        </label>
        <output class="numbers own-size-text" />
        <p
          class="numbers profile"
          title="POC: point of control, where most was traded. VA: value area, the prices around it at which 70 % was. A row holds what traded from its price up to the next one."
        />
      </div>
    </main>
  );
}

/** Builds the painters of the panel and adds them to the loop; the result takes them away again. */
function drawLadder(
  panel: HTMLElement,
  session: Session,
  loop: FrameLoop,
  settings: Settings,
  holder: RefObject<LadderPainter | null>,
): () => void {
  const part = partsOf(panel);
  const inspector = new Inspector({
    level: new TextCell(part('.at-level')),
    qty: new TextCell(part('.at-qty')),
    cumulative: new TextCell(part('.at-cumulative')),
    cost: new TextCell(part('.at-cost')),
    mean: new TextCell(part('.at-mean')),
  });
  const ladder = new LadderPainter(part('#ladder'), inspector, 'rung');
  const touch = new TouchPainter(part);
  const groupSize = new TextCell(part('.group-size'));
  const state = new TextCell(part('.book-state'));
  const notice = new TextCell(part('.notice'));
  const follow = part('.follow');
  const ownSize = new OwnSizePainter(new TextCell(part('.own-size-text')));
  const profile = new ProfilePainter(new TextCell(part('.profile')));
  holder.current = ladder;
  const copies = [
    copyExactly(ladderCopies(part('#ladder'), ladder, () => session.market)),
    copyExactly(touchCopies(part('.touch-bar'), () => session.book)),
  ];
  let chars = 0;
  const remove = loop.add(() => {
    const { selected, book, market } = session;
    const words = session.notice;
    notice.set(words);
    setData(notice.element, 'shown', words === '' ? null : '');
    // What is only doubted is said, and stays as readable as it is.
    setData(panel, 'dim', session.connected && book.state === 'synced' ? null : '');
    setData(panel, 'empty', book.hasLevels ? null : '');
    if (selected === null) return false;
    const own = ownSize.paint(settings.values.size, selected, book, ladder.restingQty);
    market?.settleProfile();
    const hasDrawn = ladder.paint(market ?? { instrument: selected, book, profile: NOTHING_TRADED }, own);
    profile.paint(market);
    setData(panel, 'traded', market === null ? null : tradedDoubt(market) || null);
    touch.paint(book, selected.facts.name);
    if (touch.chars !== chars) {
      chars = touch.chars;
      makeRoom(panel, chars);
    }
    setData(panel, 'instrument', selected.facts.name);
    setData(panel, 'seq', String(book.seq));
    setData(panel, 'epoch', String(book.epoch));
    groupSize.set(
      selected.position.step === 0 ? '–' : decimalText(selected.position.size, book.priceExponent),
    );
    const following = String(selected.position.follow);
    if (follow.ariaPressed !== following) follow.ariaPressed = following;
    state.set(book.state === 'stale' ? 'stale' : stateWords(book.state, book.reason, book.doubts));
    setData(state.element, 'state', book.state);
    setData(state.element, 'doubt', isDoubted(book.state, book.doubts) ? '' : null);
    return hasDrawn;
  });
  return () => {
    remove();
    for (const end of copies) end();
    ladder.close();
    holder.current = null;
  };
}

/** Prices of more characters than this take room from other columns, and smaller letters. */
const CHARS_USUAL = 12;

/** Makes room for prices of so many characters: what still does not fit ends in an ellipsis, never in another number. */
function makeRoom(panel: HTMLElement, chars: number): void {
  const page = panel.closest<HTMLElement>('.page') ?? panel;
  page.style.setProperty('--price-chars', String(Math.max(CHARS_USUAL, chars)));
  setData(page, 'long', chars > CHARS_USUAL ? '' : null);
}
