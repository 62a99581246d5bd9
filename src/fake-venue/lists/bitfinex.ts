import type { List } from './listing.js';

/** `conf/pub:info:pair,pub:info:pair:futures`: names and what holds of orders; nothing of digits. */
export const bitfinex: List = ({ listings }) => {
  const names = listings.map(({ code }) => code.replace(/^t/, ''));
  const isFuture = (name: string): boolean => /F0(:|$)/.test(name);
  const entry = (name: string): unknown => [
    name,
    [null, null, null, '0.00006', '2000.0', null, null, null, 0.2, 0.1, null, null],
  ];
  return JSON.stringify([
    names.filter((name) => !isFuture(name)).map(entry),
    names.filter(isFuture).map(entry),
  ]);
};
