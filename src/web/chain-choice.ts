import type { InstrumentView, OptionFacts } from './instrument-view.js';
import type { Session } from './session.js';

/** An option of the list. */
export interface Listed {
  readonly view: InstrumentView;
  readonly option: OptionFacts;
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
