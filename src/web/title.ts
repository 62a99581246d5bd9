import type { Session } from './session.js';

/** A page in the background draws nothing, and its title is all that is seen of it. */
const TITLE_EVERY_MS = 1000;

/** Keeps the middle of the best prices and the instrument in the tab's title; the result ends that. */
export function keepTitle(session: Session): () => void {
  const timer = setInterval(() => {
    const title = titleOf(session);
    if (document.title !== title) document.title = title;
  }, TITLE_EVERY_MS);
  return () => clearInterval(timer);
}

function titleOf({ selected, book, connected }: Session): string {
  if (selected === null) return 'depthwire';
  const { symbol } = selected.facts;
  // A price that may not be trusted is none for a title, which has no room to say why.
  if (!connected || book.state !== 'synced') return `${symbol}: ${connected ? book.state : 'not connected'}`;
  const [bid, ask] = [book.best('bid'), book.best('ask')];
  const prices = [bid, ask].map((level) => (level === undefined ? '–' : book.priceText(level)));
  return `${prices.join(' / ')} ${symbol}`;
}
