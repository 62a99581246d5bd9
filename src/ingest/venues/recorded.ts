import type { VenueFacts } from './facts.js';

/** The embedded venue runs in the process: nothing is connected to. */
export const SIM: VenueFacts = {
  names: ['sim'],
  sources: ['crates/sim'],
  heard: 'embedded',
  sockets: [],
  snapshots: [],
};

/** Multicast and files. */
export const NASDAQ: VenueFacts = {
  names: ['nasdaq'],
  sources: ['NASDAQ TotalView-ITCH 5.0, MoldUDP64 1.00'],
  heard: 'recordings',
  sockets: [],
  snapshots: [],
};

/** Files of its historical service. */
export const DATABENTO: VenueFacts = {
  names: ['databento'],
  sources: ['databento.com/docs, schema mbo, DBN 1 to 3'],
  heard: 'recordings',
  sockets: [],
  snapshots: [],
};
