import { useEffect, useRef, useState } from 'preact/hooks';
import { OptionChain } from '../wire/index.js';
import { chosenExpiry, dateOf, optionsBeside } from './chain-choice.js';
import { ChainPainter } from './chain-painter.js';
import type { FrameLoop } from './frame-loop.js';
import { partsOf } from './part.js';
import type { Session } from './session.js';
import type { Settings } from './settings.js';

/** Numbers of a table are not read faster than this; a frame in which nothing has changed draws nothing. */
const PACE = { everyMs: 40 } as const;

interface ChainProps {
  readonly session: Session;
  readonly loop: FrameLoop;
  readonly settings: Settings;
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
