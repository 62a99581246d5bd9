import { useEffect, useRef, useState } from 'preact/hooks';
import { OptionChain } from '../wire/index.js';
import { ChainPainter } from './chain-painter.js';
import type { FrameLoop } from './frame-loop.js';
import type { InstrumentView, OptionFacts } from './instrument-view.js';
import { partsOf } from './part.js';
import type { Session } from './session.js';
import type { Settings } from './settings.js';

/** Numbers of a table are not read faster than this; a frame in which nothing has changed draws nothing. */
const PACE = { everyMs: 40 } as const;

/** An option of the list. */
interface Listed {
  readonly view: InstrumentView;
  readonly option: OptionFacts;
}

interface ChainProps {
  readonly session: Session;
  readonly loop: FrameLoop;
  readonly settings: Settings;
}

/** All options on what the selected instrument is on; none where there are none. */
export function optionsBeside({ instruments, selected }: Session): readonly Listed[] {
  if (selected === null) return [];
  const { venue, base } = selected.facts;
  return instruments.flatMap((view) => {
    const { option } = view.facts;
    return option !== undefined && view.facts.venue === venue && view.facts.base === base
      ? [{ view, option }]
      : [];
  });
}

/** The expiry that the setting names, else the selected option's, else the first. */
export function chosenExpiry(options: readonly Listed[], setting: string, session: Session): number {
  const expiries = options.map(({ option }) => option.expiryMs).sort((a, b) => a - b);
  const named = expiries.find((ms) => dateOf(ms) === setting);
  return named ?? session.selected?.facts.option?.expiryMs ?? expiries[0] ?? 0;
}

/** What the setting says when the chain is opened. */
export function opened(session: Session): string {
  const expiry = chosenExpiry(optionsBeside(session), '', session);
  return expiry === 0 ? '' : dateOf(expiry);
}

export function dateOf(expiryMs: number): string {
  return new Date(expiryMs).toISOString().slice(0, 10);
}

/** The options of one expiry: strikes down, calls left and puts right; other expiries as tabs. */
export function Chain({ session, loop, settings }: ChainProps) {
  const panel = useRef<HTMLElement>(null);
  const painter = useRef<ChainPainter>(null);
  const [error, setError] = useState('');
  const options = optionsBeside(session);
  const expiry = chosenExpiry(options, settings.values.chain, session);
  const expiries = [...new Set(options.map(({ option }) => option.expiryMs))].sort((a, b) => a - b);
  const names = options.filter(({ option }) => option.expiryMs === expiry).map(({ view }) => view.facts.name);
  const list = names.join(',');
  useEffect(() => {
    const element = panel.current;
    if (element === null || list === '') return;
    const chain = new OptionChain(session.feed, list.split(','), { signals: true });
    const made = new ChainPainter(partsOf(element), chain, session);
    painter.current = made;
    setError('');
    const leave = chain.on('error', ({ what, fix }) => setError(`${what}. ${fix}.`));
    const remove = loop.add((nowMs) => made.paint(nowMs), PACE);
    return () => {
      remove();
      leave();
      made.close();
      chain.close();
      painter.current = null;
    };
  }, [session, loop, list]);
  const choose = (by: number): void => {
    const to = expiries[expiries.indexOf(expiry) + by];
    if (to !== undefined) settings.set('chain', dateOf(to));
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.altKey || event.metaKey || painter.current === null) return;
    if (event.key === '[') choose(-1);
    else if (event.key === ']') choose(1);
    else if (!painter.current.key(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <section ref={panel} class="panel chain" aria-labelledby="chain-title">
      <div class="panel-head">
        <h2 id="chain-title">Options on {session.selected?.facts.base}</h2>
        <span class="chain-measures numbers" />
        <button type="button" aria-label="Close the chain" onClick={() => settings.set('chain', '')}>
          ×
        </button>
      </div>
      <div class="chain-expiries" role="tablist" aria-label="Expiries">
        {expiries.map((ms) => (
          <button
            key={ms}
            type="button"
            role="tab"
            aria-selected={ms === expiry}
            aria-controls="chain-rows"
            onClick={() => settings.set('chain', dateOf(ms))}
          >
            {dateOf(ms)}
          </button>
        ))}
      </div>
      {error !== '' && (
        <p class="chain-error" role="alert">
          {error}
        </p>
      )}
      <div class="chain-heads numbers" aria-hidden="true">
        <span />
      </div>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the painter makes it a grid that takes the keys */}
      <div class="chain-rows numbers" id="chain-rows" onKeyDown={onKeyDown} />
      <p class="chain-detail numbers" role="status" />
    </section>
  );
}
