// @ts-check
/** What a venue's limits allow: the books of a storm, and the least time in which all of them can be had again. */
import { codesLike } from '../dist/fake-venue/codes.js';
import { ownCodes } from '../dist/fake-venue/simulated-market.js';
import { levelsFor } from '../dist/ingest/snapshots.js';
import { batchesOf } from '../dist/ingest/subscription.js';
import { productFacts } from '../dist/ingest/venues/index.js';
import { leastMs } from './storm-least.mjs';

/**
 * @typedef {import('../dist/ingest/venues/facts.js').VenueFacts} VenueFacts
 * @typedef {import('../dist/ingest/venues/facts.js').ProductFacts} ProductFacts
 * @typedef {import('../dist/ingest/venues/facts.js').SocketFacts} SocketFacts
 * @typedef {import('../dist/ingest/venues/facts.js').Rate} Rate
 * @typedef {import('../dist/ingest/subscription.js').Subscription} Subscription
 * @typedef {import('../dist/fake-venue/ledger.js').Request} Request
 */

/** Levels a side of a snapshot, as a connector asks for them where none are wanted. */
const LEVELS = 1000;

/** @template {Rate | null} T @param {T} rate @param {number} speed @returns {T} */
function faster(rate, speed) {
  return rate === null ? rate : { ...rate, windowMs: rate.windowMs / speed };
}

/**
 * A product whose windows are so much shorter, and the codes of its books.
 * @param {string} name
 * @param {number} books
 * @param {number} speed
 */
export function productAt(name, books, speed) {
  const known = productFacts(name);
  if (known === undefined) throw new Error(`no product ${name}`);
  /** @type {VenueFacts} */
  const facts = {
    ...known.facts,
    budgets: Object.fromEntries(
      Object.entries(known.facts.budgets).map(([budget, of]) => [budget, faster(of, speed)]),
    ),
    products: known.facts.products.map((product) => ({
      ...product,
      sockets: product.sockets.map((socket) => ({
        ...socket,
        limits: {
          ...socket.limits,
          rates: socket.limits.rates.map((rate) => faster(rate, speed)),
          connects: faster(socket.limits.connects, speed),
        },
      })),
    })),
  };
  const product = facts.products.find((product) => product.name === name);
  if (product === undefined) throw new Error(`no product ${name}`);
  return { facts, product, codes: codesLike(ownCodes(name)[0] ?? '', books, []) };
}

/**
 * The least time from a cut to all books, by the limits alone.
 * @param {{ facts: VenueFacts, product: ProductFacts, socket: SocketFacts }} of
 * @param {{ connections: readonly (readonly Subscription[])[], books: number }} due what is subscribed by connection, and how
 *   many books are asked for where the product's are
 * @param {readonly Request[]} before what was done before, with times below 0
 */
export function leastOf({ facts, product, socket }, { connections, books }, before) {
  const { connects, rates } = socket.limits;
  const of = (/** @type {string} */ kind) => before.filter((request) => request.kind === kind);
  const connectedMs = leastMs(
    connections.map(() => 1),
    connects,
    of('connect'),
  );
  const costMax = Math.min(...rates.flatMap(({ of, max }) => (of === 'subscriptions' ? [max] : [])));
  const saidMs = connections.map((subscriptions) => {
    const costs = [
      ...socket.opening.map(() => 0),
      ...batchesOf(subscriptions, costMax).map(({ cost }) => cost),
    ];
    return Math.max(
      0,
      ...rates.map((rate) => leastMs(rate.of === 'subscriptions' ? costs : costs.map(() => 1), rate)),
    );
  });
  const { snapshot } = product;
  const { address } = socket;
  const budget = snapshot?.budget ?? address?.request.budget;
  const rate = budget === undefined ? undefined : facts.budgets[budget];
  const weights = [
    ...(address?.request.budget === budget ? connections.map(() => address?.request.weight ?? 0) : []),
    ...(snapshot === null ? [] : Array.from({ length: books }, () => levelsFor(snapshot, LEVELS).weight)),
  ];
  const askedMs =
    rate === undefined ? 0 : leastMs(weights, { max: rate.weightMax, windowMs: rate.windowMs }, of('http'));
  return Math.max(connectedMs + Math.max(0, ...saidMs), askedMs);
}
