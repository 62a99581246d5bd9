import type { ProductFacts, Rate, StreamFacts, VenueFacts } from '../../src/ingest/venues/facts.js';

/** What takes books back after their connections have broken. */
export interface Recovery {
  readonly connections: number;
  readonly messages: number;
  /** Of all requests for snapshots. */
  readonly weight: number;
  /** Ms from the first request to the last one, if each is made as soon as the limits allow it. */
  readonly leastMs: number;
}

/**
 * The least time in which so many books of a product can be had again, when nothing was used of its limits: of `max` in a
 * window, the last of N things is had after (N - 1) / max windows, rounded down. Connections, subscriptions and snapshots
 * overlap, so the longest of the three counts.
 */
export function leastRecovery(
  facts: VenueFacts,
  product: ProductFacts,
  stream: StreamFacts,
  books: number,
  levels: number,
): Recovery {
  const socket = product.sockets.find(({ streams }) => streams.includes(stream));
  if (socket === undefined) throw new Error(`${product.name} has no such stream`);
  const { limits } = socket;
  const ofConnection = Math.min(books, limits.subscriptionsMax ?? books);
  const connections = Math.ceil(books / ofConnection);
  const messages = Math.ceil(ofConnection / stream.argsMax);
  const cost = stream.depths[0]?.cost ?? 1;
  const times = [limits.connects === null ? 0 : windowsMs(connections, limits.connects)];
  for (const rate of limits.rates)
    times.push(windowsMs(rate.of === 'subscriptions' ? ofConnection * cost : messages, rate));
  let weight = 0;
  if (product.snapshot !== null) {
    const { weights, budget } = product.snapshot;
    const each = weights.find(({ levelsMax }) => levelsMax >= levels) ?? weights.at(-1);
    weight = books * (each?.weight ?? 1);
    const of = facts.budgets[budget];
    if (of !== undefined) times.push(windowsMs(weight, { max: of.weightMax, windowMs: of.windowMs }));
  }
  return { connections, messages: connections * messages, weight, leastMs: Math.max(...times) };
}

function windowsMs(count: number, { max, windowMs }: Rate): number {
  return Math.floor((count - 1) / max) * windowMs;
}
