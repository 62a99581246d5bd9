import type { BudgetFacts, ProductFacts, VenueFacts } from '../ingest/venues/facts.js';
import type { Address } from './address.js';
import { addressService, Budget, listServices, type Service, snapshotService, tokenService } from './desk.js';
import { type FaultPlan, LOGIN_FAULTS } from './fault.js';
import type { Ledger } from './ledger.js';
import { type Account, LoginDesk } from './login.js';
import type { Market } from './market.js';
import { type Playback, RecordedMarket } from './recorded-market.js';
import { SimulatedMarket, speaks } from './simulated-market.js';
import { SubscriptionReader } from './subscriptions.js';

/** A product that is spoken. */
export interface Offered {
  readonly facts: VenueFacts;
  readonly product: ProductFacts;
  /** The venue's codes of its instruments; those of a recording stand in it. */
  readonly codes: readonly string[];
  /** What is told in place of the simulator's market. */
  readonly playback?: Playback;
}

/** What all products of a fake venue have in common. */
export interface Shared {
  readonly account: Account;
  readonly seed: number;
  readonly ledger: Ledger;
  readonly faults: FaultPlan;
  readonly nowMs: () => number;
  /** Bytes that may wait for a client. */
  readonly unsentBytesMax: number;
  /** What stands in place of a venue's address. */
  readonly fakeUrl: (url: string) => string;
  /** Made as they are first needed: products of one venue may share one. */
  readonly budgets: Map<BudgetFacts, Budget>;
}

/** A product with its market and all that can be connected to or asked for. */
export interface Offer {
  readonly market: Market;
  readonly addresses: readonly Address[];
  readonly services: readonly Service[];
}

export function offerOf({ facts, product, codes, playback }: Offered, shared: Shared): Offer {
  const { seed, ledger, faults, account, nowMs, unsentBytesMax } = shared;
  const startMs = Math.floor(nowMs());
  const market =
    playback === undefined
      ? new SimulatedMarket(product.name, codes, {
          seed,
          nowMs: startMs,
          keepsFirst: faults.has('answer-old'),
        })
      : new RecordedMarket(product.name, playback, startMs);
  const addresses: Address[] = [];
  const services: Service[] = [];
  const budget = (name: string): Budget => budgetOf(facts, name, shared.budgets);
  if (product.snapshot !== null)
    services.push(snapshotService(product.snapshot, market, budget(product.snapshot.budget)));
  if (product.instruments !== null)
    services.push(...listServices(product.instruments, market, budget(product.instruments.budget)));
  for (const socket of product.sockets) {
    const { login: facts, address, beat } = socket;
    const url = address === null ? socket.url : toldUrl(socket.url, address.request.url);
    const login = facts === null ? null : new LoginDesk(facts, account);
    const reader = new SubscriptionReader(socket);
    addresses.push({ url, socket, market, reader, login, ledger, faults, unsentBytesMax });
    if (login !== null && facts?.kind === 'token') {
      const isRefused = (): boolean => faults.next(LOGIN_FAULTS) !== undefined;
      services.push(tokenService(facts, login, budget(facts.request.budget), nowMs, isRefused));
    }
    if (address !== null) {
      const endpoint = (): string => shared.fakeUrl(url);
      services.push(addressService(address, budget(address.request.budget), endpoint, beat.everyMs));
    }
  }
  return { market, addresses, services };
}

/** An address whose place the venue tells with its token: it is told one at the host that is asked for it. */
function toldUrl(url: string, asked: string): string {
  return url.replace('{endpoint}', `wss://${new URL(asked).host}/endpoint`);
}

/** Whether a product is heard over sockets and the simulator speaks as it. */
export function canOffer(product: ProductFacts): boolean {
  return product.sockets.length > 0 && (speaks(product.name, false) || speaks(product.name, true));
}

function budgetOf(facts: VenueFacts, name: string, budgets: Map<BudgetFacts, Budget>): Budget {
  const of = facts.budgets[name];
  if (of === undefined) throw new Error(`the facts have no budget ${name}`);
  const made = budgets.get(of) ?? new Budget(of);
  budgets.set(of, made);
  return made;
}
