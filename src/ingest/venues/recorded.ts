import type { ProductFacts, VenueFacts } from './facts.js';

/** A product that nothing is connected to. */
function unconnected(name: string, offers: ProductFacts['offers']): ProductFacts {
  return { name, offers, sockets: [], snapshot: null, instruments: null };
}

const ORDERS: ProductFacts['offers'] = {
  book: 'none',
  orders: 'built',
  bbo: 'none',
  trades: 'built',
  ticker: 'none',
  liquidations: 'none',
  status: 'built',
};

/** The embedded venue runs in the process. */
export const SIM: VenueFacts = {
  sources: ['crates/sim'],
  heard: 'embedded',
  products: [unconnected('sim', { ...ORDERS, book: 'built', orders: 'none', bbo: 'built', status: 'none' })],
  budgets: {},
};

/** Multicast and files. */
export const NASDAQ: VenueFacts = {
  sources: ['NASDAQ TotalView-ITCH 5.0, MoldUDP64 1.00'],
  heard: 'recordings',
  products: [unconnected('nasdaq', ORDERS)],
  budgets: {},
};

/** Files of its historical service. */
export const DATABENTO: VenueFacts = {
  sources: ['databento.com/docs, schema mbo, DBN 1 to 3'],
  heard: 'recordings',
  products: [unconnected('databento', ORDERS)],
  budgets: {},
};
