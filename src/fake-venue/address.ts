import type { SocketFacts } from '../ingest/venues/facts.js';
import type { FaultPlan } from './fault.js';
import type { Ledger } from './ledger.js';
import type { LoginDesk } from './login.js';
import type { Market } from './market.js';
import type { SubscriptionReader } from './subscriptions.js';

/** What a connection shares with the others of its address, of one product. Products may have an address in common. */
export interface Address {
  /** As the facts have it. */
  readonly url: string;
  readonly socket: SocketFacts;
  readonly market: Market;
  readonly reader: SubscriptionReader;
  readonly login: LoginDesk | null;
  readonly ledger: Ledger;
  readonly faults: FaultPlan;
  /** Bytes that may wait for a client. */
  readonly unsentBytesMax: number;
}
